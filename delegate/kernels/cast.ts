import type { DType } from '../ir/dtype.js';
import type { Node, Value } from '../ir/graph.js';
import { grainView, view } from '../layout/view.js';
import type { Plane, ShaderBuilder } from '../shader/builder.js';
import { float } from '../shader/glsl.js';
import { type BuildContext, builderFor, type GpuForm } from './form.js';
import { canBeOperand, copyText, operandText, tailText } from './tail.js';
import { declareView } from './view-text.js';

/** Integer types whose values textures hold; int32 beyond 2^24 only where they come from floats. */
const LIMITS: Readonly<Partial<Record<DType, readonly [lo: number, hi: number]>>> = {
  int32: [-(2 ** 31), 2 ** 31],
  uint8: [0, 255],
};

/** Floats to integers saturate and NaN gives the largest; anything to bool is x ≠ 0. */
const cast: GpuForm = {
  type: 'CAST',
  dtypes: ['int32', 'uint8', 'bool'],
  declines: ({ inputs: [x], outputs: [output] }) =>
    x!.dtype === 'int32' && output!.dtype === 'uint8' ? 'int32 to uint8 wraps, which needs every bit' : undefined,
  build(node, context) {
    const k = builderFor(node, context);
    const [x, output] = [node.inputs[0]!, node.outputs[0]!];
    return [
      k.finish(
        'cast',
        each(k, copyText(k, x, output), (v) => converted(v, x.dtype, output.dtype)),
        0,
        tailText(k, node),
      ),
    ];
  },
};

function converted(v: string, from: DType, to: DType): string {
  if (to === 'bool') return `vec4(notEqual(floatBitsToUint(${v}) & 0x7fffffffu, uvec4(0u)))`;
  const limits = LIMITS[to];
  if (!limits || from !== 'float32') return v;
  const [lo, hi] = limits.map(float) as [string, string];
  return `mix(vec4(${hi}), clamp(trunc(${v}), ${lo}, ${hi}), lessThan(${v}, vec4(${hi})))`;
}

/** A body and then `next` of every texel it set. */
function each(k: ShaderBuilder, body: string, next: (v: string) => string): string {
  return `${body} ${k.planes.map(({ index }) => `a${index} = ${next(`a${index}`)};`).join(' ')}`;
}

/** condition ? x : y; SELECT may have one condition per row of the outermost dimension. */
const selects: readonly GpuForm[] = ['SELECT', 'SELECT_V2'].map((type) => ({
  type,
  dtypes: ['bool'],
  declines: (node) => {
    const output = node.outputs[0]!;
    const operands = isPerRow(node) ? node.inputs.slice(1) : node.inputs;
    const odd = operands.find((v) => v && !canBeOperand(v, output));
    return odd ? `[${odd.shape}] does not broadcast to [${output.shape}] on the GPU` : undefined;
  },
  build: (node, context) => [select(node, context)],
}));

function select(node: Node, context: BuildContext) {
  const [condition, x, y] = node.inputs as [Value, Value, Value];
  const output = node.outputs[0]!;
  const operands = [condition, x, y].map((operand) => ({ type: node.type, attrs: {}, operand }));
  const k = builderFor({ ...node, tail: [...operands, ...(node.tail ?? [])] }, context);
  const [c, a, b] = [
    isPerRow(node) ? perRow(k, condition, output) : operandText(k, condition, output),
    operandText(k, x, output),
    operandText(k, y, output),
  ];
  const body = k.planes.map((p) => `a${p.index} = mix(${b.at(p)}, ${a.at(p)}, notEqual(${c.at(p)}, vec4(0.0)));`);
  return k.finish('select', `${c.before} ${a.before} ${b.before}\n  ${body.join('\n  ')}`, 0, tailText(k, node));
}

function isPerRow({ type, inputs: [condition, x] }: Node): boolean {
  return type === 'SELECT' && condition!.shape.length === 1 && x!.shape.length > 1;
}

function perRow(k: ShaderBuilder, condition: Value, output: Value): { before: string; at(plane: Plane): string } {
  const rows = view(
    output.shape,
    output.shape.map((_, i) => (i === 0 ? 1 : 0)),
  );
  const input = k.input(condition);
  const read = declareView(k, input, grainView(rows, k.out.c, input.layout.c));
  return {
    before: '',
    at: ({ y, x, s }) => read.call('vec4(0.0)', 'o_n', y, x, s),
  };
}

export const castForms: readonly GpuForm[] = [cast, ...selects];
