import { integerRange } from '../ir/dtype.js';
import type { Node, TailStep, Value } from '../ir/graph.js';
import { isQuantized, readsOf, stepsOf } from '../ir/graph.js';
import { constantInts } from '../ir/op.js';
import { normalizeAxis, sameShape, sizeOf, stridesOf } from '../ir/shape.js';
import { forms } from '../kernels/index.js';
import { pointwise } from '../kernels/pointwise.js';
import { canBeOperand } from '../kernels/tail.js';
import { type WindowAttrs, windowOf } from '../kernels/window.js';
import { SHAPE_ONLY } from '../ops/reshape.js';
import { gatherStrided } from '../ops/strided.js';
import type { Editor } from './editor.js';
import { canMake } from './moves.js';
import type { Pass } from './pass.js';

const CONVOLUTIONS = new Set(['CONV_2D', 'DEPTHWISE_CONV_2D']);
const POOLS = new Set(['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'L2_POOL_2D']);
/** Pixels of a pool's window up to which its kernel has a text that takes padding. */
const LARGEST_POOL = 9;

/** PAD of height and width becomes padding of the convolution or pool that reads it. */
export const foldPad: Pass = {
  name: 'fold-pad-into-window',
  at(node, edit) {
    const isPool = POOLS.has(node.type);
    if (!isPool && !CONVOLUTIONS.has(node.type)) return;
    const [x] = node.inputs;
    const pad = x && edit.producer(x);
    const filter = filterSizeOf(node);
    if (!x || pad?.type !== 'PAD' || pad.tail?.length || !filter) return;
    const amounts = constantInts(pad.inputs[1]);
    if (amounts?.length !== 8) return { declined: 'the paddings are not constant' };
    const [n0, n1, top, bottom, left, right, c0, c1] = amounts as number[] & { length: 8 };
    if (n0 || n1 || c0 || c1) return { declined: 'it pads batch or channels' };
    const [, h, w] = x.shape as [number, number, number, number];
    const attrs = node.attrs as unknown as WindowAttrs;
    const { before } = windowOf(attrs, filter, h, w);
    const after = attrs.pads ? [attrs.pads[1]!, attrs.pads[3]!] : [0, 0];
    const pads = [before[0] + top!, after[0]! + bottom!, before[1] + left!, after[1]! + right!];
    // The zeros of PAD take part in a pool, its own padding does not: one kernel has one of both.
    if (isPool && (attrs.padding !== 'VALID' || attrs.pads)) return { declined: 'the pool has padding of its own' };
    if (isPool && filter[0] * filter[1] > LARGEST_POOL) return { declined: 'the window is too large' };
    const padded = isPool ? { pads, padValue: 0 } : { pads };
    edit.replace(node, [
      { ...node, attrs: { ...node.attrs, ...padded }, inputs: [pad.inputs[0], ...node.inputs.slice(1)] },
    ]);
    if (edit.readers(x).size === 0 && !edit.isOutput(x)) edit.replace(pad, []);
    return 'rewritten';
  },
};

function filterSizeOf({ attrs, inputs: [, filter] }: Node): readonly [number, number] | undefined {
  if (filter) return [filter.shape[1]!, filter.shape[2]!];
  return typeof attrs.filterHeight === 'number' ? [attrs.filterHeight, Number(attrs.filterWidth)] : undefined;
}

/** A constant that repeats along dimensions, where the other operand has them, is stored once and broadcast: a mean per pixel. */
export const shrinkOperand: Pass = {
  name: 'shrink-operand',
  at(node, edit) {
    const [output] = node.outputs;
    if (!output || node.inputs.length !== 2 || pointwise(node.type, node.attrs)?.operands !== 2) return;
    const at = node.inputs.findIndex((v) => v?.data && v.dtype === 'float32');
    const constant = node.inputs[at];
    const other = node.inputs[1 - at];
    if (!constant || !other || !sameShape(other.shape, output.shape)) return;
    const { shape } = constant;
    const data = constant.data as Float32Array;
    const kept = shape.map((d, axis) => (repeats(data, d, sizeOf(shape.slice(axis + 1))) ? 1 : d));
    if (sizeOf(kept) === data.length) return;
    const small: Value = {
      ...constant,
      id: -1,
      shape: kept,
      data: gatherStrided({ ...constant, data }, kept, stridesOf(shape)),
    };
    const inputs = at === 0 ? [small, other] : [other, small];
    edit.replace(node, [{ ...node, inputs }]);
    return 'rewritten';
  },
};

/** Whether data is the same all along a dimension of that size and stride. */
function repeats(data: Float32Array, size: number, stride: number): boolean {
  if (size < 2) return false;
  const block = size * stride;
  for (let i = 0; i < data.length; i++) if (!Object.is(data[i], data[i - ((i % block) - (i % stride))])) return false;
  return true;
}

/** Conversions get as attributes what their kernels take from the quantised tensor: those of a tail have none. */
export const nameGrid: Pass = {
  name: 'name-grid',
  at(node, edit) {
    if ((node.type !== 'QUANTIZE' && node.type !== 'DEQUANTIZE') || node.attrs.scale !== undefined) return;
    const stored = [node.inputs[0]!, node.outputs[0]!].find(isQuantized);
    if (!stored) return;
    const { scales, zeroPoints } = stored.quantization!;
    const [least, greatest] = integerRange(stored.dtype)!.map(Number);
    const grid = { scale: scales[0], zeroPoint: zeroPoints[0] ?? 0, least, greatest };
    edit.replace(node, [{ ...node, attrs: { ...node.attrs, ...grid } }]);
    return 'rewritten';
  },
};

/** FULLY_CONNECTED of a flattened image reads it where it is: its kernel is a convolution with a filter of that size. */
export const foldFlatten: Pass = {
  name: 'fold-flatten-into-fully-connected',
  at(node, edit) {
    const [x, filter] = node.inputs;
    const flatten = x && edit.producer(x);
    const image = flatten?.inputs[0];
    if (node.type !== 'FULLY_CONNECTED' || !SHAPE_ONLY.has(flatten?.type ?? '') || flatten?.tail?.length) return;
    if (!image || image.data || !filter?.data || image.shape.length !== 4) return;
    const [n, h, w, c] = image.shape as [number, number, number, number];
    if (n !== 1 || h * w === 1 || filter.shape[1] !== h * w * c) return;
    if (h * w > LARGEST_FLATTENED) return { declined: `${h}x${w} taps are too many for one loop` };
    edit.replace(node, [{ ...node, inputs: [image, ...node.inputs.slice(1)] }]);
    if (edit.readers(x!).size === 0 && !edit.isOutput(x!)) edit.replace(flatten!, []);
    return 'rewritten';
  },
};

/** Pixels of an image that a fully connected layer reads in one loop. */
const LARGEST_FLATTENED = 256;

/** Textures that one draw may read; a device has at least 16 units and one is the arena's. */
const MOST_READS = 10;
/** Steps of one tail: a chain of pointwise ops without end would be a text without end. */
const MOST_STEPS = 32;
/**
 * A pointwise node whose tail meets its own input again, as in x · sigmoid(x), becomes a step of what makes that input:
 * the way round is a branch of the step.
 */
export const fuseBranch: Pass = {
  name: 'fuse-branch',
  at(node, edit) {
    const form = pointwise(node.type, node.attrs);
    const output = node.outputs[0];
    if (!form || !output || output.dtype !== 'float32' || !node.tail) return;
    for (const [i, x] of node.inputs.entries()) {
      const producer = x && edit.producer(x);
      const meets = node.tail.findIndex((step) => step.operand === x);
      if (!x || !producer || meets < 0) continue;
      const others = node.inputs.filter((_, j) => j !== i);
      const rest = [...others, ...node.tail.filter((_, j) => j !== meets).map((step) => step.operand)];
      if (rest.includes(x)) return { declined: 'it reads its input more than twice' };
      const reason = refusal({ ...node, tail: [] }, producer, i, form.operands, (v) => edit.readOnlyBy(v, node));
      if (reason) return { declined: reason };
      const own: TailStep = { type: node.type, attrs: node.attrs };
      if (form.operands === 2) Object.assign(own, { operand: others[0], flipped: i === 1 });
      const step = node.tail[meets]!;
      const meeting: TailStep = {
        type: step.type,
        attrs: step.attrs,
        branch: [own, ...node.tail.slice(0, meets)],
        flipped: !step.flipped,
      };
      const tail = [...(producer.tail ?? []), meeting, ...node.tail.slice(meets + 1)];
      if (new Set(readsOf({ ...producer, tail })).size > MOST_READS)
        return { declined: `a draw reads at most ${MOST_READS} tensors` };
      edit.replace(producer, []);
      edit.replace(node, [{ ...producer, outputs: [output], tail }]);
      return 'rewritten';
    }
    return;
  },
};

const SUMS = new Set(['MEAN', 'SUM']);

/** A sum of squared differences from a mean is one reduction with that mean as its third input: the variance. */
export const fuseVariance: Pass = {
  name: 'fuse-variance',
  at(node, edit) {
    const [squares, axes, centre] = node.inputs;
    const producer = squares && edit.producer(squares);
    if (!SUMS.has(node.type) || centre || producer?.type !== 'SQUARED_DIFFERENCE' || producer.tail?.length) return;
    const reduced = constantInts(axes)?.map((axis) => normalizeAxis(axis, squares!.shape.length));
    if (!reduced) return { declined: 'the axes are not constant' };
    const kept = squares!.shape.map((d, i) => (reduced.includes(i) ? 1 : d));
    const at = producer.inputs.findIndex((v) => v && sameShape(v.shape, kept));
    const x = producer.inputs[1 - at];
    if (at < 0 || !x || x.data || !sameShape(x.shape, squares!.shape))
      return { declined: 'the difference is not from one value for each result' };
    if (squares!.dtype !== 'float32') return { declined: `it is ${squares!.dtype}` };
    if (!sameShape(node.outputs[0]!.shape, kept) || kept.length > 4)
      return { declined: 'reduced dimensions are dropped, or there are more than 4' };
    if (!edit.readOnlyBy(squares!, node)) return { declined: `"${squares!.name}" is read elsewhere` };
    edit.replace(node, [{ ...node, inputs: [x, axes, producer.inputs[at]] }]);
    edit.replace(producer, []);
    return 'rewritten';
  },
};

/** True for numbers that pointwise steps compute with: floats, and the integers that QUANTIZE and DEQUANTIZE convert. */
function isReal(value: Value): boolean {
  return value.dtype === 'float32' || isQuantized(value);
}

/** PAD of channels before ADD: the sum takes the unpadded tensor, whose missing channels add nothing. */
export const foldPadIntoTail: Pass = {
  name: 'fold-pad-into-tail',
  at(node, edit) {
    const index =
      node.tail?.findIndex((step) => step.type === 'ADD' && !step.padded && isPad(step.operand, edit)) ?? -1;
    const step = node.tail?.[index];
    if (!step?.operand) return;
    const pad = edit.producer(step.operand)!;
    const x = pad.inputs[0]!;
    const amounts = constantInts(pad.inputs[1]);
    const rank = x.shape.length;
    if (!amounts || amounts.some((amount, i) => amount !== 0 && i !== 2 * rank - 1))
      return { declined: 'it pads more than the end of the channels' };
    const tail = node.tail!.map((s, i) => (i === index ? { ...s, operand: x, padded: true } : s));
    edit.replace(node, [{ ...node, tail }]);
    if (edit.readers(step.operand).size === 0 && !edit.isOutput(step.operand)) edit.replace(pad, []);
    return 'rewritten';
  },
};

function isPad(value: Value | undefined, edit: Editor): boolean {
  const producer = value && edit.producer(value);
  return producer?.type === 'PAD' && !producer.tail?.length && !producer.inputs[0]?.data;
}

/** A pointwise node becomes the last step of the draw that makes its input. */
export const fuseTail: Pass = {
  name: 'fuse-tail',
  at(node, edit) {
    const form = pointwise(node.type, node.attrs);
    const [output] = node.outputs;
    if (!form || !output || !isReal(output) || node.inputs.length < form.operands) return;
    const reasons: string[] = [];
    const candidates = [0, 1].slice(0, form.operands).flatMap((i) => {
      const producer = node.inputs[i] && edit.producer(node.inputs[i]!);
      if (!producer) return [];
      const reason = refusal(node, producer, i, form.operands, (v) => edit.readOnlyBy(v, node));
      if (reason) reasons.push(reason);
      return reason ? [] : [{ i, producer }];
    });
    // A PAD may vanish into a tail (`fold-pad-into-tail`) where it carries none of its own.
    const rank = ({ producer }: { producer: Node }) =>
      edit.position(producer) - (producer.type === 'PAD' ? edit.length : 0);
    candidates.sort((a, b) => rank(b) - rank(a));
    const [best] = candidates;
    if (!best) return reasons.length ? { declined: reasons.join('; ') } : undefined;
    const { i, producer } = best;
    const step: TailStep =
      form.operands === 1
        ? { type: node.type, attrs: node.attrs }
        : { type: node.type, attrs: node.attrs, operand: node.inputs[1 - i]!, flipped: i === 1 };
    const fused: Node = {
      ...producer,
      outputs: [output],
      tail: [...(producer.tail ?? []), step, ...(node.tail ?? [])],
    };
    edit.replace(producer, []);
    edit.replace(node, [fused]);
    return 'rewritten';
  },
};

function refusal(
  node: Node,
  producer: Node,
  i: number,
  operands: 1 | 2,
  readOnlyByNode: (v: Value) => boolean,
): string | undefined {
  const x = node.inputs[i]!;
  const output = node.outputs[0]!;
  const other = operands === 2 ? node.inputs[1 - i]! : undefined;
  if (!forms.has(producer.type) || SHAPE_ONLY.has(producer.type)) return `${producer.type} takes no tail`;
  if (producer.outputs.length !== 1) return `${producer.type} has ${producer.outputs.length} outputs`;
  if (!isReal(x)) return `"${x.name}" is ${x.dtype}`;
  if (!canMake(producer, x, output)) return 'it broadcasts its input';
  if (other === x || node.tail?.some((step) => step.operand === x)) return 'it reads its input twice';
  if (!readOnlyByNode(x)) return `"${x.name}" is read elsewhere`;
  if (other && !canBeOperand(other, output)) return 'the other operand has a higher rank';
  if (stepsOf(producer.tail).length + stepsOf(node.tail).length >= MOST_STEPS)
    return `a draw takes at most ${MOST_STEPS} pointwise steps`;
  if (new Set([...readsOf(producer), ...readsOf(node)]).size > MOST_READS)
    return `a draw reads at most ${MOST_READS} tensors`;
  return undefined;
}
