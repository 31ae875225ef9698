import { ModelError } from '../errors.js';
import type { Padding } from './vocabulary.js';

/** Sizes of the dimensions, outermost first; a scalar is `[]`. */
export type Shape = readonly number[];

/** Number of elements; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const d of shape) size *= d;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** Elements to skip per step along each dimension, for a dense row-major tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/** The common shape of operands under NumPy's rules. Throws ModelError where two sizes differ and neither is 1. */
export function broadcastShapes(...shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    let size = 1;
    for (const shape of shapes) {
      const d = shape[i - rank + shape.length] ?? 1;
      if (d === 1 || d === size) continue;
      if (size !== 1) throw new ModelError('shape', `[${shapes.join('] and [')}] do not broadcast`);
      size = d;
    }
    return size;
  });
}

/** An axis from −rank … rank−1 as 0 … rank−1. Throws ModelError beyond. */
export function normalizeAxis(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank)
    throw new ModelError('axis', `axis ${axis} of a tensor of rank ${rank}; accepted: ${-rank} to ${rank - 1}`);
  return axis < 0 ? axis + rank : axis;
}

/** Output size and padding before of a sliding window along one dimension (TFLite's `ComputePaddingHeightWidth`). */
export function windowOutput(
  input: number,
  filter: number,
  stride: number,
  dilation: number,
  padding: Padding,
): { size: number; before: number } {
  const reach = (filter - 1) * dilation + 1;
  if (padding === 'VALID') return { size: Math.max(0, Math.ceil((input - reach + 1) / stride)), before: 0 };
  const size = Math.ceil(input / stride);
  return { size, before: Math.max(0, (size - 1) * stride + reach - input) >> 1 };
}
