import { lanesOf, newData } from '../ir/dtype.js';
import { type CpuTensor, defineOp, type InferInput, type OpSpec, required } from '../ir/op.js';
import { broadcastShapes, sizeOf } from '../ir/shape.js';
import { broadcast, type Cells, moved } from './strided.js';

/** SELECT with a condition of rank 1 picks whole rows. */
function conditionOf<T extends InferInput>(type: string, condition: T, x: InferInput): T {
  const perRow = type === 'SELECT' && condition.shape.length === 1 && x.shape.length > 1;
  return perRow ? { ...condition, shape: [...condition.shape, ...x.shape.slice(1).map(() => 1)] } : condition;
}

/** Ops that pick elements of any type from two tensors. */
export const selectOps: readonly OpSpec[] = ['SELECT', 'SELECT_V2'].map((type) =>
  defineOp({
    type,
    picks: true,
    infer(inputs) {
      const [x, y] = [required(inputs, 1), required(inputs, 2)];
      const condition = conditionOf(type, required(inputs, 0), x);
      return [moved(x, broadcastShapes(condition.shape, x.shape, y.shape))];
    },
    cpu(inputs, _attrs, [output]) {
      const { shape, dtype } = output!;
      const [x, y] = [required(inputs, 1), required(inputs, 2)];
      const condition: CpuTensor = conditionOf(type, required(inputs, 0), x);
      const [c, a, b] = [condition, x, y].map((t) => broadcast(t, shape) as unknown as Cells) as [Cells, Cells, Cells];
      const out = newData(dtype, sizeOf(shape));
      const lanes = lanesOf(dtype);
      for (let i = 0; i < out.length; i++) {
        (out as unknown as Cells)[i] = (c[lanes === 1 ? i : Math.floor(i / lanes)] ? a : b)[i];
      }
      return [out];
    },
  }),
);
