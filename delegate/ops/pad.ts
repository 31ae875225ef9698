import { ModelError } from '../errors.js';
import { type CpuTensor, constantInts, defineOp, type InferInput, type OpSpec, required } from '../ir/op.js';
import type { Shape } from '../ir/shape.js';
import type { MirrorPadMode } from '../ir/vocabulary.js';
import { takeAlong } from './gather.js';
import { padded } from './strided.js';

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
    picks: true,
    infer: (inputs) => {
      const shape = padShape(inputs);
      return [shape && { ...required(inputs, 0), shape }];
    },
    cpu(inputs, _attrs, [output]) {
      return [padded(required(inputs, 0), output!.shape, padsOf(inputs)!.lo, inputs[2]?.data)];
    },
  });

const mirrorPad: OpSpec = defineOp<{ readonly mode: MirrorPadMode }>({
  type: 'MIRROR_PAD',
  picks: true,
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
      x = takeAlong(x, axis, index);
    });
    return [x.data];
  },
});

/** Ops that put something around a tensor. */
export const padOps: readonly OpSpec[] = [padOp('PAD'), padOp('PADV2'), mirrorPad];
