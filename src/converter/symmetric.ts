import type { Shape } from '../../delegate/index.js';
import { channels, roundAway } from './affine.js';

/** Floats as int8 from −127 to 127: value = scale · byte, with one scale for all or for each index of the axis. */
export interface Bytes {
  readonly values: Int8Array;
  readonly scales: readonly number[];
  readonly axis: number;
}

const LARGEST = 127;

/** Rounds to bytes, ties away from zero; the largest magnitude that a scale is for becomes 127. */
export function symmetricBytes(data: Float32Array, shape: Shape, axis?: number): Bytes {
  const channelOf = axis === undefined ? () => 0 : channels(shape, axis);
  const largest = new Float32Array(axis === undefined ? 1 : shape[axis]!);
  for (const [i, x] of data.entries()) largest[channelOf(i)] = Math.max(largest[channelOf(i)]!, Math.abs(x));
  // A channel of zeros has no scale of its own.
  const scales = Array.from(largest, (x) => Math.fround(x / LARGEST) || 1);
  const values = Int8Array.from(data, (x, i) =>
    Math.min(Math.max(roundAway(x / scales[channelOf(i)]!), -LARGEST), LARGEST),
  );
  return { values, scales, axis: axis ?? 0 };
}
