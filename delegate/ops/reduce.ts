import { UnsupportedError } from '../errors.js';
import { arrayOf, type DType } from '../ir/dtype.js';
import { type CpuTensor, constantInts, defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { normalizeAxis, type Shape, sizeOf, stridesOf } from '../ir/shape.js';
import { type Reduction, reducersOf } from './reducers.js';
import { gatherStrided } from './strided.js';

/** Attributes of the reductions. Inputs: x, axes as a scalar or a vector (negative and repeated axes allowed). */
export interface ReduceAttrs {
  /** Reduced dimensions stay, with size 1. */
  readonly keepDims: boolean;
}

function reduction(type: Reduction): OpSpec {
  return defineOp<ReduceAttrs>({
    type,
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

/** Brings the elements of each output together, in their order, and folds them. */
function reduce(type: Reduction, x: CpuTensor, axes: ReadonlySet<number>, size: number) {
  const reducer = reducersOf(x.dtype)?.(type);
  if (!reducer) throw new UnsupportedError(`${type}: ${x.dtype} operand; the CPU path takes ${acceptedTypes(type)}`);
  const order = [...x.shape.keys()].sort((a, b) => Number(axes.has(a)) - Number(axes.has(b)));
  const strides = stridesOf(x.shape);
  const data = gatherStrided(
    x,
    order.map((axis) => x.shape[axis]!),
    order.map((axis) => strides[axis]!),
  ) as unknown as Cells;
  const count = sizeOf([...axes].map((axis) => x.shape[axis]!));
  const out = new (arrayOf(x.dtype))(size);
  for (let i = 0, at = 0; i < size; i++) {
    let sum = reducer.initial;
    for (let k = 0; k < count; k++) sum = reducer.fold(sum, data[at++]!);
    (out as unknown as Cells)[i] = reducer.finish(sum, count);
  }
  return out;
}

function acceptedTypes(type: Reduction): string {
  const dtypes: readonly DType[] = ['float32', 'int32', 'int64', 'int8', 'uint8', 'int16', 'bool'];
  return dtypes.filter((dtype) => reducersOf(dtype)?.(type)).join(', ');
}

/** MEAN, SUM, and the REDUCE_ ops, over any axes. */
export const reduceOps: readonly OpSpec[] = (
  ['MEAN', 'SUM', 'REDUCE_MAX', 'REDUCE_MIN', 'REDUCE_PROD', 'REDUCE_ANY', 'REDUCE_ALL'] as const
).map(reduction);
