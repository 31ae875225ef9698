import { type DType, lanesOf, newData, type TensorData } from '../ir/dtype.js';
import type { CpuTensor } from '../ir/op.js';
import { type Shape, sizeOf, stridesOf } from '../ir/shape.js';

/** Array cells of any element type: moves do not look at what they move. */
export type Cells = Record<number, unknown>;

/** Calls `visit(position in the output, position in the input)` for every element of a strided walk, in order. */
export function eachStrided(
  dims: Shape,
  strides: readonly number[],
  offset: number,
  visit: (to: number, from: number) => void,
): void {
  const rank = dims.length;
  const size = sizeOf(dims);
  const index = new Array<number>(rank).fill(0);
  let from = offset;
  for (let to = 0; to < size; to++) {
    visit(to, from);
    for (let d = rank - 1; d >= 0; d--) {
      from += strides[d]!;
      if (++index[d]! < dims[d]!) break;
      from -= strides[d]! * dims[d]!;
      index[d] = 0;
    }
  }
}

/** The elements x[offset + Σ index · strides] for all indices below `dims`, row by row, as data of x's type. */
export function gatherStrided(x: CpuTensor, dims: Shape, strides: readonly number[], offset = 0): TensorData {
  const out = newData(x.dtype, sizeOf(dims));
  copyStrided(x, dims, strides, offset, out, stridesOf(dims), 0);
  return out;
}

/** Copies a strided walk over x to a strided walk over `out`. */
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
  const from = x.data as unknown as Cells;
  const to = out as unknown as Cells;
  const targets = new Int32Array(sizeOf(dims));
  eachStrided(dims, outStrides, outOffset, (i, at) => {
    targets[i] = at;
  });
  eachStrided(dims, strides, offset, (i, at) => {
    for (let l = 0; l < lanes; l++) to[targets[i]! * lanes + l] = from[at * lanes + l];
  });
}

/** Strides that read `shape` as if it had the shape `target`, under NumPy's rules. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]!));
}

/** Fills data of a dtype with one value. */
export function filled(dtype: DType, size: number, value: unknown): TensorData {
  const out = newData(dtype, size);
  const cells = out as unknown as Cells;
  for (let i = 0; i < size; i++) cells[i] = value;
  return out;
}
