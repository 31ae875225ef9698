import type { Attrs } from '../ir/graph.js';

/** A pointwise op: GLSL of a vec4 over the texel `x`, and `y` where the op has two operands. */
export interface Pointwise {
  readonly operands: 1 | 2;
  /** `$0`, `$1`, … stand for `params`, which differ between draws of one program. */
  readonly glsl: string;
  readonly params?: readonly number[];
  /** A function of `glsl.ts` that the text calls. */
  readonly helper?: string;
}

type Row = string | ((attrs: Attrs) => Pointwise | string);

const select = (condition: string, then: string, otherwise: string) => `mix(${otherwise}, ${then}, ${condition})`;
/** NaN stays NaN, which drivers' min, max and exp lose, and Mesa's selects by comparison too: it makes them min and max. */
const keepNaN = (glsl: string) => select('equal(x, x)', glsl, 'x');
/** Activations that only bound their operand are one text, so that layers which differ in them share a program. */
const bounds = (min: number, max: number) => (): Pointwise => ({
  operands: 1,
  glsl: keepNaN('clamp(x, $0, $1)'),
  params: [min, max],
});
/** GPUs flush denormal operands to zero; where that changes whole results, `tiny4` finds them by their bits. */
const denormal = (glsl: string) => (): Pointwise => ({ operands: 1, glsl, helper: 'tiny4' });
/** y where that is NaN, whatever the driver makes of the comparison. */
const orNaN = (glsl: string) => select('equal(y, y)', glsl, 'y');
const asBool = (condition: string) => `vec4(${condition})`;

/** What a layer without activation runs where layers with one are likely: the same program, with bounds that bind nothing. */
export const UNBOUNDED = 'UNBOUNDED';

const UNARY: Readonly<Record<string, Row>> = {
  ABS: 'abs(x)',
  CEIL: denormal('mix(ceil(x), max(sign(grown4(x)), 0.0), tiny4(x))'),
  COS: () => ({ operands: 1, glsl: 'sine4(x, 1.0)', helper: 'sine4' }),
  DEQUANTIZE: ({ scale, zeroPoint }) =>
    scale === undefined ? 'x' : { operands: 1, glsl: '(x - $0) * $1', params: [Number(zeroPoint), Number(scale)] },
  ELU: select('lessThan(x, vec4(0.0))', 'exp(min(x, 0.0)) - 1.0', 'x'),
  EXP: keepNaN('exp(x)'),
  FLOOR: denormal('mix(floor(x), min(sign(grown4(x)), 0.0), tiny4(x))'),
  GELU: ({ approximate }) =>
    approximate
      ? { operands: 1, glsl: '0.5 * x * (1.0 + tanh4(0.7978845608 * (x + 0.044715 * x * x * x)))', helper: 'tanh4' }
      : { operands: 1, glsl: '0.5 * x * (1.0 + erf4(x * 0.7071067812))', helper: 'erf4' },
  HARD_SWISH: 'x * clamp(x + 3.0, 0.0, 6.0) * (1.0 / 6.0)',
  LEAKY_RELU: ({ alpha }) => ({
    operands: 1,
    glsl: select('lessThan(x, vec4(0.0))', 'x * $0', 'x'),
    params: [Number(alpha)],
  }),
  LOG: denormal(
    `mix(${select('greaterThanEqual(x, vec4(0.0))', 'log(x)', 'vec4(uintBitsToFloat(0x7fc00000u))')}, log(grown4(x)) - 103.278929903, bvec4(uvec4(tiny4(x)) & uvec4(greaterThan(grown4(x), vec4(0.0)))))`,
  ),
  LOGISTIC: keepNaN('1.0 / (1.0 + exp(-x))'),
  NEG: '-x',
  QUANTIZE: (attrs) => {
    const { scale, zeroPoint, least, greatest, above = 0.5, below = 0.5, isAroundStoredZero } = attrs;
    const [before, after] = isAroundStoredZero ? [zeroPoint, 0] : [0, zeroPoint];
    return {
      operands: 1,
      glsl: 'stored4(x, $0, $1, $2, $3, $4, $5, $6)',
      params: [scale, before, above, below, after, least, greatest].map(Number),
      helper: 'stored4',
    };
  },
  RELU: bounds(0, Infinity),
  RELU6: bounds(0, 6),
  RELU_0_TO_1: bounds(0, 1),
  RELU_N1_TO_1: bounds(-1, 1),
  [UNBOUNDED]: bounds(-Infinity, Infinity),
  ROUND: 'roundEven(x)',
  RSQRT: 'inversesqrt(x)',
  SIGN: denormal(keepNaN('mix(sign(x), sign(grown4(x)), tiny4(x))')),
  SIN: () => ({ operands: 1, glsl: 'sine4(x, 0.0)', helper: 'sine4' }),
  SQRT: 'sqrt(x)',
  SQUARE: 'x * x',
  TANH: () => ({ operands: 1, glsl: keepNaN('tanh4(x)'), helper: 'tanh4' }),
  LOGICAL_NOT: '1.0 - x',
};

const BINARY: Readonly<Record<string, Row>> = {
  ADD: 'x + y',
  SUB: 'x - y',
  MUL: 'x * y',
  DIV: () => ({ operands: 2, glsl: 'quotient4(x, y)', helper: 'quotient4' }),
  MAXIMUM: orNaN(select('greaterThan(x, y)', 'x', 'y')),
  MINIMUM: orNaN(select('lessThan(x, y)', 'x', 'y')),
  SQUARED_DIFFERENCE: '(x - y) * (x - y)',
  POW: () => ({ operands: 2, glsl: 'power4(x, y)', helper: 'power4' }),
  PRELU: select('lessThan(x, vec4(0.0))', 'x * y', 'x'),
  FLOOR_DIV: 'floor(x / y)',
  EQUAL: asBool('equal(x, y)'),
  NOT_EQUAL: asBool('notEqual(x, y)'),
  LESS: asBool('lessThan(x, y)'),
  LESS_EQUAL: asBool('lessThanEqual(x, y)'),
  GREATER: asBool('greaterThan(x, y)'),
  GREATER_EQUAL: asBool('greaterThanEqual(x, y)'),
  LOGICAL_AND: 'x * y',
  LOGICAL_OR: 'max(x, y)',
};

/** The pointwise form of an op type, or `undefined` where it is not pointwise. */
export function pointwise(type: string, attrs: Attrs): Pointwise | undefined {
  const unary = Object.hasOwn(UNARY, type) ? UNARY[type] : undefined;
  const row = unary ?? (Object.hasOwn(BINARY, type) ? BINARY[type] : undefined);
  if (row === undefined) return undefined;
  const made = typeof row === 'string' ? row : row(attrs);
  return typeof made === 'string' ? { operands: unary ? 1 : 2, glsl: made } : made;
}

/** Op types that have a pointwise form. */
export const pointwiseTypes: readonly string[] = [...Object.keys(UNARY), ...Object.keys(BINARY)].filter(
  (type) => type !== UNBOUNDED,
);
