import { UnsupportedError } from '../errors.js';
import { arrayOf, type DType } from '../ir/dtype.js';
import { type CpuTensor, constantInts, defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { normalizeAxis, type Shape, sizeOf } from '../ir/shape.js';
import { type Reduction, reducersOf } from './reducers.js';

/** Attributes of the reductions. Inputs: x, axes as a scalar or a vector (negative and repeated axes allowed). */
export interface ReduceAttrs {
  /** Reduced dimensions stay, with size 1. */
  readonly keepDims: boolean;
}

function reduction(type: Reduction): OpSpec {
  return defineOp<ReduceAttrs>({
    type,
    picks: type === 'REDUCE_MAX' || type === 'REDUCE_MIN',
    infer(inputs, attrs) {
      const x = required(inputs, 0);
      const axes = constantInts(required(inputs, 1));
      return [axes && typed(reducedShape(x.shape, axes, attrs.keepDims), x.dtype)];
    },
    cpu(inputs, _attrs, [output]) {
      const x = required(inputs, 0);
      const axes = axesOf(x.shape, constantInts(required(inputs, 1))!);
      return [reduce(type, x, axes, sizeOf(output!.shape))];
    },
  });
}

/** The axes without repetition, as 0 … rank−1. A scalar has none, whatever the file says. */
export function axesOf(shape: Shape, axes: readonly number[]): ReadonlySet<number> {
  return new Set(shape.length === 0 ? [] : axes.map((axis) => normalizeAxis(axis, shape.length)));
}

/** The shape that reducing over the axes leaves. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  const reduced = axesOf(shape, axes);
  return keepDims ? shape.map((d, i) => (reduced.has(i) ? 1 : d)) : shape.filter((_, i) => !reduced.has(i));
}

type Cells = Record<number, number | bigint>;

/** Runs over the input once, row by row of its innermost run, and folds each element into its output. */
function reduce(type: Reduction, x: CpuTensor, axes: ReadonlySet<number>, size: number) {
  const reducer = reducersOf(x.dtype)?.(type);
  if (!reducer) throw new UnsupportedError(`${type}: ${x.dtype} operand; the CPU path takes ${acceptedTypes(type)}`);
  const runs = runsOf(x.shape, axes);
  const count = runs.reduce((product, run) => (run.isReduced ? product * run.size : product), 1);
  const data = x.data as unknown as Cells;
  const sums = x.dtype === 'int64' ? new BigInt64Array(size) : new Float64Array(size);
  const cells = sums as unknown as Cells;
  const out = new (arrayOf(x.dtype))(size);
  for (let i = 0; i < size; i++) cells[i] = reducer.initial;
  const inner = runs.at(-1)!;
  const step = inner.isReduced ? 0 : 1;
  const rows = sizeOf(x.shape) / Math.max(inner.size, 1);
  for (let row = 0, at = 0; row < rows; row++) {
    let to = outputOf(row, runs);
    for (let i = 0; i < inner.size; i++, to += step) cells[to] = reducer.fold(cells[to]!, data[at++]!);
  }
  for (let i = 0; i < size; i++) (out as unknown as Cells)[i] = reducer.finish(cells[i]!, count);
  return out;
}

/** Neighbouring dimensions of the same fate, taken together; `stride` is in elements of the output, 0 where reduced. */
interface Run {
  size: number;
  readonly isReduced: boolean;
  stride: number;
}

function runsOf(shape: Shape, axes: ReadonlySet<number>): readonly Run[] {
  const runs: Run[] = [{ size: 1, isReduced: axes.has(0), stride: 0 }];
  for (const [axis, size] of shape.entries()) {
    const isReduced = axes.has(axis);
    if (runs.at(-1)!.isReduced === isReduced) runs.at(-1)!.size *= size;
    else runs.push({ size, isReduced, stride: 0 });
  }
  let stride = 1;
  for (const run of [...runs].reverse()) {
    if (run.isReduced) continue;
    run.stride = stride;
    stride *= run.size;
  }
  return runs;
}

/** Where in the output a row of the innermost run goes. */
function outputOf(row: number, runs: readonly Run[]): number {
  let to = 0;
  let rest = row;
  for (let i = runs.length - 2; i >= 0; i--) {
    const { size, stride } = runs[i]!;
    to += (rest % size) * stride;
    rest = Math.floor(rest / size);
  }
  return to;
}

function acceptedTypes(type: Reduction): string {
  const dtypes: readonly DType[] = ['float32', 'int32', 'int64', 'int8', 'uint8', 'int16', 'bool'];
  return dtypes.filter((dtype) => reducersOf(dtype)?.(type)).join(', ');
}

/** MEAN, SUM, and the REDUCE_ ops, over any axes. */
export const reduceOps: readonly OpSpec[] = (
  ['MEAN', 'SUM', 'REDUCE_MAX', 'REDUCE_MIN', 'REDUCE_PROD', 'REDUCE_ANY', 'REDUCE_ALL'] as const
).map(reduction);
