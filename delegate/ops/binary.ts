import { ModelError, UnsupportedError } from '../errors.js';
import type { DType, NumericData } from '../ir/dtype.js';
import { type CpuTensor, defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { broadcastShapes } from '../ir/shape.js';
import type { Activation } from '../ir/vocabulary.js';
import { elementwise } from './elementwise.js';
import { activate } from './fused-activation.js';

interface BinaryAttrs {
  readonly fusedActivationFunction?: Activation;
}

interface Row {
  readonly float: (x: number, y: number) => number;
  readonly integer?: (x: number, y: number) => number;
  readonly exact?: (x: bigint, y: bigint) => bigint;
}

const floorMod = (x: number, y: number): number => {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
};
const power = (x: number, y: number): number => (x === 1 || y === 0 ? 1 : x ** y);
const divisor = (op: string, y: number): number => {
  if (y === 0) throw new ModelError('division-by-zero', `${op} by zero; integers need a divisor other than 0`);
  return y;
};

/** As TFLite: a comparison with NaN is false, so the second operand wins. Math.max would give NaN. */
function larger<T extends number | bigint>(x: T, y: T): T {
  if (x > y) return x;
  return y;
}

function smaller<T extends number | bigint>(x: T, y: T): T {
  if (x < y) return x;
  return y;
}

const ROWS: Readonly<Record<string, Row>> = {
  ADD: { float: (x, y) => x + y, exact: (x, y) => BigInt.asIntN(64, x + y) },
  SUB: { float: (x, y) => x - y, exact: (x, y) => BigInt.asIntN(64, x - y) },
  MUL: { float: (x, y) => x * y, integer: Math.imul, exact: (x, y) => BigInt.asIntN(64, x * y) },
  DIV: { float: (x, y) => x / y, integer: (x, y) => Math.trunc(x / divisor('DIV', y)) },
  MAXIMUM: { float: larger, exact: larger },
  MINIMUM: { float: smaller, exact: smaller },
  SQUARED_DIFFERENCE: { float: (x, y) => (x - y) * (x - y), integer: (x, y) => Math.imul(x - y, x - y) },
  POW: {
    float: power,
    integer: (x, y) => {
      if (y < 0) throw new ModelError('exponent', `POW with the exponent ${y}; integers need one of 0 or more`);
      let result = 1;
      for (let i = 0; i < y; i++) result = Math.imul(result, x);
      return result;
    },
  },
  PRELU: { float: (x, y) => (x < 0 ? x * y : x) },
  FLOOR_DIV: { float: (x, y) => Math.floor(x / y), integer: (x, y) => Math.floor(x / divisor('FLOOR_DIV', y)) },
  FLOOR_MOD: { float: floatMod, integer: (x, y) => floorMod(x, divisor('FLOOR_MOD', y)) },
  ATAN2: { float: Math.atan2 },
};

function floatMod(x: number, y: number): number {
  if (!Number.isFinite(y) && Number.isFinite(x)) return x !== 0 && x < 0 !== y < 0 ? y : x;
  return floorMod(x, y);
}

/** Ops whose float results the activation NONE clamps to the largest float. */
const CLAMPED = new Set(['ADD', 'SUB', 'MUL', 'DIV']);
const INTEGERS: readonly DType[] = ['int32', 'int64', 'int16', 'int8', 'uint8', 'uint32'];

/** Ops of two operands under NumPy's broadcasting. */
export const binaryOps: readonly OpSpec[] = [
  ...Object.entries(ROWS).map(([type, row]) =>
    defineOp<BinaryAttrs>({
      type,
      infer(inputs, _attrs, outputs) {
        const [x, y] = [required(inputs, 0), required(inputs, 1)];
        return [{ ...outputs[0], shape: broadcastShapes(x.shape, y.shape), dtype: x.dtype }];
      },
      cpu(inputs, attrs, [output]) {
        const [x, y] = [required(inputs, 0), required(inputs, 1)];
        rejectQuantized(type, x);
        if (!INTEGERS.includes(x.dtype)) {
          if (x.dtype !== 'float32')
            throw new UnsupportedError(`${type}: ${x.dtype} operand; the CPU path takes float32 or integers`);
          const data = elementwise(output!, [x, y], row.float) as Float32Array;
          return [CLAMPED.has(type) ? activate(data, attrs.fusedActivationFunction ?? 'NONE') : data];
        }
        const data = elementwise(output!, [x, y], row.integer ?? row.float, row.exact);
        return [clampIntegers(data as NumericData, attrs.fusedActivationFunction ?? 'NONE')];
      },
    }),
  ),
  defineOp({
    type: 'ADD_N',
    infer: (inputs) => [required(inputs, 0)],
    cpu(inputs, _attrs, [output]) {
      const all = inputs.map((_, i) => required(inputs, i));
      rejectQuantized('ADD_N', all[0]!);
      return [
        all
          .slice(1)
          .reduce((sum, x) => elementwise(output!, [{ ...output!, data: sum }, x], (a, b) => a + b), all[0]!.data),
      ];
    },
  }),
];

/** Quantised numbers are not the integers that stand for them. */
export function rejectQuantized(type: string, { dtype, quantization }: CpuTensor): void {
  if (quantization?.scales.length && dtype !== 'float32' && dtype !== 'int32')
    throw new UnsupportedError(`${type}: quantised ${dtype} operand; the CPU path takes plain numbers`);
}

function clampIntegers(data: NumericData, activation: Activation): NumericData {
  const range = ({ RELU: [0, undefined], RELU6: [0, 6], RELU_N1_TO_1: [-1, 1] } as const)[activation as 'RELU'];
  if (!range) return data;
  const [lo, hi] = range as readonly [number, number | undefined];
  const cells = data as unknown as Record<number, number | bigint>;
  const like = (v: number) => (data instanceof BigInt64Array ? BigInt(v) : v);
  for (let i = 0; i < data.length; i++) {
    if (cells[i]! < lo) cells[i] = like(lo);
    else if (hi !== undefined && cells[i]! > hi) cells[i] = like(hi);
  }
  return data;
}

const COMPARISONS: Readonly<Record<string, (x: unknown, y: unknown) => boolean>> = {
  EQUAL: (x, y) => x === y,
  NOT_EQUAL: (x, y) => x !== y,
  LESS: (x, y) => (x as number) < (y as number),
  LESS_EQUAL: (x, y) => (x as number) <= (y as number),
  GREATER: (x, y) => (x as number) > (y as number),
  GREATER_EQUAL: (x, y) => (x as number) >= (y as number),
  LOGICAL_AND: (x, y) => Boolean(x) && Boolean(y),
  LOGICAL_OR: (x, y) => Boolean(x) || Boolean(y),
};
const text = (bytes: unknown): unknown => (bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : bytes);

/** Comparisons and logic: bool results. */
export const compareOps: readonly OpSpec[] = Object.entries(COMPARISONS).map(([type, holds]) =>
  defineOp({
    type,
    infer: (inputs) => [typed(broadcastShapes(required(inputs, 0).shape, required(inputs, 1).shape), 'bool')],
    cpu(inputs, _attrs, [output]) {
      const [x, y] = [required(inputs, 0), required(inputs, 1)];
      rejectQuantized(type, x);
      const compare =
        x.dtype === 'string'
          ? (a: unknown, b: unknown) => Number(holds(text(a), text(b)))
          : (a: unknown, b: unknown) => Number(holds(a, b));
      return [elementwise(output!, [x, y], compare as (...v: number[]) => number)];
    },
  }),
);
