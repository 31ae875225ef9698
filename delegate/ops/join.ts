import { ModelError, UnsupportedError } from '../errors.js';
import { newData } from '../ir/dtype.js';
import { haveOneGrid, isQuantized } from '../ir/graph.js';
import { constantInts, defineOp, type InferInput, type OpSpec, required } from '../ir/op.js';
import { normalizeAxis, type Shape, sizeOf, stridesOf } from '../ir/shape.js';
import { copyStrided, gatherStrided } from './strided.js';

interface AxisAttrs {
  readonly axis: number;
}
const at = (inputs: readonly (InferInput | undefined)[], i: number): number[] | undefined =>
  constantInts(required(inputs, i));
const rankOf = (x: { readonly shape: Shape }): number => x.shape.length;

/** An op with several outputs that are sections of its input along an axis. */
function sections<A>(
  type: string,
  input: number,
  parts: (
    inputs: readonly (InferInput | undefined)[],
    attrs: A,
    count: number,
  ) => { axis: number; sizes: readonly number[]; keep: boolean } | undefined,
): OpSpec {
  return defineOp<A>({
    type,
    picks: true,
    infer(inputs, attrs, outputs) {
      const p = parts(inputs, attrs, outputs.length);
      const x = required(inputs, input);
      if (!p) return outputs.map(() => undefined);
      return p.sizes.map((s) => ({ ...x, shape: x.shape.flatMap((d, i) => (i !== p.axis ? [d] : p.keep ? [s] : [])) }));
    },
    cpu(inputs, attrs, outputs) {
      const { axis, sizes } = parts(inputs, attrs, outputs.length)!;
      const x = required(inputs, input);
      const strides = stridesOf(x.shape);
      let start = 0;
      return sizes.map((size) => {
        const data = gatherStrided(
          x,
          x.shape.map((d, i) => (i === axis ? size : d)),
          strides,
          start * strides[axis]!,
        );
        start += size;
        return data;
      });
    },
  });
}

/** Puts inputs side by side along an axis; `shapeOf` is the shape that an input has in the result. */
function joined(type: string, shapeOf: (x: InferInput, axis: number) => Shape, rankPlus: 0 | 1): OpSpec {
  const place = (inputs: readonly (InferInput | undefined)[], { axis }: AxisAttrs) => {
    const all = inputs.map((_, i) => required(inputs, i));
    const i = normalizeAxis(axis, rankOf(all[0]!) + rankPlus);
    const shapes = all.map((x) => shapeOf(x, i));
    const [first] = shapes as [Shape];
    for (const s of shapes)
      if (s.length !== first.length || s.some((d, k) => k !== i && d !== first[k]))
        throw new ModelError('shape', `[${s}] and [${first}] do not join along axis ${i}`);
    return { all, i, shapes, shape: first.map((d, k) => (k === i ? shapes.reduce((sum, s) => sum + s[i]!, 0) : d)) };
  };
  return defineOp<AxisAttrs>({
    type,
    picks: true,
    infer: (inputs, attrs, outputs) => [
      { ...outputs[0], dtype: required(inputs, 0).dtype, shape: place(inputs, attrs).shape },
    ],
    cpu(inputs, attrs) {
      const { all, i, shapes, shape } = place(inputs, attrs);
      if (isQuantized(all[0]!) && !all.every((x) => haveOneGrid(x, all[0]!)))
        throw new UnsupportedError(`${type}: quantised operands of different scales`);
      const out = newData(required(inputs, 0).dtype, sizeOf(shape));
      const strides = stridesOf(shape);
      let start = 0;
      inputs.forEach((x, k) => {
        copyStrided(x!, shapes[k]!, stridesOf(shapes[k]!), 0, out, strides, start * strides[i]!);
        start += shapes[k]![i]!;
      });
      return [out];
    },
  });
}

/** Ops that cut a tensor along an axis, and that join tensors. */
export const joinOps: readonly OpSpec[] = [
  sections('SPLIT', 1, (inputs, _attrs, count) => {
    const axes = at(inputs, 0);
    const x = required(inputs, 1);
    if (!axes) return undefined;
    const axis = normalizeAxis(axes[0]!, rankOf(x));
    if (x.shape[axis]! % count)
      throw new ModelError('shape', `axis ${axis} of [${x.shape}] does not split into ${count}`);
    return { axis, sizes: Array.from({ length: count }, () => x.shape[axis]! / count), keep: true };
  }),
  sections('SPLIT_V', 0, (inputs) => {
    const [sizes, axes] = [at(inputs, 1), at(inputs, 2)];
    const x = required(inputs, 0);
    if (!sizes || !axes) return undefined;
    const axis = normalizeAxis(axes[0]!, rankOf(x));
    const rest = x.shape[axis]! - sizes.reduce((sum, s) => sum + Math.max(s, 0), 0);
    const found = sizes.map((s) => (s === -1 ? rest : s));
    if (rest < 0 || found.reduce((a, b) => a + b, 0) !== x.shape[axis])
      throw new ModelError('shape', `sizes [${sizes}] do not fill axis ${axis} of [${x.shape}]`);
    return { axis, sizes: found, keep: true };
  }),
  sections<AxisAttrs>('UNPACK', 0, (inputs, attrs, count) => {
    const x = required(inputs, 0);
    const axis = normalizeAxis(attrs.axis, rankOf(x));
    if (x.shape[axis] !== count)
      throw new ModelError('shape', `axis ${axis} of [${x.shape}] does not unpack into ${count}`);
    return { axis, sizes: Array.from({ length: count }, () => 1), keep: false };
  }),
  joined('CONCATENATION', ({ shape }) => shape, 0),
  joined('PACK', ({ shape }, axis) => [...shape.slice(0, axis), 1, ...shape.slice(axis)], 1),
];
