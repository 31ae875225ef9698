import type { Node } from '../ir/graph.js';
import { type BuildContext, builderFor, type GpuForm } from './form.js';
import { copyText, operandText, tailText } from './tail.js';

const planes = (count: number, text: (p: number) => string): string =>
  Array.from({ length: count }, (_, p) => text(p)).join(' ');

/** Floats to int32 saturate and NaN gives the largest; what a float texture holds of an int32 came from a float or is below 2^24. */
function castTo(dtype: string, from: string): (a: string) => string {
  if (dtype === 'bool') return (a) => `vec4(notEqual(${a}, vec4(0.0)))`;
  if (dtype === 'int32' && from === 'float32')
    return (a) => `mix(vec4(2147483648.0), clamp(trunc(${a}), -2147483648.0, 2147483648.0), equal(${a}, ${a}))`;
  return (a) => a;
}

/** Changes of element type, and choices by a bool. */
export const convertForms: readonly GpuForm[] = [
  {
    type: 'CAST',
    dtypes: ['int32', 'bool'],
    build(node, context) {
      const k = builderFor(node, context);
      const cast = castTo(node.outputs[0]!.dtype, node.inputs[0]!.dtype);
      const copy = copyText(k, node.inputs[0]!, node.outputs[0]!);
      return [
        k.finish('cast', `${copy} ${planes(k.planes, (p) => `a${p} = ${cast(`a${p}`)};`)}`, 0, tailText(k, node)),
      ];
    },
  },
  {
    type: 'DEQUANTIZE',
    dtypes: ['int8', 'uint8', 'int16', 'float16'],
    declines: ({ inputs: [x] }) =>
      (x!.quantization?.scales.length ?? 0) > 1 ? 'it has a scale per channel' : undefined,
    build(node, context) {
      const x = node.inputs[0]!;
      const k = builderFor(node, context);
      const [scale, zero] = [k.param(x.quantization?.scales[0] ?? 1), k.param(x.quantization?.zeroPoints[0] ?? 0)];
      const copy = copyText(k, x, node.outputs[0]!);
      return [
        k.finish(
          'dequantize',
          `${copy} ${planes(k.planes, (p) => `a${p} = (a${p} - ${zero}) * ${scale};`)}`,
          0,
          tailText(k, node),
        ),
      ];
    },
  },
  ...['SELECT', 'SELECT_V2'].map(
    (type): GpuForm => ({
      type,
      dtypes: ['bool'],
      declines: (node) => {
        const [condition, x] = node.inputs;
        return type === 'SELECT' && condition!.shape.length === 1 && x!.shape.length > 1
          ? 'its condition chooses rows'
          : undefined;
      },
      build: (node, context) => [select(node, context)],
    }),
  ),
];

function select(node: Node, context: BuildContext) {
  const output = node.outputs[0]!;
  const steps = node.inputs.map((operand) => ({ type: node.type, attrs: {}, operand: operand! }));
  const k = builderFor({ ...node, tail: [...steps, ...(node.tail ?? [])] }, context);
  const [condition, x, y] = node.inputs.map((v) => operandText(k, v!, output));
  const before = [condition!, x!, y!].map((o) => o.before).join(' ');
  const body = `${before} ${planes(k.planes, (p) => `a${p} = mix(${y!.at(p)}, ${x!.at(p)}, notEqual(${condition!.at(p)}, vec4(0.0)));`)}`;
  return k.finish('select', body, 0, tailText(k, node));
}
