/**
 * Ops on quantised tensors become the same ops on the numbers that the integers stand for, with a DEQUANTIZE before and
 * a QUANTIZE behind: what TFLite's integer kernels compute, but for last bits. No executor knows of integer kernels.
 */
import { type Attrs, haveOneGrid, isQuantized, type Node, type TensorType, type Value } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import type { Rounding } from '../ops/convert.js';
import { ops } from '../ops/index.js';
import type { Editor } from './editor.js';
import type { Outcome, Pass } from './pass.js';

/** Gives every op real numbers, but for those that work on stored integers; a tensor is dequantised once for all readers. */
export const computeOnReals: Pass = {
  name: 'compute-on-reals',
  at(node, edit) {
    if (node.type === 'DEQUANTIZE') return shareReals(node, edit);
    const spec = ops.get(node.type);
    const isQuantize = node.type === 'QUANTIZE';
    // To 32 bits takes more than floats have.
    if (isQuantize && !isQuantized(node.outputs[0]!)) return;
    const made = isQuantize ? [] : node.outputs.filter(isQuantized);
    if (!spec || !(made.length || node.inputs.some((v) => v && isQuantized(v)))) return;
    const { onStored } = spec;
    if (typeof onStored === 'object' ? onStored.includes(node.inputs[0]!.dtype) : onStored) return;
    // Integers without a scale are moved as they are, whatever the output says that they stand for.
    const isMove = spec.picks && node.inputs.some((v) => v && v.dtype === made[0]?.dtype && !isQuantized(v));
    if (isMove) return { declined: 'it moves integers that have no scale' };
    const { weightsFormat = 'DEFAULT' } = node.attrs;
    if (node.type === 'BATCH_MATMUL' && node.outputs[0]!.dtype === 'int32')
      return { declined: 'it gives sums of integers' };
    if (weightsFormat !== 'DEFAULT') return { declined: `its weights are ${weightsFormat}` };
    const before = new Map<Value, Node>();
    const realOf = (stored: Value): Value => {
      const known = realsOf(stored, node, edit) ?? before.get(stored)?.outputs[0];
      if (known) return known;
      const { data: _, ...type } = stored;
      const real: Value = { ...type, id: -1, dtype: 'float32' };
      before.set(stored, { id: node.id, type: 'DEQUANTIZE', attrs: {}, inputs: [stored], outputs: [real] });
      return real;
    };
    const inputs = productOperands(node).map(
      (v) => v && (isQuantized(v) || isBias(node, v) ? realOf(asHybrid(v, node)) : v),
    );
    const rounding = roundingOf(node);
    const after = made.map((output): Node => {
      const real: Value = { ...output, id: -1, dtype: 'float32', name: `${output.name}/real` };
      const attrs = { ...rounding, exact: spec.picks === true && staysOnGrid(node, output) };
      return { id: node.id, type: 'QUANTIZE', attrs, inputs: [real], outputs: [output] };
    });
    const outputs = node.outputs.map((v) => after.find(({ outputs: [output] }) => output === v)?.inputs[0] ?? v);
    const attrs = { ...node.attrs, ...(isQuantize ? rounding : INTEGER_ATTRS[node.type]) };
    edit.replace(node, [...before.values(), { ...node, inputs, outputs, attrs }, ...after]);
    return 'rewritten';
  },
};

/** What ops on integers do otherwise than the same ops on floats. */
const INTEGER_ATTRS: Readonly<Record<string, Attrs>> = { RESIZE_BILINEAR: { parts: 1024 } };

/** The numbers that `stored` stands for, where a node before `node` has made them. */
function realsOf(stored: Value, node: Node, edit: Editor): Value | undefined {
  const producer = edit.producer(stored);
  if (producer?.type === 'QUANTIZE' && producer.attrs.exact) return producer.inputs[0];
  const isBefore = (reader: Node) => reader !== node && edit.position(reader) <= edit.position(node);
  const reader = [...edit.readers(stored)].find((r) => r.type === 'DEQUANTIZE' && isBefore(r));
  return reader?.outputs[0];
}

/** A DEQUANTIZE of what is dequantised already gives way to that. */
function shareReals(node: Node, edit: Editor): Outcome {
  const [stored, output] = [node.inputs[0]!, node.outputs[0]!];
  const known = isQuantized(stored) ? realsOf(stored, node, edit) : undefined;
  if (!known) return;
  if (edit.isOutput(output)) return { declined: `"${output.name}" is a graph output` };
  edit.replace(node, []);
  edit.redirect(output, known);
  return 'rewritten';
}

/** Next to float activations TFLite reads uint8 weights as int8 bytes. */
function asHybrid(value: Value, { inputs, outputs }: Node): Value {
  if (value.dtype !== 'uint8' || !value.data || [...inputs, ...outputs].some((v) => v && !v.data && isQuantized(v)))
    return value;
  const { buffer, byteOffset, length } = value.data as Uint8Array;
  return { ...value, id: -1, dtype: 'int8', data: new Int8Array(buffer, byteOffset, length) };
}

/** True where an output of an op that picks has the scale of all that it picks from. */
function staysOnGrid({ attrs, inputs }: Node, output: Value): boolean {
  const { fusedActivationFunction = 'NONE' } = attrs;
  if (fusedActivationFunction !== 'NONE' && fusedActivationFunction !== 'RELU') return false;
  return inputs.every((v) => !v || !isQuantized(v) || (v.dtype === output.dtype && haveOneGrid(v, output)));
}

/** Where ops have an input, a filter and a bias, whose integers count in steps of the product of their scales. */
const PRODUCTS: Readonly<Record<string, readonly [x: number, filter: number, bias: number]>> = {
  CONV_2D: [0, 1, 2],
  DEPTHWISE_CONV_2D: [0, 1, 2],
  FULLY_CONNECTED: [0, 1, 2],
  TRANSPOSE_CONV: [2, 1, 3],
};

/** True for a bias of integers, which `productOperands` leaves where it is no constant. */
function isBias({ type, inputs }: Node, value: Value): boolean {
  const [, , bias] = PRODUCTS[type] ?? [];
  return bias !== undefined && inputs[bias] === value && /^int(32|64)$/.test(value.dtype);
}

/** The operands of a node, with the bias in real numbers. What TFLite's rounding adds up to is part of these constants. */
function productOperands(node: Node): readonly (Value | undefined)[] {
  const [x, filter, bias] = (PRODUCTS[node.type] ?? []).map((position) => node.inputs[position]);
  if (!x || !filter || !isQuantized(x) || !isQuantized(filter) || !isQuantized(node.outputs[0]!)) return node.inputs;
  const [input, output] = [scaleOf(x), scaleOf(node.outputs[0]!)];
  const { quantization } = filter;
  const isShort = x.dtype === 'int16' && bias?.dtype !== 'int32' && node.type !== 'FULLY_CONNECTED';
  const multipliers = quantization!.scales.map((scale) => (input * scale) / output).map(isShort ? shortened : Number);
  const scales = multipliers.map((multiplier) => (multiplier * output) / input);
  const integers = bias?.data as Int32Array | undefined;
  const reals =
    integers &&
    Float32Array.from(integers, (stored, c) => {
      const multiplier = multipliers[c] ?? multipliers[0]!;
      return (Number(stored) * multiplier + (x.dtype === 'int16' ? 0 : earliness(multiplier))) * output;
    });
  return node.inputs.map((v): Value | undefined => {
    if (v === filter && isShort) return { ...filter, id: -1, quantization: { ...quantization!, scales } };
    return v && v === bias && reals ? { ...v, id: -1, dtype: 'float32', data: reals } : v;
  });
}

/** The multiplier with 15 bits, as kernels with sums of 64 bits have it. */
function shortened(multiplier: number): number {
  const unit = 2 ** (Math.floor(Math.log2(multiplier)) - 14);
  return Math.round(multiplier / unit) * unit;
}

/**
 * How far below a tie TFLite rounds up, in steps of the output: it rounds twice, first to as many bits more as the
 * multiplier is below 1/2.
 */
function earliness(multiplier: number): number {
  const bits = -1 - Math.floor(Math.log2(multiplier));
  return bits > 0 ? 2 ** -(bits + 1) : 0;
}

/** Averages of stored integers: their ties are common, and the noise of floats must not decide them. */
const AVERAGES = new Set(['AVERAGE_POOL_2D', 'RESIZE_BILINEAR']);
const NOISE = 2 ** -12;

/** How TFLite rounds where no bias can hold it. */
function roundingOf({ type, inputs: [x], outputs: [output] }: Node): Rounding {
  if (!x || !output || !isQuantized(x) || !isQuantized(output)) return {};
  if (AVERAGES.has(type)) return { above: 0.5 + NOISE, below: 0.5 + NOISE, isAroundStoredZero: true };
  if ((type !== 'QUANTIZE' && type !== 'MEAN') || x.dtype === 'int16') return {};
  const count = type === 'MEAN' ? sizeOf(x.shape) / sizeOf(output.shape) : 1;
  const early = earliness(scaleOf(x) / scaleOf(output) / 2 ** Math.floor(Math.log2(count)));
  return { above: 0.5 + early, below: 0.5 - early };
}

function scaleOf({ quantization }: TensorType): number {
  return quantization!.scales[0]!;
}
