import { UnsupportedError } from '../errors.js';
import { lanesOf, newData, type TensorData } from '../ir/dtype.js';
import type { CpuTensor } from '../ir/op.js';
import { sizeOf, stridesOf } from '../ir/shape.js';

/** The schema's `SparsityParameters`, as far as expanding needs it. */
interface Sparsity {
  readonly traversalOrder?: readonly number[];
  readonly blockMap?: readonly number[];
  readonly dimMetadata?: readonly {
    readonly format?: string;
    readonly denseSize?: number;
    readonly arraySegments?: { readonly values?: ArrayLike<number> };
    readonly arrayIndices?: { readonly values?: ArrayLike<number> };
  }[];
}

/** The dense form of a sparse constant: levels of dense or compressed (CSR) dimensions in traversal order, with blocks. */
export function densify(x: CpuTensor & { readonly sparsity?: object }): TensorData {
  const { sparsity, shape, data } = x;
  if (!sparsity) return data;
  const { traversalOrder = [], blockMap = [], dimMetadata = [] } = sparsity as Sparsity;
  const rank = shape.length;
  const blocks = new Array<number>(rank).fill(1);
  blockMap.forEach((dim, b) => {
    blocks[dim] = dimMetadata[traversalOrder.indexOf(rank + b)]?.denseSize ?? 1;
  });
  const out = newData(x.dtype, sizeOf(shape));
  if (lanesOf(x.dtype) !== 1) throw new UnsupportedError(`DENSIFY: ${x.dtype} operand`);
  const from = data as unknown as Record<number, unknown>;
  const to = out as unknown as Record<number, unknown>;
  const strides = stridesOf(shape);
  const index = new Array<number>(traversalOrder.length).fill(0);
  const write = (source: number) => {
    let flat = 0;
    traversalOrder.forEach((dim, level) => {
      flat +=
        dim < rank ? index[level]! * blocks[dim]! * strides[dim]! : index[level]! * strides[blockMap[dim - rank]!]!;
    });
    to[flat] = from[source];
  };
  const walk = (level: number, position: number): void => {
    if (level === traversalOrder.length) {
      write(position);
      return;
    }
    const { format, denseSize = 0, arraySegments, arrayIndices } = dimMetadata[level]!;
    if (format !== 'SPARSE_CSR') {
      for (let i = 0; i < denseSize; i++) {
        index[level] = i;
        walk(level + 1, position * denseSize + i);
      }
      return;
    }
    const segments = arraySegments?.values ?? [];
    const indices = arrayIndices?.values ?? [];
    for (let k = segments[position]!; k < segments[position + 1]!; k++) {
      index[level] = indices[k]!;
      walk(level + 1, k);
    }
  };
  walk(0, 0);
  return out;
}
