import { UnsupportedError } from '../errors.js';
import { arrayOf, type DType, floatToHalf, halfToFloat, integerRange, type NumericData, newData } from '../ir/dtype.js';
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
  if (x.dtype === 'float16') return Float32Array.from(x.data as Uint16Array, halfToFloat);
  if (x.dtype === 'float32') return x.data as Float32Array;
  if (!x.quantization?.scales.length) throw new UnsupportedError(`DEQUANTIZE: ${x.dtype} without scales`);
  const { scales, zeroPoints, channelOf } = perChannel(x);
  const data = x.data as Int8Array;
  return Float32Array.from({ length: data.length }, (_, i) => {
    const c = channelOf(i);
    return Math.fround(scales[c]!) * (data[i]! - (zeroPoints[c] ?? 0));
  });
}

/** Scales and zero points, and the place of an element's among them; without quantisation, scale 1. */
function perChannel({ quantization = UNIT, shape }: TensorType) {
  const { scales, zeroPoints, quantizedDimension } = quantization;
  const inner = sizeOf(shape.slice(quantizedDimension + 1));
  const channelOf = scales.length === 1 ? () => 0 : (i: number) => Math.floor(i / inner) % scales.length;
  return { scales, zeroPoints, channelOf };
}

/** Changes of element type. */
export const convertOps: readonly OpSpec[] = [
  defineOp<{ readonly outDataType?: string }>({
    type: 'CAST',
    infer: (inputs, _attrs, outputs) => [typed(required(inputs, 0).shape, outputs[0]!.dtype)],
    cpu: (inputs, _attrs, [output]) => [cast(required(inputs, 0), output!.dtype)],
  }),
  defineOp({
    type: 'DEQUANTIZE',
    infer: (inputs) => [typed(required(inputs, 0).shape, 'float32')],
    cpu: (inputs) => [dequantize(required(inputs, 0))],
  }),
  defineOp({
    type: 'QUANTIZE',
    infer: (inputs, _attrs, outputs) => [{ ...outputs[0]!, shape: required(inputs, 0).shape }],
    cpu(inputs, _attrs, [output]) {
      const x = required(inputs, 0);
      const { scales, zeroPoints, channelOf } = perChannel(output!);
      const [lo, hi] = (integerRange(output!.dtype) ?? [0n, 0n]).map(Number) as [number, number];
      const isInteger = x.dtype !== 'float32' && x.dtype !== 'float16';
      const real = isInteger ? Float64Array.from(x.data as Int8Array) : dequantize(x);
      const from = perChannel(x);
      const out = new (arrayOf(output!.dtype))(real.length) as Int8Array;
      for (let i = 0; i < real.length; i++) {
        const c = channelOf(i);
        const k = from.channelOf(i);
        const q = isInteger
          ? ((real[i]! - (from.zeroPoints[k] ?? 0)) * from.scales[k]!) / scales[c]!
          : Math.fround(real[i]! / Math.fround(scales[c]!));
        const stored = Math.sign(q) * Math.round(Math.abs(q)) + (zeroPoints[c] ?? 0);
        // A quotient beyond float32 becomes the lowest integer, as the processor's conversion has it.
        out[i] = Number.isFinite(q) ? Math.min(Math.max(stored, lo), hi) : lo;
      }
      return [out];
    },
  }),
  defineOp({
    type: 'DENSIFY',
    infer: (inputs) => [required(inputs, 0)],
    cpu: (inputs) => [densify(required(inputs, 0))],
  }),
];
