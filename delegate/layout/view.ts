import { type Shape, sizeOf, stridesOf } from '../ir/shape.js';

/**
 * A move: element [i0, i1, …] of the output is element offset + Σ ik · strides[k] of the input's dense order where
 * every ik is in [lo[k], hi[k]), else `fill`. RESHAPE, TRANSPOSE, SLICE, STRIDED_SLICE, PAD, TILE, BROADCAST_TO,
 * SPLIT, UNPACK, REVERSE, SPACE_TO_DEPTH and DEPTH_TO_SPACE all are views.
 */
export interface View {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly lo: readonly number[];
  readonly hi: readonly number[];
  readonly fill: number;
  /** Beyond [lo, hi) the tensor is mirrored instead of filled, with (1) or without (0) its edge repeated (MIRROR_PAD). */
  readonly mirror?: 0 | 1;
}

/** The view with every element in range. */
export function view(dims: readonly number[], strides: readonly number[], offset = 0): View {
  return { dims, strides, offset, lo: dims.map(() => 0), hi: dims, fill: 0 };
}

/** The dense tensor itself. */
export function identityView(shape: Shape): View {
  return view(shape, stridesOf(shape));
}

/** `shape` broadcast to `target` under NumPy's rules. */
export function broadcastView(shape: Shape, target: Shape): View {
  const strides = stridesOf(shape);
  const lead = target.length - shape.length;
  return view(
    target,
    target.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]!)),
  );
}

/** True where the view gives all of `size` elements in their order. */
export function isIdentity(v: View, size: number): boolean {
  const { dims, strides, offset } = simplifyView(v);
  return !isWindowed(v) && offset === 0 && dims.length === 1 && dims[0] === size && (size === 1 || strides[0] === 1);
}

/** True where a simplified view gives elements in their order, from some element on. */
export function isRun(v: View): boolean {
  return v.dims.length === 1 && (v.dims[0] === 1 || v.strides[0] === 1) && !isWindowed(v);
}

/** True where some element is not in range. */
export function isWindowed(v: View): boolean {
  return v.dims.some((d, i) => v.lo[i]! > 0 || v.hi[i]! < d);
}

/** The same move over the fewest dimensions: sizes of 1 dropped, contiguous neighbours merged. */
export function simplifyView(v: View): View {
  const dims: number[] = [];
  const strides: number[] = [];
  const lo: number[] = [];
  const hi: number[] = [];
  v.dims.forEach((d, i) => {
    const whole = v.lo[i]! <= 0 && v.hi[i]! >= d;
    if (d === 1 && whole) return;
    const last = dims.length - 1;
    const lastWhole = last >= 0 && lo[last]! <= 0 && hi[last]! >= dims[last]!;
    if (whole && lastWhole && strides[last] === v.strides[i]! * d) {
      dims[last]! *= d;
      strides[last] = v.strides[i]!;
      lo[last] = 0;
      hi[last] = dims[last]!;
      return;
    }
    dims.push(d);
    strides.push(v.strides[i]!);
    lo.push(v.lo[i]!);
    hi.push(v.hi[i]!);
  });
  if (dims.length === 0) return { ...v, dims: [1], strides: [0], lo: [0], hi: [1] };
  return { ...v, dims, strides, lo, hi };
}

/**
 * `outer` of what `inner` makes, as one move, where both have every element in range and the dimensions of the outer
 * fall into whole shares of the inner's; else `undefined`.
 */
export function composeViews(outer: View, inner: View): View | undefined {
  if (isWindowed(outer) || isWindowed(inner)) return undefined;
  const places = stridesOf(inner.dims);
  /** The digit of the inner's index that a step moves; −1: none, or several. */
  const digitOf = (step: number) =>
    places.findIndex((place, j) => step >= place && step < place * inner.dims[j]! && step % place === 0);
  const most = inner.dims.map(() => 0);
  const dims: number[] = [];
  const strides: number[] = [];
  for (const [k, size] of outer.dims.entries()) {
    const made: [size: number, stride: number][] = [];
    let [left, step] = [size, outer.strides[k]!];
    while (left > 1 && step !== 0) {
      const j = digitOf(step);
      if (j < 0) return undefined;
      const by = step / places[j]!;
      const room = inner.dims[j]! / by;
      const taken = Math.min(left, room);
      if (!Number.isInteger(taken) || taken === 1 || left % taken !== 0) return undefined;
      made.unshift([taken, by * inner.strides[j]!]);
      most[j]! += (taken - 1) * by;
      left /= taken;
      step *= taken;
    }
    if (left > 1 || made.length === 0) made.unshift([left, 0]);
    dims.push(...made.map(([d]) => d));
    strides.push(...made.map(([, s]) => s));
  }
  let offset = inner.offset;
  let rest = outer.offset;
  for (const [j, place] of places.entries()) {
    const digit = Math.floor(rest / place);
    rest -= digit * place;
    offset += digit * inner.strides[j]!;
    // A digit that runs over would carry into the next.
    if (digit < 0 || digit + most[j]! >= inner.dims[j]!) return undefined;
  }
  return { ...view(dims, strides, offset), fill: outer.fill };
}

/** How much of a texel moves together. */
export type Grain =
  /** all 4 lanes of a slice: both innermost sizes are the channel count, moved whole */
  | 'pixel'
  /** 4 channels at a time: all sizes, strides and offsets are multiples of 4 */
  | 'slice'
  /** lane by lane */
  | 'element';

/** A view over pixels, slices or elements: dims and strides count grains. */
export interface GrainedView {
  readonly grain: Grain;
  readonly view: View;
}

/** The coarsest grain at which the move can be made between tensors with `outC` and `inC` channels. */
export function grainView(full: View, outC: number, inC: number): GrainedView {
  const v = splitInnermost(simplifyView(full), outC);
  const last = v.dims.length - 1;
  const outer = (unit: number): View =>
    simplifyView({
      ...v,
      dims: v.dims.slice(0, -1),
      strides: v.strides.slice(0, -1).map((s) => s / unit),
      offset: v.offset / unit,
      lo: v.lo.slice(0, -1),
      hi: v.hi.slice(0, -1),
    });
  const contiguous = v.strides[last] === 1;
  const whole = v.lo[last] === 0 && v.hi[last] === v.dims[last];
  const multiples = (unit: number) => v.offset % unit === 0 && v.strides.slice(0, -1).every((s) => s % unit === 0);
  if (contiguous && whole && v.dims[last] === outC && outC === inC && multiples(inC))
    return { grain: 'pixel', view: outer(inC) };
  const quads =
    contiguous &&
    (v.mirror === undefined || whole) &&
    outC % 4 === 0 &&
    inC % 4 === 0 &&
    multiples(4) &&
    [v.dims[last]!, v.lo[last]!, v.hi[last]!].every((d) => d % 4 === 0);
  if (!quads) return { grain: 'element', view: v };
  const inner = { dims: [v.dims[last]! / 4], strides: [1], lo: [v.lo[last]! / 4], hi: [v.hi[last]! / 4] };
  const o = {
    ...v,
    dims: [...v.dims.slice(0, -1), ...inner.dims],
    strides: [...v.strides.slice(0, -1).map((s) => s / 4), ...inner.strides],
    offset: v.offset / 4,
    lo: [...v.lo.slice(0, -1), ...inner.lo],
    hi: [...v.hi.slice(0, -1), ...inner.hi],
  };
  return { grain: 'slice', view: simplifyView(o) };
}

/** Splits a merged innermost dimension at the channel count, so that channels stand alone. */
function splitInnermost(v: View, c: number): View {
  const last = v.dims.length - 1;
  const d = v.dims[last]!;
  const whole = v.lo[last] === 0 && v.hi[last] === d;
  if (d === c || d % c !== 0 || !whole) return v;
  const stride = v.strides[last]!;
  const head = <T>(list: readonly T[]) => list.slice(0, -1);
  return {
    ...v,
    dims: [...head(v.dims), d / c, c],
    strides: [...head(v.strides), stride * c, stride],
    lo: [...head(v.lo), 0, 0],
    hi: [...head(v.hi), d / c, c],
  };
}

/** The moved values, on plain memory: the meaning of a view. */
export function applyView(v: View, values: ArrayLike<number>): number[] {
  const strides = stridesOf(v.dims);
  return Array.from({ length: sizeOf(v.dims) }, (_, flat) => {
    let from = v.offset;
    for (let k = 0; k < v.dims.length; k++) {
      let i = Math.floor(flat / strides[k]!) % v.dims[k]!;
      const [lo, hi] = [v.lo[k]!, v.hi[k]!];
      if (i < lo || i >= hi) {
        if (v.mirror === undefined) return v.fill;
        i = i < lo ? 2 * lo - i - v.mirror : 2 * hi - 2 - i + v.mirror;
      }
      from += i * v.strides[k]!;
    }
    return values[from]!;
  });
}
