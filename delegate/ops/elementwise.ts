import { UnsupportedError } from '../errors.js';
import { floatToHalf, halvesToFloats, newData, type TensorData } from '../ir/dtype.js';
import { isQuantized, type TensorType } from '../ir/graph.js';
import type { CpuTensor } from '../ir/op.js';
import { sizeOf } from '../ir/shape.js';
import { broadcast, type Cells } from './strided.js';

/**
 * f of the operands, broadcast to the output's shape. Halves are computed as floats. 64-bit integers go through
 * `exact`, which works on bigints; where the output is bool, f takes them.
 */
export function elementwise(
  output: TensorType,
  operands: readonly CpuTensor[],
  f: (...x: number[]) => number,
  exact?: (...x: bigint[]) => bigint,
): TensorData {
  const wide = operands.some((o) => o.dtype === 'int64' || o.dtype === 'uint64');
  if (wide && !exact && output.dtype !== 'bool')
    throw new UnsupportedError(`${operands[0]!.dtype} operand; this op has no 64-bit form here`);
  const call = (wide && exact ? exact : f) as (...x: unknown[]) => unknown;
  const half = output.dtype === 'float16';
  const out = newData(half ? 'float32' : output.dtype, sizeOf(output.shape));
  const [a, b] = operands.map((o) => valuesOf(o, output.shape));
  const cells = out as unknown as Cells;
  const n = out.length;
  if (!b) for (let i = 0; i < n; i++) cells[i] = call(a![i]);
  else for (let i = 0; i < n; i++) cells[i] = call(a![i], b[i]);
  return half ? Uint16Array.from(out as Float32Array, floatToHalf) : out;
}

function valuesOf(x: CpuTensor, shape: readonly number[]): Cells {
  const data = broadcast(x, shape);
  return (x.dtype === 'float16' ? halvesToFloats(data as Uint16Array) : data) as unknown as Cells;
}

/** Refuses operands whose stored values are not the numbers that they stand for. */
export function expectNumbers(op: string, ...operands: readonly CpuTensor[]): void {
  for (const operand of operands) {
    const { dtype, shape, data } = operand;
    const found = isQuantized(operand) ? 'quantised ' : data.length < sizeOf(shape) ? 'sparse ' : '';
    if (found || /^(complex|string|resource|variant|bfloat|float8)/.test(dtype))
      throw new UnsupportedError(
        `${op}: ${found}${dtype} operand of shape [${shape}]; the CPU path takes plain numbers`,
      );
  }
}
