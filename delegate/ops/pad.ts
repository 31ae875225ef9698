import { ModelError } from '../errors.js';
import { newData } from '../ir/dtype.js';
import { type CpuTensor, constantInts, defineOp, type InferInput, type OpSpec, required } from '../ir/op.js';
import { type Shape, sizeOf, stridesOf } from '../ir/shape.js';
import type { MirrorPadMode } from '../ir/vocabulary.js';
import { copyStrided, filled } from './strided.js';

const padsOf = (inputs: readonly (InferInput | undefined)[]): { lo: number[]; hi: number[] } | undefined => {
  const flat = constantInts(required(inputs, 1));
  if (!flat) return undefined;
  if (flat.some((p) => p < 0)) throw new ModelError('padding', `paddings [${flat}]; accepted: 0 or more`);
  return { lo: flat.filter((_, i) => i % 2 === 0), hi: flat.filter((_, i) => i % 2 === 1) };
};
function padShape(inputs: readonly (InferInput | undefined)[]): Shape | undefined {
  const pads = padsOf(inputs);
  return pads && required(inputs, 0).shape.map((d, i) => d + pads.lo[i]! + pads.hi[i]!);
}
const padOp = (type: string): OpSpec =>
  defineOp({
    type,
    infer: (inputs) => {
      const shape = padShape(inputs);
      return [shape && { ...required(inputs, 0), shape }];
    },
    cpu(inputs, _attrs, [output]) {
      const x = required(inputs, 0);
      const zero = x.quantization?.zeroPoints[0] ?? 0;
      const big = x.dtype === 'int64' || x.dtype === 'uint64';
      const value =
        inputs[2]?.data ??
        (big ? BigInt64Array.of(BigInt(zero)) : Float64Array.of(x.dtype === 'float32' ? 0 : zero, 0));
      const out = filled(x.dtype, sizeOf(output!.shape), value);
      const strides = stridesOf(output!.shape);
      copyStrided(
        x,
        x.shape,
        stridesOf(x.shape),
        0,
        out,
        strides,
        padsOf(inputs)!.lo.reduce((sum, p, i) => sum + p * strides[i]!, 0),
      );
      return [out];
    },
  });

const mirrorPad: OpSpec = defineOp<{ readonly mode: MirrorPadMode }>({
  type: 'MIRROR_PAD',
  infer: (inputs) => {
    const shape = padShape(inputs);
    return [shape && { ...required(inputs, 0), shape }];
  },
  cpu(inputs, { mode }, [output]) {
    const { lo } = padsOf(inputs)!;
    const edge = mode === 'SYMMETRIC' ? 1 : 0;
    let x: CpuTensor = required(inputs, 0);
    output!.shape.forEach((size, axis) => {
      const d = x.shape[axis]!;
      if (Math.max(lo[axis]!, size - d - lo[axis]!) > d - 1 + edge)
        throw new ModelError('padding', `MIRROR_PAD of axis ${axis} of [${x.shape}]; accepted: up to ${d - 1 + edge}`);
      const index = Array.from({ length: size }, (_, i) => i - lo[axis]!).map((i) =>
        i < 0 ? -i - edge : i >= d ? 2 * d - 2 - i + edge : i,
      );
      x = { ...x, shape: x.shape.map((s, i) => (i === axis ? size : s)), data: takeAlong(x, axis, index) };
    });
    return [x.data];
  },
});

/** Slices of x along an axis, in the order of `index`. */
function takeAlong(x: CpuTensor, axis: number, index: readonly number[]): CpuTensor['data'] {
  const shape = x.shape.map((d, i) => (i === axis ? index.length : d));
  const out = newData(x.dtype, sizeOf(shape));
  const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
  const one = x.shape.map((d, i) => (i === axis ? 1 : d));
  for (const [i, j] of index.entries()) copyStrided(x, one, from, j * from[axis]!, out, to, i * to[axis]!);
  return out;
}

/** Ops that put something around a tensor. */
export const padOps: readonly OpSpec[] = [padOp('PAD'), padOp('PADV2'), mirrorPad];
