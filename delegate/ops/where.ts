import { defineOp, type InferInput, type OpSpec, required, typed } from '../ir/op.js';
import { stridesOf } from '../ir/shape.js';

/** Positions of the elements that are not 0; NaN counts. */
function truePositions({ data }: InferInput): number[] {
  const found: number[] = [];
  for (let i = 0; i < data!.length; i++) if (data![i] !== 0 && data![i] !== 0n) found.push(i);
  return found;
}

/** WHERE: the coordinates of all true elements, a row each. */
export const whereOps: readonly OpSpec[] = [
  defineOp({
    type: 'WHERE',
    onStored: true,
    infer(inputs) {
      const x = required(inputs, 0);
      return [x.data && typed([truePositions(x).length, x.shape.length], 'int64')];
    },
    cpu(inputs) {
      const x = required(inputs, 0);
      const strides = stridesOf(x.shape);
      const rows = truePositions(x).flatMap((at) =>
        strides.map((stride, d) => BigInt(Math.floor(at / stride) % x.shape[d]!)),
      );
      return [BigInt64Array.from(rows)];
    },
  }),
];
