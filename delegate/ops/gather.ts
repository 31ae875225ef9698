import { ModelError } from '../errors.js';
import { lanesOf, newData } from '../ir/dtype.js';
import { type CpuTensor, constantInts, defineOp, type InferInput, type OpSpec, required } from '../ir/op.js';
import { normalizeAxis, sizeOf } from '../ir/shape.js';
import { dequantize } from './convert.js';
import type { Cells } from './strided.js';

interface GatherAttrs {
  readonly axis: number;
  readonly batchDims: number;
}

/** Axis and batch dimensions as positions. */
export function gatherAxes(
  x: InferInput,
  index: InferInput,
  { axis, batchDims }: GatherAttrs,
): { axis: number; batch: number } {
  const batch = batchDims < 0 ? batchDims + index.shape.length : batchDims;
  const at = normalizeAxis(axis, x.shape.length);
  if (batch < 0 || batch > at || x.shape.slice(0, batch).some((d, i) => d !== index.shape[i]))
    throw new ModelError('batch', `batch dimensions ${batchDims} of [${x.shape}] and [${index.shape}] at axis ${axis}`);
  return { axis: at, batch };
}

/** out[b, o, i, n] = x[b, o, index[b, i], n]. */
function gather(x: CpuTensor, index: CpuTensor, axis: number, batch: number, size: number) {
  const [B, O, A, N] = [
    x.shape.slice(0, batch),
    x.shape.slice(batch, axis),
    [x.shape[axis]!],
    x.shape.slice(axis + 1),
  ].map(sizeOf) as [number, number, number, number];
  const I = sizeOf(index.shape.slice(batch));
  const out = newData(x.dtype, size);
  const inner = N * lanesOf(x.dtype);
  const from = x.data as unknown as Cells;
  const to = out as unknown as Cells;
  let at = 0;
  for (let b = 0; b < B; b++)
    for (let o = 0; o < O; o++)
      for (let i = 0; i < I; i++) {
        const j = Number(index.data[b * I + i]);
        if (j < 0 || j >= A) throw new ModelError('index', `index ${j} of GATHER along an axis of ${A}`);
        for (let n = 0; n < inner; n++) to[at++] = from[((b * O + o) * A + j) * inner + n];
      }
  return out;
}

/** Slices of x along an axis, in the order of `index`. */
export function takeAlong(x: CpuTensor, axis: number, index: readonly number[]): CpuTensor {
  const shape = x.shape.map((d, i) => (i === axis ? index.length : d));
  const indices: CpuTensor = { shape: [index.length], dtype: 'int32', data: Int32Array.from(index) };
  return { ...x, shape, data: gather(x, indices, axis, 0, sizeOf(shape)) };
}

/** Ops that pick elements by index. */
export const gatherOps: readonly OpSpec[] = [
  defineOp<GatherAttrs>({
    type: 'GATHER',
    picks: true,
    infer(inputs, attrs) {
      const [x, index] = [required(inputs, 0), required(inputs, 1)];
      const { axis, batch } = gatherAxes(x, index, attrs);
      return [{ ...x, shape: [...x.shape.slice(0, axis), ...index.shape.slice(batch), ...x.shape.slice(axis + 1)] }];
    },
    cpu(inputs, attrs, [output]) {
      const [x, index] = [required(inputs, 0), required(inputs, 1)];
      const { axis, batch } = gatherAxes(x, index, attrs);
      return [gather(x, index, axis, batch, sizeOf(output!.shape))];
    },
  }),
  defineOp({
    type: 'EMBEDDING_LOOKUP',
    picks: true,
    infer(inputs, _attrs, outputs) {
      const [ids, table] = [required(inputs, 0), required(inputs, 1)];
      return [{ ...outputs[0], dtype: outputs[0]!.dtype, shape: [...ids.shape, ...table.shape.slice(1)] }];
    },
    cpu(inputs, _attrs, [output]) {
      const [ids, table] = [required(inputs, 0), required(inputs, 1)];
      const data = gather(table, ids, 0, 0, sizeOf(output!.shape));
      if (output!.dtype === table.dtype || !table.quantization) return [data];
      const { scales, zeroPoints } = table.quantization;
      const rowOf = <T>(list: readonly T[]) => (list.length > 1 ? constantInts(ids)!.map((id) => list[id]!) : list);
      const quantization = { scales: rowOf(scales), zeroPoints: rowOf(zeroPoints), quantizedDimension: 0 };
      const shape = [ids.data.length, sizeOf(table.shape.slice(1))];
      // TFLite reads uint8 tables as int8 bytes here.
      const bytes = table.dtype === 'uint8' ? new Int8Array((data as Uint8Array).buffer) : data;
      return [dequantize({ shape, dtype: 'int8', data: bytes, quantization })];
    },
  }),
  defineOp({
    type: 'GATHER_ND',
    picks: true,
    infer(inputs) {
      const [x, index] = [required(inputs, 0), required(inputs, 1)];
      return [{ ...x, shape: [...index.shape.slice(0, -1), ...x.shape.slice(index.shape.at(-1)!)] }];
    },
    cpu(inputs, _attrs, [output]) {
      const [x, index] = [required(inputs, 0), required(inputs, 1)];
      const depth = index.shape.at(-1)!;
      const inner = sizeOf(x.shape.slice(depth)) * lanesOf(x.dtype);
      const out = newData(x.dtype, sizeOf(output!.shape));
      const indices = constantInts(index)!;
      for (let i = 0; i < sizeOf(index.shape.slice(0, -1)); i++) {
        let at = 0;
        for (let d = 0; d < depth; d++) {
          const j = indices[i * depth + d]!;
          if (j < 0 || j >= x.shape[d]!)
            throw new ModelError('index', `index ${j} of GATHER_ND along an axis of ${x.shape[d]}`);
          at = at * x.shape[d]! + j;
        }
        for (let n = 0; n < inner; n++)
          (out as unknown as Cells)[i * inner + n] = (x.data as unknown as Cells)[at * inner + n];
      }
      return [out];
    },
  }),
];
