import { ModelError, UnsupportedError } from '../errors.js';
import type { DType } from '../ir/dtype.js';
import type { TensorType } from '../ir/graph.js';
import type { CpuTensor } from '../ir/op.js';
import { sizeOf } from '../ir/shape.js';

/** The values of a float32 operand. Throws UnsupportedError for other types: quantised arithmetic is not float arithmetic. */
export function needsFloat(op: string, tensor: CpuTensor): Float32Array {
  const { dtype, shape, data } = tensor;
  if (dtype === 'float32' && data.length === sizeOf(shape)) return data as Float32Array;
  const found = dtype === 'float32' ? `sparse operand, ${data.length} values` : `${dtype} operand`;
  throw new UnsupportedError(`${op}: ${found} of shape [${shape}]; the CPU path takes dense float32`);
}

/** The output's type of an arithmetic op: float32 stays float32, quantised types are what the file declares. */
export function arithmeticType(input: TensorType, outputs: readonly TensorType[]): DType {
  return input.dtype === 'float32' ? 'float32' : (outputs[0]?.dtype ?? input.dtype);
}

/** Throws ModelError where the operand called `what` has another rank. */
export function expectRank(what: string, { shape }: TensorType, rank: number): void {
  if (shape.length !== rank) {
    throw new ModelError('shape', `${what} is [${shape}], of rank ${shape.length}; accepted: rank ${rank}`);
  }
}

/** Throws ModelError where a bias is there and does not hold one value per output channel. */
export function expectBias(bias: TensorType | undefined, channels: number): void {
  const size = bias?.shape.reduce((product, d) => product * d, 1);
  if (size !== undefined && size !== channels) {
    throw new ModelError('shape', `bias is [${bias!.shape}]; accepted: one value for each of the ${channels} outputs`);
  }
}
