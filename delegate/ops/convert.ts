import { UnsupportedError } from '../errors.js';
import {
  arrayOf,
  type DType,
  floatToHalf,
  halfToFloat,
  halvesToFloats,
  integerRange,
  type NumericData,
  newData,
} from '../ir/dtype.js';
import type { Quantization, TensorType } from '../ir/graph.js';
import { type CpuTensor, defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { sizeOf } from '../ir/shape.js';
import { densify } from './densify.js';

const UNIT: Quantization = { scales: [1], zeroPoints: [0], quantizedDimension: 0 };

/** CAST: floats to integers saturate and NaN gives the largest; integers wrap; anything to bool is x ≠ 0. */
function cast({ data, dtype }: CpuTensor, to: DType): NumericData {
  const from = data as NumericData;
  const value =
    dtype === 'float16'
      ? (i: number) => halfToFloat(from[i] as number)
      : dtype === 'complex64'
        ? (i: number) => from[2 * i]!
        : (i: number) => from[i]!;
  const n = dtype === 'complex64' ? from.length / 2 : from.length;
  const out = newData(to, n) as NumericData;
  const cells = out as unknown as Record<number, number | bigint>;
  const limits = integerRange(to);
  const isFloating = dtype.startsWith('float') || dtype === 'complex64';
  for (let i = 0; i < n; i++) {
    const v = value(i);
    if (to === 'float16') cells[i] = floatToHalf(Number(v));
    else if (to === 'bool') cells[i] = Number(v !== 0 && v !== 0n);
    else if (!limits) cells[to === 'complex64' ? 2 * i : i] = Number(v);
    else if (isFloating) cells[i] = saturate(v as number, limits, to);
    else if (to === 'int64' || to === 'uint64') cells[i] = BigInt(v);
    else cells[i] = typeof v === 'bigint' ? Number(BigInt.asIntN(64, v) & 0xffffffffn) : v;
  }
  return out;
}

function saturate(v: number, [lo, hi]: readonly [bigint, bigint], to: DType): number | bigint {
  const wide = to === 'int64' || to === 'uint64';
  const clamped = Number.isNaN(v) || v >= Number(hi) ? hi : v <= Number(lo) ? lo : BigInt(Math.trunc(v));
  return wide ? clamped : Number(clamped);
}

/** scale · (stored − zeroPoint), per tensor or per index of the quantised dimension. */
export function dequantize(x: CpuTensor): Float32Array {
  if (x.dtype === 'float16') return halvesToFloats(x.data as Uint16Array);
  if (x.dtype === 'float32') return x.data as Float32Array;
  return standFor(x, new Float32Array(x.data.length));
}

/** Writes the numbers that stored integers stand for. */
function standFor<T extends Float32Array | Float64Array>(x: CpuTensor, out: T): T {
  if (!x.quantization?.scales.length) throw new UnsupportedError(`DEQUANTIZE: ${x.dtype} without scales`);
  const { data } = x;
  const stored = data instanceof BigInt64Array ? Float64Array.from(data, Number) : (data as Int8Array);
  eachRun(x, (scale, zeroPoint, from, to) => {
    for (let i = from; i < to; i++) out[i] = scale * (stored[i]! - zeroPoint);
  });
  return out;
}

/** How numbers become whole: what is added before the fraction is cut off. Passes give it to QUANTIZE as attributes. */
export interface Rounding {
  /** To numbers above zero; 1/2 where it is absent. */
  readonly above?: number;
  /** To the size of numbers below zero. */
  readonly below?: number;
  /** Above and below the integer 0, not the one that stands for 0. */
  readonly isAroundStoredZero?: boolean;
}

/** The stored integers that are nearest, ties away from zero where the rounding does not say otherwise. */
function quantize(x: CpuTensor, output: TensorType, rounding: Rounding): NumericData {
  const { above = 0.5, below = 0.5, isAroundStoredZero = false } = rounding;
  const [lo, hi] = (integerRange(output.dtype) ?? [0n, 0n]).map(Number) as [number, number];
  const isFloat = x.dtype === 'float32' || x.dtype === 'float16';
  const real = isFloat ? dequantize(x) : standFor(x, new Float64Array(x.data.length));
  const out = new (arrayOf(output.dtype))(real.length) as Int8Array;
  eachRun(output, (scale, zeroPoint, from, to) => {
    const [before, after] = isAroundStoredZero ? [zeroPoint, 0] : [0, zeroPoint];
    for (let i = from; i < to; i++) {
      const quotient = real[i]! / scale;
      const q = (isFloat ? Math.fround(quotient) : quotient) + before;
      const stored = (q < 0 ? -Math.floor(below - q) : Math.floor(q + above)) + after;
      // The quotient of a finite number beyond float32 becomes the lowest integer, as the processor's conversion has it.
      const isWhole = Number.isFinite(q) || real[i] === Number.POSITIVE_INFINITY;
      out[i] = isWhole ? Math.min(Math.max(stored, lo), hi) : lo;
    }
  });
  return out;
}

/** Visits the elements in runs that have one scale, which is 1 without quantisation. */
function eachRun(
  { quantization = UNIT, shape }: TensorType,
  visit: (scale: number, zeroPoint: number, from: number, to: number) => void,
): void {
  const { scales, zeroPoints, quantizedDimension } = quantization;
  const size = sizeOf(shape);
  const run = scales.length === 1 ? size : sizeOf(shape.slice(quantizedDimension + 1));
  for (let from = 0, c = 0; from < size; from += run, c = (c + 1) % scales.length)
    visit(Math.fround(scales[c]!), zeroPoints[c] ?? 0, from, from + run);
}

/** Changes of element type. */
export const convertOps: readonly OpSpec[] = [
  defineOp<{ readonly outDataType?: string }>({
    type: 'CAST',
    onStored: true,
    infer: (inputs, _attrs, outputs) => [typed(required(inputs, 0).shape, outputs[0]!.dtype)],
    cpu: (inputs, _attrs, [output]) => [cast(required(inputs, 0), output!.dtype)],
  }),
  defineOp({
    type: 'DEQUANTIZE',
    onStored: true,
    infer: (inputs) => [typed(required(inputs, 0).shape, 'float32')],
    cpu: (inputs) => [dequantize(required(inputs, 0))],
  }),
  defineOp<Rounding>({
    type: 'QUANTIZE',
    infer: (inputs, _attrs, outputs) => [{ ...outputs[0]!, shape: required(inputs, 0).shape }],
    cpu: (inputs, attrs, [output]) => [quantize(required(inputs, 0), output!, attrs)],
  }),
  defineOp({
    type: 'DENSIFY',
    onStored: true,
    infer: (inputs) => [required(inputs, 0)],
    cpu: (inputs) => [densify(required(inputs, 0))],
  }),
];
