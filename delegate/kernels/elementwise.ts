import { UnsupportedError } from '../errors.js';
import type { DType } from '../ir/dtype.js';
import { isQuantized, type Node, quoted, type TailStep, type Value } from '../ir/graph.js';
import { vectorBlock } from '../layout/weights.js';
import type { Kernel } from '../shader/kernel.js';
import { type BuildContext, builderFor, type GpuForm } from './form.js';
import { pointwise, pointwiseTypes } from './pointwise.js';
import { canBeOperand, channelVector, copyText, tailText } from './tail.js';

/** Element types of what is stored in another form than float32. */
const CONVERSIONS: Readonly<Record<string, readonly DType[]>> = {
  DEQUANTIZE: ['float16', 'int8', 'uint8', 'int16'],
  QUANTIZE: ['float16', 'int8', 'uint8', 'int16'],
};

/** A pointwise node is a copy of its first operand with itself as the first step of the tail. */
export const elementwiseForms: readonly GpuForm[] = pointwiseTypes.map((type) => ({
  type,
  dtypes: CONVERSIONS[type] ?? ['bool'],
  declines: (node) => {
    const output = node.outputs[0]!;
    const odd = node.inputs.find((v) => v && !canBeOperand(v, output));
    if (odd) return `[${odd.shape}] does not broadcast to [${output.shape}] on the GPU`;
    return type in CONVERSIONS ? moreScales([...node.inputs, output]) : undefined;
  },
  build: (node, context) => [elementwise(node, context)],
}));

function moreScales(values: readonly (Value | undefined)[]): string | undefined {
  const value = values.find((v) => v && isQuantized(v) && v.quantization!.scales.length !== 1);
  return value && `${quoted(value.name)} has ${value.quantization!.scales.length} scales; the GPU takes 1`;
}

function elementwise(node: Node, context: BuildContext) {
  const form = pointwise(node.type, node.attrs);
  if (!form) throw new UnsupportedError(`${node.type} is not pointwise`);
  const own: TailStep =
    form.operands === 2
      ? { type: node.type, attrs: node.attrs, operand: node.inputs[1]! }
      : { type: node.type, attrs: node.attrs };
  const steps = [own, ...(node.tail ?? [])];
  const k = builderFor({ ...node, tail: [...steps, { ...own, operand: node.inputs[0]! }] }, context);
  const body = copyText(k, node.inputs[0]!, node.outputs[0]!);
  return k.finish(node.type.toLowerCase(), body, 0, tailText(k, node, steps));
}

/** The draw that copies a value to another one of its shape. */
export function copyKernel(node: Node, context: BuildContext, from: Value, to: Value): Kernel {
  const vector = channelVector(from, to);
  const k = builderFor({ ...node, tail: [] }, context, vector ? [vectorBlock(vector)] : [], to);
  return k.finish('copy', copyText(k, from, to), 0);
}
