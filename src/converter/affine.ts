/** Real numbers as integers: real = scale · (integer − zero point). The arithmetic is that of TensorFlow's quantiser. */
import { type Quantization, type Shape, sizeOf } from '../../delegate/index.js';

/** Types of activations. */
export type IntegerType = 'INT8' | 'INT16';

/** Integers that stand for real numbers: one scale, or one for each index of the dimension. */
export interface Affine extends Quantization {
  readonly type: IntegerType | 'UINT8' | 'INT32' | 'INT64';
}

/** The least and the greatest of some numbers and 0; NaN where one is NaN. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The largest integer by type, of those that a double holds; the least is one below its negative, but for UINT8. */
const LARGEST = { INT8: 127, UINT8: 255, INT16: 32767, INT32: 2 ** 31 - 1, INT64: 2 ** 63 - 1024 } as const;

/** Ranges are at least this wide, so that no scale is 0. */
const LEAST_WIDTH = 1e-6;

/**
 * What activations that are always 0 get as their range. Kernels want the scale of a product to be less than 256 times that
 * of its sum, and biases of what comes next still have small steps.
 */
const RANGE_OF_ZEROS: Range = { min: -1 / 32, max: 1 / 32 };

const { fround } = Math;

/** One scale and zero point for all. */
export function fixed(type: Affine['type'], scale: number, zeroPoint: number): Affine {
  return { type, scales: [scale], zeroPoints: [zeroPoint], quantizedDimension: 0 };
}

/** The range of some numbers, and of others before. */
export function rangeOf(data: Float32Array, { min, max }: Range = { min: 0, max: 0 }): Range {
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (x < min) min = x;
    else if (x > max) max = x;
    else if (Number.isNaN(x)) return { min: x, max: x };
  }
  return { min, max };
}

/** The range of an activation by what it reached. */
export function activationRange(range: Range): Range {
  return range.max - range.min > LEAST_WIDTH || !isFiniteRange(range) ? range : RANGE_OF_ZEROS;
}

/** False where there were infinite numbers or NaN. */
export function isFiniteRange({ min, max }: Range): boolean {
  return Number.isFinite(min) && Number.isFinite(max);
}

/** Integers for numbers of a range: int16 is symmetric, int8 has a zero point. */
export function affineOf(range: Range, type: IntegerType): Affine {
  const { min, max } = widened(range);
  if (type === 'INT16') return fixed(type, fround(Math.max(max, -min) / LARGEST.INT16), 0);
  const scale = fround(fround(max - min) / 255);
  const zeroPoint = roundAway(fround(-128 - min / scale));
  return fixed(type, scale, Math.min(Math.max(zeroPoint, -128), 127));
}

function widened({ min, max }: Range): Range {
  if (max - min > LEAST_WIDTH) return { min, max };
  return { min: Math.min(min, -LEAST_WIDTH / 2), max: Math.max(max, LEAST_WIDTH / 2) };
}

/** True where all numbers of the range have an integer, up to half a step. */
export function covers({ type, scales, zeroPoints }: Affine, { min, max }: Range): boolean {
  const [scale, zeroPoint] = [scales[0]!, zeroPoints[0]!];
  const [least, greatest] = limitsOf(type);
  return min >= scale * (least - zeroPoint - 0.5) && max <= scale * (greatest - zeroPoint + 0.5);
}

/** Above this a bias would leave no room for the sum that it is added to. */
const LARGEST_BIAS = Math.floor(LARGEST.INT32 / 2);

/**
 * Symmetric int8 with one scale for each index of the axis. A scale is larger where the channel's bias, which has the
 * scale of input times filter, would not fit into int32 otherwise.
 */
export function filterAffine(data: Float32Array, shape: Shape, axis: number, x: Affine, bias?: Float32Array): Affine {
  const channelOf = channels(shape, axis);
  const largest = new Float32Array(shape[axis]!).fill(LEAST_WIDTH / 2);
  for (const [i, weight] of data.entries()) {
    const channel = channelOf(i);
    largest[channel] = Math.max(largest[channel]!, Math.abs(weight));
  }
  const scales = Array.from(largest, (most, channel) => {
    const scale = fround(most / LARGEST.INT8);
    const needed = Math.abs(bias?.[channel] ?? 0) / LARGEST_BIAS / x.scales[0]!;
    return x.type === 'INT8' && needed > scale ? needed : scale;
  });
  return { type: 'INT8', scales, zeroPoints: scales.map(() => 0), quantizedDimension: axis };
}

/** Integers that can be added to sums of products of `x` and the filter. */
export function biasAffine(x: Affine, filter: Affine): Affine {
  const scales = filter.scales.map((scale) => fround(scale * x.scales[0]!));
  return { type: x.type === 'INT8' ? 'INT32' : 'INT64', scales, zeroPoints: filter.zeroPoints, quantizedDimension: 0 };
}

/** The nearest integers; those beyond the type's limits become these. */
export function integersOf(data: Float32Array, shape: Shape, affine: Affine): ArrayBufferView {
  const { type, scales, zeroPoints, quantizedDimension } = affine;
  const [least, greatest] = limitsOf(type);
  const channelOf = scales.length > 1 ? channels(shape, quantizedDimension) : () => 0;
  const steps = scales.map((scale) => fround(1 / scale));
  const nearest = (x: number, i: number) => {
    const channel = channelOf(i);
    const zeroPoint = zeroPoints[channel]!;
    // Numbers without a zero point are multiplied by the inverse, others divided: so does the original.
    const real = zeroPoint ? fround(fround(x / scales[channel]!) + zeroPoint) : fround(x * steps[channel]!);
    return Math.min(Math.max(roundAway(real), least), greatest);
  };
  switch (type) {
    case 'INT8':
      return Int8Array.from(data, nearest);
    case 'UINT8':
      return Uint8Array.from(data, nearest);
    case 'INT16':
      return Int16Array.from(data, nearest);
    case 'INT32':
      return Int32Array.from(data, nearest);
    case 'INT64':
      return BigInt64Array.from(Array.from(data, nearest), BigInt);
    default:
      return type satisfies never;
  }
}

function limitsOf(type: Affine['type']): readonly [least: number, greatest: number] {
  return [type === 'UINT8' ? 0 : -LARGEST[type] - 1, LARGEST[type]];
}

/** The index along the axis of each element. */
export function channels(shape: Shape, axis: number): (i: number) => number {
  const count = shape[axis]!;
  const inner = sizeOf(shape.slice(axis + 1));
  return (i) => Math.floor(i / inner) % count;
}

/** Halves go away from 0. */
export function roundAway(x: number): number {
  return Math.sign(x) * Math.round(Math.abs(x));
}
