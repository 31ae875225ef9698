import type { DType, TensorData } from '../../../delegate/ir/dtype.js';
import { arrayOf } from '../../../delegate/ir/dtype.js';
import type { Attrs } from '../../../delegate/ir/graph.js';
import type { CpuTensor, InferInput, OpSpec } from '../../../delegate/ir/op.js';
import { sizeOf } from '../../../delegate/ir/shape.js';

/** A float32 tensor of these values; of 0, 1, 2, … where there are none. */
export function float(shape: readonly number[], values?: readonly number[]): CpuTensor {
  return { shape, dtype: 'float32', data: Float32Array.from(values ?? Array(sizeOf(shape)).keys()) };
}

/** An int32 tensor of these values. */
export function int(shape: readonly number[], values: readonly number[]): CpuTensor {
  return { shape, dtype: 'int32', data: Int32Array.from(values) };
}

/** A zeroed tensor of a type. */
export function zeros(shape: readonly number[], dtype: DType): CpuTensor {
  return { shape, dtype, data: new (arrayOf(dtype))(sizeOf(shape)) };
}

/** The spec of an op in a list. */
export function specOf(specs: readonly OpSpec[], type: string): OpSpec {
  const spec = specs.find((candidate) => candidate.type === type);
  if (!spec) throw new Error(`${type} is not in the list`);
  return spec;
}

/** Infers an op's output shapes; `dtype` is what its outputs are declared as. */
export function inferOp(
  specs: readonly OpSpec[],
  type: string,
  inputs: readonly (InferInput | undefined)[],
  attrs: Attrs = {},
  dtype: DType = 'float32',
): (readonly number[] | undefined)[] {
  const declared = [0, 1].map(() => ({ shape: [], dtype }));
  return specOf(specs, type)
    .infer(inputs, attrs, declared)
    .map((output) => output?.shape);
}

/** Runs an op on plain memory and returns its outputs' values as lists. */
export function runOp(
  specs: readonly OpSpec[],
  type: string,
  inputs: readonly (CpuTensor | undefined)[],
  attrs: Attrs = {},
  dtype: DType = 'float32',
): (number | bigint)[][] {
  const spec = specOf(specs, type);
  const declared = [0, 1].map(() => ({ shape: [], dtype }));
  const types = spec.infer(inputs, attrs, declared).map((output) => output!);
  return spec.cpu!(inputs, attrs, types).map((data: TensorData) => [...(data as Float32Array)]);
}
