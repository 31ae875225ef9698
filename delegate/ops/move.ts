import { ModelError, UnsupportedError } from '../errors.js';
import { newData } from '../ir/dtype.js';
import { type CpuTensor, constantInts, defineOp, type InferInput, type OpSpec, required, typed } from '../ir/op.js';
import { broadcastShapes, normalizeAxis, type Shape, sizeOf, stridesOf } from '../ir/shape.js';
import type { MirrorPadMode } from '../ir/vocabulary.js';
import { haveOneScale } from './elementwise.js';
import { broadcastStrides, copyStrided, filled, gatherStrided } from './strided.js';

interface AxisAttrs {
  readonly axis: number;
}
const at = (inputs: readonly (InferInput | undefined)[], i: number): number[] | undefined =>
  constantInts(required(inputs, i));
const rankOf = (x: { readonly shape: Shape }): number => x.shape.length;

/** An op that gives its input's values under another shape. */
function shapeOnly<A>(
  type: string,
  shape: (inputs: readonly (InferInput | undefined)[], attrs: A) => Shape | undefined,
): OpSpec {
  return defineOp<A>({
    type,
    infer(inputs, attrs) {
      const to = shape(inputs, attrs);
      const x = required(inputs, 0);
      if (to && sizeOf(to) !== sizeOf(x.shape))
        throw new ModelError('shape', `[${x.shape}] has ${sizeOf(x.shape)} elements, [${to}] has ${sizeOf(to)}`);
      return [to && { ...x, shape: to }];
    },
    cpu: (inputs) => [required(inputs, 0).data],
  });
}

function reshaped(
  inputs: readonly (InferInput | undefined)[],
  { newShape }: { readonly newShape?: readonly number[] },
): Shape | undefined {
  const tensor = inputs[1];
  if (tensor && !tensor.data) return undefined;
  const wanted = constantInts(tensor) ?? newShape ?? [];
  const target = wanted.length === 1 && wanted[0] === 0 ? [] : wanted;
  const unknown = target.indexOf(-1);
  if (unknown < 0) return target;
  const known = target.reduce((product, d) => (d === -1 ? product : product * d), 1);
  const size = sizeOf(required(inputs, 0).shape);
  if (known !== 0 && size % known)
    throw new ModelError('shape', `${size} elements of [${required(inputs, 0).shape}] do not fill [${target}]`);
  return target.map((d, i) => (i === unknown ? (known === 0 ? 0 : size / known) : d));
}

function squeezed(
  inputs: readonly (InferInput | undefined)[],
  { squeezeDims }: { readonly squeezeDims?: readonly number[] },
): Shape {
  const { shape } = required(inputs, 0);
  const drop = new Set((squeezeDims ?? []).map((d) => normalizeAxis(d, shape.length)));
  return shape.filter((d, i) => (drop.size ? !drop.has(i) : d !== 1));
}

function expanded(inputs: readonly (InferInput | undefined)[]): Shape | undefined {
  const { shape } = required(inputs, 0);
  const axis = at(inputs, 1);
  if (!axis) return undefined;
  const i = normalizeAxis(axis[0]!, shape.length + 1);
  return [...shape.slice(0, i), 1, ...shape.slice(i)];
}

/** A strided walk over an input. */
export interface Walk {
  readonly dims: Shape;
  readonly strides: readonly number[];
  readonly offset?: number;
  /** The output's shape where it is not `dims`. */
  readonly shape?: Shape;
}
function walked(
  type: string,
  walk: (inputs: readonly (InferInput | undefined)[], attrs: never) => Walk | undefined,
): OpSpec {
  return defineOp<never>({
    type,
    infer(inputs, attrs) {
      const w = walk(inputs, attrs);
      return [w && { ...required(inputs, 0), shape: w.shape ?? w.dims }];
    },
    cpu(inputs, attrs) {
      const { dims, strides, offset } = walk(inputs, attrs)!;
      return [gatherStrided(required(inputs, 0), dims, strides, offset)];
    },
  });
}

function transposed(inputs: readonly (InferInput | undefined)[]): Walk | undefined {
  const { shape } = required(inputs, 0);
  const perm = at(inputs, 1);
  if (!perm) return undefined;
  const axes = perm.map((p) => normalizeAxis(p, shape.length));
  if (perm.length !== shape.length || new Set(axes).size !== shape.length)
    throw new ModelError('perm', `[${perm}] is not a permutation of ${shape.length} axes`);
  const strides = stridesOf(shape);
  return { dims: axes.map((p) => shape[p]!), strides: axes.map((p) => strides[p]!) };
}

function tiled(inputs: readonly (InferInput | undefined)[]): Walk | undefined {
  const { shape } = required(inputs, 0);
  const multiples = at(inputs, 1);
  if (!multiples) return undefined;
  const strides = stridesOf(shape);
  return {
    dims: shape.flatMap((d, i) => [multiples[i]!, d]),
    strides: strides.flatMap((s) => [0, s]),
    shape: shape.map((d, i) => d * multiples[i]!),
  };
}

function broadcastTo(inputs: readonly (InferInput | undefined)[]): Walk | undefined {
  const { shape } = required(inputs, 0);
  const target = at(inputs, 1);
  if (!target) return undefined;
  broadcastShapes(shape, target);
  return { dims: target, strides: broadcastStrides(shape, target) };
}

function sliced(inputs: readonly (InferInput | undefined)[]): Walk | undefined {
  const { shape } = required(inputs, 0);
  const [begin, size] = [at(inputs, 1), at(inputs, 2)];
  if (!begin || !size) return undefined;
  const dims = shape.map((d, i) => (size[i] === -1 ? d - begin[i]! : size[i]!));
  dims.forEach((d, i) => {
    if (begin[i]! < 0 || d < 0 || begin[i]! + d > shape[i]!)
      throw new ModelError('slice', `begin [${begin}] and size [${size}] leave [${shape}]`);
  });
  const strides = stridesOf(shape);
  return { dims, strides, offset: dot(begin, strides) };
}

function reversed(inputs: readonly (InferInput | undefined)[]): Walk | undefined {
  const { shape } = required(inputs, 0);
  const axes = at(inputs, 1);
  if (!axes) return undefined;
  const flip = new Set(axes.map((a) => normalizeAxis(a, shape.length)));
  const strides = stridesOf(shape);
  return {
    dims: shape,
    strides: strides.map((s, i) => (flip.has(i) ? -s : s)),
    offset: shape.reduce((sum, d, i) => sum + (flip.has(i) ? (d - 1) * strides[i]! : 0), 0),
  };
}

interface BlockAttrs {
  readonly blockSize: number;
}
function spaceToDepth(inputs: readonly (InferInput | undefined)[], { blockSize: b }: BlockAttrs): Walk {
  const [n, h, w, c] = rank4(required(inputs, 0));
  if (h % b || w % b) throw new ModelError('shape', `blocks of ${b} do not divide ${h}x${w}`);
  return {
    dims: [n, h / b, w / b, b, b, c],
    strides: [h * w * c, b * w * c, b * c, w * c, c, 1],
    shape: [n, h / b, w / b, b * b * c],
  };
}
function depthToSpace(inputs: readonly (InferInput | undefined)[], { blockSize: b }: BlockAttrs): Walk {
  const [n, h, w, c] = rank4(required(inputs, 0));
  const d = c / (b * b);
  if (!Number.isInteger(d)) throw new ModelError('shape', `${c} channels do not divide into blocks of ${b}`);
  return { dims: [n, h, b, w, b, d], strides: [h * w * c, w * c, b * d, c, d, 1], shape: [n, h * b, w * b, d] };
}
function rank4({ shape }: { readonly shape: Shape }): [number, number, number, number] {
  if (shape.length !== 4) throw new ModelError('shape', `[${shape}] has rank ${shape.length}; accepted: 4`);
  return shape as unknown as [number, number, number, number];
}
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/** Attributes of STRIDED_SLICE; bit i of a mask is about the i-th entry of begin, end and strides. */
export interface StridedSliceAttrs {
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
  readonly offset: boolean;
}

/** The walk of a STRIDED_SLICE; new_axis beats shrink on one bit, with `offset` the end counts from begin, crossed bounds are empty. */
export function stridedSliceWalk(
  shape: Shape,
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[],
  a: StridedSliceAttrs,
): Required<Walk> {
  const dense = stridesOf(shape);
  const dims: number[] = [];
  const steps: number[] = [];
  const keep: boolean[] = [];
  const has = (mask: number, i: number) => ((mask >> i) & 1) === 1;
  const isNew = (i: number) => has(a.newAxisMask, i) && !has(a.ellipsisMask, i);
  const added = begin.filter((_, i) => isNew(i)).length;
  const consumed = begin.filter((_, i) => !isNew(i) && !has(a.ellipsisMask, i)).length;
  let dim = 0;
  let offset = 0;
  const whole = (count: number) => {
    for (let i = 0; i < count; i++, dim++) push(shape[dim]!, dense[dim]!, true);
  };
  const push = (size: number, step: number, kept: boolean) => {
    dims.push(size);
    steps.push(step);
    keep.push(kept);
  };
  for (const [i, b] of begin.entries()) {
    if (dims.length >= shape.length + added) break;
    // Where nothing is left for it, TFLite still gives the ellipsis one dimension, and drops the entries too many.
    if (has(a.ellipsisMask, i)) {
      whole(Math.max(1, shape.length - consumed));
      continue;
    }
    if (isNew(i)) {
      push(1, 0, true);
      continue;
    }
    const size = shape[dim]!;
    const step = strides[i]!;
    if (step === 0) throw new ModelError('stride', `stride 0 along axis ${dim}; accepted: any other`);
    const shrink = has(a.shrinkAxisMask, i);
    const wrap = (v: number) => (v < 0 ? v + size : v);
    const clampTo = (v: number) => (step > 0 ? Math.min(Math.max(v, 0), size) : Math.min(Math.max(v, -1), size - 1));
    const from = has(a.beginMask, i) && !shrink ? (step > 0 ? 0 : size - 1) : clampTo(wrap(b));
    const rawEnd = a.offset ? b + end[i]! : end[i]!;
    const to = has(a.endMask, i)
      ? step > 0
        ? size
        : -1
      : clampTo(a.offset ? (b < 0 ? b + size : b) + end[i]! : wrap(rawEnd));
    if (shrink && (from < 0 || from >= size))
      throw new ModelError('slice', `index ${b} along axis ${dim} of [${shape}]`);
    offset += from * dense[dim]!;
    push(shrink ? 1 : Math.max(0, Math.ceil((to - from) / step)), step * dense[dim]!, !shrink);
    dim++;
  }
  whole(shape.length - dim);
  return { dims, strides: steps, offset, shape: dims.filter((_, i) => keep[i]) };
}

function stridedSliced(inputs: readonly (InferInput | undefined)[], attrs: StridedSliceAttrs): Walk | undefined {
  const [begin, end, strides] = [at(inputs, 1), at(inputs, 2), at(inputs, 3)];
  return begin && end && strides ? stridedSliceWalk(required(inputs, 0).shape, begin, end, strides, attrs) : undefined;
}

/** An op with several outputs that are sections of its input along an axis. */
function sections<A>(
  type: string,
  input: number,
  parts: (
    inputs: readonly (InferInput | undefined)[],
    attrs: A,
    count: number,
  ) => { axis: number; sizes: readonly number[]; keep: boolean } | undefined,
): OpSpec {
  return defineOp<A>({
    type,
    infer(inputs, attrs, outputs) {
      const p = parts(inputs, attrs, outputs.length);
      const x = required(inputs, input);
      if (!p) return outputs.map(() => undefined);
      return p.sizes.map((s) => ({ ...x, shape: x.shape.flatMap((d, i) => (i !== p.axis ? [d] : p.keep ? [s] : [])) }));
    },
    cpu(inputs, attrs, outputs) {
      const { axis, sizes } = parts(inputs, attrs, outputs.length)!;
      const x = required(inputs, input);
      const strides = stridesOf(x.shape);
      let start = 0;
      return sizes.map((size) => {
        const data = gatherStrided(
          x,
          x.shape.map((d, i) => (i === axis ? size : d)),
          strides,
          start * strides[axis]!,
        );
        start += size;
        return data;
      });
    },
  });
}

/** Puts inputs side by side along an axis; `shapeOf` is the shape that an input has in the result. */
function joined(type: string, shapeOf: (x: InferInput, axis: number) => Shape, rankPlus: 0 | 1): OpSpec {
  const place = (inputs: readonly (InferInput | undefined)[], { axis }: AxisAttrs) => {
    const all = inputs.map((_, i) => required(inputs, i));
    const i = normalizeAxis(axis, rankOf(all[0]!) + rankPlus);
    const shapes = all.map((x) => shapeOf(x, i));
    const [first] = shapes as [Shape];
    for (const s of shapes)
      if (s.length !== first.length || s.some((d, k) => k !== i && d !== first[k]))
        throw new ModelError('shape', `[${s}] and [${first}] do not join along axis ${i}`);
    return { all, i, shapes, shape: first.map((d, k) => (k === i ? shapes.reduce((sum, s) => sum + s[i]!, 0) : d)) };
  };
  return defineOp<AxisAttrs>({
    type,
    infer: (inputs, attrs, outputs) => [
      { ...outputs[0], dtype: required(inputs, 0).dtype, shape: place(inputs, attrs).shape },
    ],
    cpu(inputs, attrs) {
      const { all, i, shapes, shape } = place(inputs, attrs);
      if (!haveOneScale(all)) throw new UnsupportedError(`${type}: quantised operands of different scales`);
      const out = newData(required(inputs, 0).dtype, sizeOf(shape));
      const strides = stridesOf(shape);
      let start = 0;
      inputs.forEach((x, k) => {
        copyStrided(x!, shapes[k]!, stridesOf(shapes[k]!), 0, out, strides, start * strides[i]!);
        start += shapes[k]![i]!;
      });
      return [out];
    },
  });
}

const padsOf = (inputs: readonly (InferInput | undefined)[]): { lo: number[]; hi: number[] } | undefined => {
  const flat = at(inputs, 1);
  if (!flat) return undefined;
  if (flat.some((p) => p < 0)) throw new ModelError('padding', `paddings [${flat}]; accepted: 0 or more`);
  return { lo: flat.filter((_, i) => i % 2 === 0), hi: flat.filter((_, i) => i % 2 === 1) };
};
function padShape(inputs: readonly (InferInput | undefined)[]): Shape | undefined {
  const pads = padsOf(inputs);
  return pads && required(inputs, 0).shape.map((d, i) => d + pads.lo[i]! + pads.hi[i]!);
}
const padOp = (type: string): OpSpec =>
  defineOp({
    type,
    infer: (inputs) => {
      const shape = padShape(inputs);
      return [shape && { ...required(inputs, 0), shape }];
    },
    cpu(inputs, _attrs, [output]) {
      const x = required(inputs, 0);
      const zero = x.quantization?.zeroPoints[0] ?? 0;
      const big = x.dtype === 'int64' || x.dtype === 'uint64';
      const value =
        inputs[2]?.data ??
        (big ? BigInt64Array.of(BigInt(zero)) : Float64Array.of(x.dtype === 'float32' ? 0 : zero, 0));
      const out = filled(x.dtype, sizeOf(output!.shape), value);
      const strides = stridesOf(output!.shape);
      copyStrided(x, x.shape, stridesOf(x.shape), 0, out, strides, dot(padsOf(inputs)!.lo, strides));
      return [out];
    },
  });

const mirrorPad: OpSpec = defineOp<{ readonly mode: MirrorPadMode }>({
  type: 'MIRROR_PAD',
  infer: (inputs) => {
    const shape = padShape(inputs);
    return [shape && { ...required(inputs, 0), shape }];
  },
  cpu(inputs, { mode }, [output]) {
    const { lo } = padsOf(inputs)!;
    const edge = mode === 'SYMMETRIC' ? 1 : 0;
    let x: CpuTensor = required(inputs, 0);
    output!.shape.forEach((size, axis) => {
      const d = x.shape[axis]!;
      const index = Array.from({ length: size }, (_, i) => i - lo[axis]!).map((i) =>
        i < 0 ? -i - edge : i >= d ? 2 * d - 2 - i + edge : i,
      );
      x = { ...x, shape: x.shape.map((s, i) => (i === axis ? size : s)), data: takeAlong(x, axis, index) };
    });
    return [x.data];
  },
});

/** Slices of x along an axis, in the order of `index`. */
export function takeAlong(x: CpuTensor, axis: number, index: readonly number[]): CpuTensor['data'] {
  const shape = x.shape.map((d, i) => (i === axis ? index.length : d));
  const out = newData(x.dtype, sizeOf(shape));
  const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
  const one = x.shape.map((d, i) => (i === axis ? 1 : d));
  for (const [i, j] of index.entries()) copyStrided(x, one, from, j * from[axis]!, out, to, i * to[axis]!);
  return out;
}

/** Ops whose output is a strided walk over their first input; `undefined` where parameters are not known yet. */
export const WALKS: Readonly<
  Record<string, (inputs: readonly (InferInput | undefined)[], attrs: never) => Walk | undefined>
> = {
  TRANSPOSE: transposed,
  TILE: tiled,
  BROADCAST_TO: broadcastTo,
  SLICE: sliced,
  STRIDED_SLICE: stridedSliced,
  REVERSE_V2: reversed,
  SPACE_TO_DEPTH: spaceToDepth,
  DEPTH_TO_SPACE: depthToSpace,
};

/** Ops that only move elements, of any type. */
export const moveOps: readonly OpSpec[] = [
  ...Object.entries(WALKS).map(([type, walk]) => walked(type, walk)),
  shapeOnly('RESHAPE', reshaped),
  shapeOnly('SQUEEZE', squeezed),
  shapeOnly('EXPAND_DIMS', expanded),
  sections('SPLIT', 1, (inputs, _attrs, count) => {
    const axes = at(inputs, 0);
    const x = required(inputs, 1);
    if (!axes) return undefined;
    const axis = normalizeAxis(axes[0]!, rankOf(x));
    if (x.shape[axis]! % count)
      throw new ModelError('shape', `axis ${axis} of [${x.shape}] does not split into ${count}`);
    return { axis, sizes: Array.from({ length: count }, () => x.shape[axis]! / count), keep: true };
  }),
  sections('SPLIT_V', 0, (inputs) => {
    const [sizes, axes] = [at(inputs, 1), at(inputs, 2)];
    const x = required(inputs, 0);
    if (!sizes || !axes) return undefined;
    const axis = normalizeAxis(axes[0]!, rankOf(x));
    const rest = x.shape[axis]! - sizes.reduce((sum, s) => sum + Math.max(s, 0), 0);
    const found = sizes.map((s) => (s === -1 ? rest : s));
    if (rest < 0 || found.reduce((a, b) => a + b, 0) !== x.shape[axis])
      throw new ModelError('shape', `sizes [${sizes}] do not fill axis ${axis} of [${x.shape}]`);
    return { axis, sizes: found, keep: true };
  }),
  sections<AxisAttrs>('UNPACK', 0, (inputs, attrs, count) => {
    const x = required(inputs, 0);
    const axis = normalizeAxis(attrs.axis, rankOf(x));
    if (x.shape[axis] !== count)
      throw new ModelError('shape', `axis ${axis} of [${x.shape}] does not unpack into ${count}`);
    return { axis, sizes: Array.from({ length: count }, () => 1), keep: false };
  }),
  joined('CONCATENATION', ({ shape }) => shape, 0),
  joined('PACK', ({ shape }, axis) => [...shape.slice(0, axis), 1, ...shape.slice(axis)], 1),
  padOp('PAD'),
  padOp('PADV2'),
  mirrorPad,
];

/** SHAPE and RANK follow from the input's type alone. */
export const shapeOps: readonly OpSpec[] = [
  defineOp<{ readonly outType?: string }>({
    type: 'SHAPE',
    infer: (inputs, _attrs, outputs) => [
      typed([rankOf(required(inputs, 0))], outputs[0]?.dtype === 'int64' ? 'int64' : 'int32'),
    ],
    cpu: (inputs, _attrs, [output]) => {
      const { shape } = required(inputs, 0);
      return [output!.dtype === 'int64' ? BigInt64Array.from(shape, BigInt) : Int32Array.from(shape)];
    },
  }),
  defineOp({
    type: 'RANK',
    infer: () => [typed([], 'int32')],
    cpu: (inputs) => [Int32Array.of(rankOf(required(inputs, 0)))],
  }),
  defineOp({
    type: 'BROADCAST_ARGS',
    infer: (inputs) => [
      typed(
        [Math.max(sizeOf(required(inputs, 0).shape), sizeOf(required(inputs, 1).shape))],
        required(inputs, 0).dtype,
      ),
    ],
    cpu: (inputs, _attrs, [output]) => {
      const shape = broadcastShapes(constantInts(inputs[0])!, constantInts(inputs[1])!);
      return [output!.dtype === 'int64' ? BigInt64Array.from(shape, BigInt) : Int32Array.from(shape)];
    },
  }),
];
