import type {
  ConcatAttrs,
  MirrorPadAttrs,
  PadV2Attrs,
  SliceAttrs,
  SplitVAttrs,
  StridedSliceAttrs,
} from '@tensorflow/tfjs-core';
import { backend_util, slice_util } from '@tensorflow/tfjs-core';
import { type Shape, sameShape, type Value } from '../../../delegate/index.js';
import {
  type Call,
  constantOf,
  type Legalizations,
  numberOf,
  operand,
  operandsOf,
  reshaped,
  transposed,
  vectorOf,
} from './legalization.js';

interface ShapeAttrs {
  readonly shape: number[];
}

function expandDims(call: Call, { dim }: { readonly dim: number }): Value {
  const x = operand(call, 'input');
  const at = dim < 0 ? dim + x.shape.length + 1 : dim;
  return reshaped(call, x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Sizes that go to the end are −1, which holds for any size of the input. */
function slice(call: Call, { begin, size }: SliceAttrs): Value {
  const x = operand(call, 'x');
  const params = slice_util.parseSliceParams({ shape: [...x.shape] } as never, begin, size);
  const [from, sizes] = params as [number[], number[]];
  const open = sizes.map((n, i) => (from[i]! + n === x.shape[i] ? -1 : n));
  return call.emit('SLICE', [x, vectorOf(from), vectorOf(open)]);
}

/** Begin and end are made plain first; ends beyond the last element are left open by the mask. */
function stridedSlice(call: Call, attrs: StridedSliceAttrs): Value {
  const x = operand(call, 'x');
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
  const shape = [...x.shape];
  const info = slice_util.sliceInfo(
    shape,
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  const isOpen = (i: number) => (info.strides[i]! > 0 ? info.end[i]! >= shape[i]! : info.end[i]! < 0);
  const open = shape.reduce((mask, _, i) => (isOpen(i) ? mask | (1 << i) : mask), 0);
  const ends = info.end.map((e, i) => (isOpen(i) ? 0 : e));
  const operands = [x, vectorOf(info.begin), vectorOf(ends), vectorOf(info.strides)];
  return shapedAs(call, call.emit('STRIDED_SLICE', operands, { endMask: open }), info.finalShape);
}

function shapedAs(call: Call, x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : reshaped(call, x, shape);
}

function split(call: Call, { numOrSizeSplits, axis }: SplitVAttrs): readonly Value[] {
  const x = operand(call, 'x');
  const place = axis < 0 ? axis + x.shape.length : axis;
  const sizes = backend_util.prepareSplitSize({ shape: [...x.shape] } as never, numOrSizeSplits, place);
  const along = constantOf(Int32Array.of(place), [], 'int32');
  const numSplits = sizes.length;
  return sizes.every((size) => size === sizes[0])
    ? call.emitAll('SPLIT', [along, x], { numSplits }, numSplits)
    : call.emitAll('SPLIT_V', [x, vectorOf(sizes), along], { numSplits }, numSplits);
}

const paddingsOf = (paddings: readonly (readonly [number, number])[]): Value =>
  constantOf(Int32Array.from(paddings.flat()), [paddings.length, 2], 'int32');

function pad(call: Call, { paddings, constantValue }: PadV2Attrs): Value {
  const x = operand(call, 'x');
  const around = paddingsOf(paddings);
  return constantValue ? call.emit('PADV2', [x, around, numberOf(constantValue, x)]) : call.emit('PAD', [x, around]);
}

function mirrorPad(call: Call, { paddings, mode }: MirrorPadAttrs): Value {
  return call.emit('MIRROR_PAD', [operand(call, 'x'), paddingsOf(paddings)], { mode: mode.toUpperCase() });
}

/** TFLite reverses one axis at a time. */
function reverse(call: Call, { dims }: { readonly dims: number | number[] }): Value {
  const x = operand(call, 'x');
  const axes = [dims].flat().map((d) => (d < 0 ? d + x.shape.length : d));
  return axes.reduce((y, axis) => call.emit('REVERSE_V2', [y, vectorOf([axis])]), x);
}

/** Empty tensors say nothing in a concatenation. */
function concat(call: Call, { axis }: ConcatAttrs): Value {
  const all = operandsOf(call);
  const full = all.filter(({ shape }) => !shape.includes(0));
  return full.length > 1 ? call.emit('CONCATENATION', full, { axis }) : (full[0] ?? all[0]!);
}

function unpack(call: Call, { axis }: { readonly axis: number }): readonly Value[] {
  const x = operand(call, 'value');
  const num = x.shape.at(axis)!;
  return call.emitAll('UNPACK', [x], { num, axis }, num);
}

/** Kernels that move elements or only say their shape anew. */
export const move: Legalizations = {
  Identity: (call) => operand(call, 'x'),
  Reshape: (call, { shape }: ShapeAttrs) => reshaped(call, operand(call, 'x'), shape),
  ExpandDims: expandDims,
  Transpose: (call, { perm }: { readonly perm: number[] }) => transposed(call, operand(call, 'x'), perm),
  Tile: (call, { reps }: { readonly reps: number[] }) => call.emit('TILE', [operand(call, 'x'), vectorOf(reps)]),
  BroadcastTo: (call, { shape }: ShapeAttrs) => call.emit('BROADCAST_TO', [operand(call, 'x'), vectorOf(shape)]),
  Slice: slice,
  StridedSlice: stridedSlice,
  SplitV: split,
  Concat: concat,
  Pack: (call, { axis }: { readonly axis: number }) => {
    const all = operandsOf(call);
    return call.emit('PACK', all, { axis, valuesCount: all.length });
  },
  Unpack: unpack,
  PadV2: pad,
  MirrorPad: mirrorPad,
  Reverse: reverse,
};
