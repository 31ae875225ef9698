import { ModelError } from '../errors.js';
import { constantInts, defineOp, type InferInput, type OpSpec, required } from '../ir/op.js';
import { broadcastShapes, normalizeAxis, type Shape, stridesOf } from '../ir/shape.js';
import { broadcastStrides, dot, gatherStrided } from './strided.js';

const at = (inputs: readonly (InferInput | undefined)[], i: number): number[] | undefined =>
  constantInts(required(inputs, i));

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
    picks: true,
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
  const kept: number[] = [];
  const has = (mask: number, i: number) => ((mask >> i) & 1) === 1;
  const isNew = (i: number) => has(a.newAxisMask, i) && !has(a.ellipsisMask, i);
  const added = begin.filter((_, i) => isNew(i)).length;
  const consumed = begin.filter((_, i) => !isNew(i) && !has(a.ellipsisMask, i)).length;
  let dim = 0;
  let offset = 0;
  const whole = (count: number) => {
    for (let i = 0; i < count; i++, dim++) push(shape[dim]!, dense[dim]!, true);
  };
  const push = (size: number, step: number, keep: boolean) => {
    dims.push(size);
    steps.push(step);
    if (keep) kept.push(size);
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
    const to = has(a.endMask, i) ? (step > 0 ? size : -1) : clampTo(a.offset ? wrap(b) + end[i]! : wrap(end[i]!));
    if (shrink && (from < 0 || from >= size))
      throw new ModelError('slice', `index ${b} along axis ${dim} of [${shape}]`);
    offset += from * dense[dim]!;
    push(shrink ? 1 : Math.max(0, Math.ceil((to - from) / step)), step * dense[dim]!, !shrink);
    dim++;
  }
  whole(shape.length - dim);
  return { dims, strides: steps, offset, shape: kept };
}

function stridedSliced(inputs: readonly (InferInput | undefined)[], attrs: StridedSliceAttrs): Walk | undefined {
  const [begin, end, strides] = [at(inputs, 1), at(inputs, 2), at(inputs, 3)];
  return begin && end && strides ? stridedSliceWalk(required(inputs, 0).shape, begin, end, strides, attrs) : undefined;
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
export const moveOps: readonly OpSpec[] = Object.entries(WALKS).map(([type, walk]) => walked(type, walk));
