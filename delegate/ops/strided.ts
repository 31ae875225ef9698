import { type DType, lanesOf, type NumericData, newData, type TensorData } from '../ir/dtype.js';
import type { TensorType } from '../ir/graph.js';
import type { CpuTensor } from '../ir/op.js';
import { type Shape, sizeOf, stridesOf } from '../ir/shape.js';

/** Array cells of any element type: moves do not look at what they move. */
export type Cells = Record<number, unknown>;

/** The type of x's elements under another shape: what a move gives. */
export function moved({ dtype, quantization }: TensorType, shape: Shape): TensorType {
  return quantization ? { shape, dtype, quantization } : { shape, dtype };
}

/** The elements x[offset + Σ index · strides] for all indices below `dims`, row by row, as data of x's type. */
export function gatherStrided(x: CpuTensor, dims: Shape, strides: readonly number[], offset = 0): TensorData {
  const out = newData(x.dtype, sizeOf(dims));
  copyStrided(x, dims, strides, offset, out, stridesOf(dims), 0);
  return out;
}

/** Copies a strided walk over x to a strided walk over `out`; what lies side by side in both goes in one run. */
export function copyStrided(
  x: CpuTensor,
  dims: Shape,
  strides: readonly number[],
  offset: number,
  out: TensorData,
  outStrides: readonly number[],
  outOffset: number,
): void {
  const lanes = lanesOf(x.dtype);
  let rank = dims.length;
  let run = 1;
  for (; rank > 0; rank--) {
    const contiguous = strides[rank - 1] === run && outStrides[rank - 1] === run;
    if (dims[rank - 1] !== 1 && !contiguous) break;
    run *= dims[rank - 1]!;
  }
  const copyRun = runCopier(x.data, out, run * lanes);
  const index = new Array<number>(rank).fill(0);
  let from = offset;
  let to = outOffset;
  for (let left = run && sizeOf(dims.slice(0, rank)); left > 0; left--) {
    copyRun(from * lanes, to * lanes);
    for (let d = rank - 1; d >= 0; d--) {
      from += strides[d]!;
      to += outStrides[d]!;
      if (++index[d]! < dims[d]!) break;
      from -= strides[d]! * dims[d]!;
      to -= outStrides[d]! * dims[d]!;
      index[d] = 0;
    }
  }
}

/** Elements from which one `set` is faster than a loop. */
const LONG_RUN = 32;

function runCopier(source: TensorData, target: TensorData, length: number): (from: number, to: number) => void {
  if (ArrayBuffer.isView(source) && length >= LONG_RUN) {
    const view = source as Uint8Array;
    const out = target as NumericData as Uint8Array;
    return (from, to) => out.set(view.subarray(from, from + length), to);
  }
  const cells = source as unknown as Cells;
  const out = target as unknown as Cells;
  return (from, to) => {
    for (let i = 0; i < length; i++) out[to + i] = cells[from + i];
  };
}

/** Strides that read `shape` as if it had the shape `target`, under NumPy's rules. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]!));
}

/** x's elements where NumPy's broadcasting puts them in a tensor of the shape `target`. */
export function broadcast(x: CpuTensor, target: Shape): TensorData {
  if (sizeOf(x.shape) === sizeOf(target)) return x.data;
  return gatherStrided(x, target, broadcastStrides(x.shape, target));
}

/** Data of `size` elements that are all the first element of `value`. */
export function filled(dtype: DType, size: number, value: TensorData): TensorData {
  const out = newData(dtype, size);
  const lanes = lanesOf(dtype);
  const cells = out as unknown as Cells;
  for (let i = 0; i < size * lanes; i++) cells[i] = value[i % lanes];
  return out;
}

/** x in a tensor of `shape`, `before` elements from its start along each dimension; around it `value`, or what stands for 0. */
export function padded(x: CpuTensor, shape: Shape, before: readonly number[], value?: TensorData): TensorData {
  const zero = x.dtype === 'float32' ? 0 : (x.quantization?.zeroPoints[0] ?? 0);
  const zeros = x.dtype.endsWith('int64') ? BigInt64Array.of(BigInt(zero)) : Float64Array.of(zero, 0);
  const out = filled(x.dtype, sizeOf(shape), value ?? zeros);
  const strides = stridesOf(shape);
  copyStrided(x, x.shape, stridesOf(x.shape), 0, out, strides, dot(before, strides));
  return out;
}

/** Σ a · b; what `b` lacks counts as 0. */
export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
}
