import { ModelError, UnsupportedError } from '../errors.js';
import { arrayOf, type DType, type NumericData } from '../ir/dtype.js';
import type { TensorType } from '../ir/graph.js';
import { type CpuTensor, constantInts, defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { normalizeAxis, sizeOf } from '../ir/shape.js';

/** True where `x` comes before `best`. Equal values never do, so the first of ties stays. */
type Before = (x: number, best: number) => boolean;

function arg(type: string, isBefore: Before): OpSpec {
  return defineOp({
    type,
    infer(inputs, _attrs, outputs) {
      const x = required(inputs, 0);
      const axes = constantInts(required(inputs, 1));
      if (axes && axes.length !== 1) throw new ModelError('shape', `${axes.length} axes; accepted: 1`);
      if (!axes) return [undefined];
      const axis = normalizeAxis(axes[0]!, x.shape.length);
      if (x.shape[axis] === 0)
        throw new ModelError('shape', `input is [${x.shape}]; accepted: a size above 0 on axis ${axis}`);
      return [
        typed(
          x.shape.filter((_, i) => i !== axis),
          indexType(outputs[0]),
        ),
      ];
    },
    cpu(inputs, _attrs, [output]) {
      const x = required(inputs, 0);
      const axis = normalizeAxis(constantInts(required(inputs, 1))![0]!, x.shape.length);
      return [indicesAlong(x, comparable(type, x), axis, output!.dtype, isBefore)];
    },
  });
}

/** The type of the indices: what the output is declared as. */
function indexType(output: TensorType | undefined): DType {
  return output?.dtype ?? 'int64';
}

/** The values as numbers. Bigints of int64 compare like numbers, and are only compared and copied here. */
function comparable(op: string, x: CpuTensor): ArrayLike<number> {
  const accepted: readonly DType[] = ['float32', 'int32', 'int64', 'int16', 'int8', 'uint8', 'bool'];
  if (!accepted.includes(x.dtype)) {
    throw new UnsupportedError(`${op}: ${x.dtype} operand; the CPU path takes ${accepted.join(', ')}`);
  }
  return x.data as unknown as ArrayLike<number>;
}

function indicesAlong(
  x: CpuTensor,
  data: ArrayLike<number>,
  axis: number,
  dtype: DType,
  isBefore: Before,
): NumericData {
  const outer = sizeOf(x.shape.slice(0, axis));
  const depth = x.shape[axis]!;
  const inner = sizeOf(x.shape.slice(axis + 1));
  const best = new Int32Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const from = o * depth * inner + i;
      let first = 0;
      for (let d = 1; d < depth; d++) {
        if (isBefore(data[from + d * inner]!, data[from + first * inner]!)) first = d;
      }
      best[o * inner + i] = first;
    }
  }
  return asIndices(best, dtype);
}

function asIndices(indices: Int32Array, dtype: DType): NumericData {
  return dtype === 'int64'
    ? BigInt64Array.from(indices, BigInt)
    : dtype === 'int16'
      ? Int16Array.from(indices)
      : indices;
}

const topK: OpSpec = {
  type: 'TOPK_V2',
  picks: true,
  infer(inputs, _attrs, outputs) {
    const x = required(inputs, 0);
    const k = constantInts(required(inputs, 1));
    const depth = x.shape.at(-1);
    if (depth === undefined) throw new ModelError('shape', 'input is a scalar; accepted: rank 1 or more');
    if (!k) return [undefined, undefined];
    if (k.length !== 1 || k[0]! < 0 || k[0]! > depth) {
      throw new ModelError('attribute', `k is [${k}]; accepted: one number from 0 to the last size, ${depth}`);
    }
    const shape = [...x.shape.slice(0, -1), k[0]!];
    return [typed(shape, x.dtype), typed(shape, outputs[1]?.dtype ?? 'int32')];
  },
  cpu(inputs, _attrs, [values, indices]) {
    const x = required(inputs, 0);
    const data = comparable(this.type, x);
    const depth = x.shape.at(-1)!;
    const k = values!.shape.at(-1)!;
    const rows = depth ? data.length / depth : 0;
    const best = new (arrayOf(x.dtype))(rows * k) as unknown as number[];
    const positions = new Int32Array(rows * k);
    const order = Array.from({ length: depth }, (_, i) => i);
    for (let row = 0; row < rows; row++) {
      const from = row * depth;
      const sorted = [...order].sort((i, j) => compareDown(data[from + i]!, data[from + j]!) || i - j);
      for (let i = 0; i < k; i++) {
        positions[row * k + i] = sorted[i]!;
        best[row * k + i] = data[from + sorted[i]!]!;
      }
    }
    return [best as unknown as NumericData, asIndices(positions, indices!.dtype)];
  },
};

function compareDown(a: number, b: number): number {
  return a > b ? -1 : a < b ? 1 : 0;
}

/** ARG_MAX and ARG_MIN along one axis, and TOPK_V2 along the last; the lower index first among equals. */
export const argOps: readonly OpSpec[] = [
  arg('ARG_MAX', (x, best) => x > best),
  arg('ARG_MIN', (x, best) => x < best),
  defineOp(topK),
];
