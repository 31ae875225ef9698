import { UnsupportedError } from '../errors.js';
import { newData, type TensorData } from '../ir/dtype.js';
import type { TensorType } from '../ir/graph.js';
import type { CpuTensor } from '../ir/op.js';
import { sameShape, sizeOf } from '../ir/shape.js';
import { broadcastStrides, eachStrided } from './strided.js';

type Numbers = Record<number, number>;

/** f of the operands, broadcast to the output's shape. 64-bit integers go through `exact`, which works on bigints. */
export function elementwise(
  output: TensorType,
  operands: readonly CpuTensor[],
  f: (...x: number[]) => number,
  exact?: (...x: bigint[]) => bigint | number,
): TensorData {
  const out = newData(output.dtype, sizeOf(output.shape));
  const [a, b, c] = operands.map((o) => expand(o, output.shape));
  const wide = operands.some((o) => o.dtype === 'int64' || o.dtype === 'uint64');
  if (wide && !exact && output.dtype !== 'bool')
    throw new UnsupportedError(`${operands[0]!.dtype} operand; this op has no 64-bit form here`);
  const call = (wide && exact ? exact : f) as (...x: unknown[]) => number;
  const cells = out as unknown as Numbers;
  const n = out.length;
  if (!b) for (let i = 0; i < n; i++) cells[i] = call(a![i]);
  else if (!c) for (let i = 0; i < n; i++) cells[i] = call(a![i], b[i]);
  else for (let i = 0; i < n; i++) cells[i] = call(a![i], b[i], c[i]);
  return out;
}

/** The operand's elements in the order of the output's. */
function expand(x: CpuTensor, shape: readonly number[]): Record<number, unknown> {
  if (sameShape(x.shape, shape)) return x.data as unknown as Record<number, unknown>;
  const out = newData(x.dtype, sizeOf(shape)) as unknown as Record<number, unknown>;
  const data = x.data as unknown as Record<number, unknown>;
  eachStrided(shape, broadcastStrides(x.shape, shape), 0, (to, from) => {
    out[to] = data[from];
  });
  return out;
}
