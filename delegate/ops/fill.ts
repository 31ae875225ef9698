import { ModelError } from '../errors.js';
import { type NumericData, newData } from '../ir/dtype.js';
import { constantInts, defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { normalizeAxis, sizeOf, stridesOf } from '../ir/shape.js';
import { type Cells, filled } from './strided.js';

interface CumsumAttrs {
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** Ops that make values: constants of a shape, ranges, running sums, one-hot vectors. */
export const fillOps: readonly OpSpec[] = [
  defineOp({
    type: 'FILL',
    picks: true,
    infer: (inputs) => {
      const dims = constantInts(required(inputs, 0));
      return [dims && { ...required(inputs, 1), shape: dims }];
    },
    cpu: (inputs, _attrs, [output]) => [filled(output!.dtype, sizeOf(output!.shape), required(inputs, 1).data)],
  }),
  defineOp({
    type: 'RANGE',
    infer: (inputs) => {
      const [start, limit, delta] = [0, 1, 2]
        .map((i) => required(inputs, i).data?.[0])
        .map((v) => (v === undefined ? v : Number(v)));
      if (start === undefined || limit === undefined || delta === undefined) return [undefined];
      if (delta === 0) throw new ModelError('range', 'RANGE with a delta of 0');
      return [typed([Math.max(0, Math.ceil((limit - start) / delta))], required(inputs, 0).dtype)];
    },
    cpu(inputs, _attrs, [output]) {
      const [start, , delta] = inputs.map((v) => v!.data[0] as number);
      const out = newData(output!.dtype, sizeOf(output!.shape)) as unknown as Record<number, number | bigint>;
      const n = sizeOf(output!.shape);
      for (let i = 0; i < n; i++)
        out[i] = typeof start === 'bigint' ? (start as bigint) + BigInt(i) * BigInt(delta!) : start! + i * delta!;
      return [out as unknown as NumericData];
    },
  }),
  defineOp<CumsumAttrs>({
    type: 'CUMSUM',
    infer: (inputs) => [required(inputs, 0)],
    cpu(inputs, { exclusive, reverse }, [output]) {
      const x = required(inputs, 0);
      const axis = normalizeAxis(Number(required(inputs, 1).data[0]), x.shape.length);
      const step = stridesOf(x.shape)[axis]!;
      const d = x.shape[axis]!;
      const out = newData(output!.dtype, x.data.length) as unknown as Record<number, number>;
      const data = x.data as unknown as Record<number, number>;
      for (let i = 0; i < x.data.length; i++) {
        if (Math.floor(i / step) % d !== 0) continue;
        let sum = typeof data[i] === 'bigint' ? (0n as unknown as number) : 0;
        for (let k = 0; k < d; k++) {
          const at = i + (reverse ? d - 1 - k : k) * step;
          if (exclusive) out[at] = sum;
          sum += data[at]!;
          if (!exclusive) out[at] = sum;
        }
      }
      return [out as unknown as NumericData];
    },
  }),
  defineOp<{ readonly axis: number }>({
    type: 'ONE_HOT',
    picks: true,
    infer(inputs, { axis }) {
      const [index, depth, on] = [required(inputs, 0), constantInts(required(inputs, 1)), required(inputs, 2)];
      if (!depth) return [undefined];
      const at = axis < 0 ? index.shape.length + 1 + axis : axis;
      return [{ ...on, shape: [...index.shape.slice(0, at), depth[0]!, ...index.shape.slice(at)] }];
    },
    cpu(inputs, { axis }, [output]) {
      const [index, on, off] = [required(inputs, 0), required(inputs, 2), required(inputs, 3)];
      const at = axis < 0 ? index.shape.length + 1 + axis : axis;
      const inner = sizeOf(index.shape.slice(at));
      const depth = output!.shape[at]!;
      const out = filled(output!.dtype, sizeOf(output!.shape), off.data) as unknown as Cells;
      for (let i = 0; i < index.data.length; i++) {
        const j = Number(index.data[i]);
        if (j >= 0 && j < depth) out[(Math.floor(i / inner) * depth + j) * inner + (i % inner)] = on.data[0];
      }
      return [out as unknown as NumericData];
    },
  }),
];
