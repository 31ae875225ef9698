import { ModelError } from '../errors.js';
import { type CpuTensor, constantInts, defineOp, type InferInput, type OpSpec, required } from '../ir/op.js';
import { type Shape, sizeOf, stridesOf } from '../ir/shape.js';
import { dot, gatherStrided, moved, padded } from './strided.js';

/** Block sizes, and what to add (or crop) before and after, of every dimension: 1 and 0 for the batch and the channels. */
interface Blocks {
  readonly sizes: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function blocksOf(inputs: readonly (InferInput | undefined)[]): Blocks | undefined {
  const { shape } = required(inputs, 0);
  const [sizes, edges] = [constantInts(required(inputs, 1)), constantInts(required(inputs, 2))];
  if (!sizes || !edges) return undefined;
  if (sizes.length >= shape.length || edges.length !== 2 * sizes.length)
    throw new ModelError('shape', `${sizes.length} blocks and ${edges.length} edges for [${shape}]`);
  if (sizes.some((b) => b < 1) || edges.some((e) => e < 0))
    throw new ModelError('block', `blocks [${sizes}], edges [${edges}]; accepted: blocks from 1, edges from 0`);
  return {
    sizes: shape.map((_, i) => sizes[i - 1] ?? 1),
    before: shape.map((_, i) => edges[2 * i - 2] ?? 0),
    after: shape.map((_, i) => edges[2 * i - 1] ?? 0),
  };
}

function paddedShape(shape: Shape, { before, after }: Blocks): Shape {
  return shape.map((d, i) => before[i]! + d + after[i]!);
}

function batchedShape(shape: Shape, blocks: Blocks): Shape {
  const { sizes } = blocks;
  const whole = paddedShape(shape, blocks);
  if (whole.some((d, i) => d % sizes[i]!)) throw new ModelError('shape', `blocks [${sizes}] do not divide [${whole}]`);
  return whole.map((d, i) => (i === 0 ? d * sizeOf(sizes) : d / sizes[i]!));
}

function spacedShape(shape: Shape, { sizes, before, after }: Blocks): Shape {
  const count = sizeOf(sizes);
  if (shape[0]! % count) throw new ModelError('shape', `blocks [${sizes}] do not divide a batch of ${shape[0]}`);
  const spaced = shape.map((d, i) => (i === 0 ? d / count : d * sizes[i]! - before[i]! - after[i]!));
  if (spaced.some((d) => d < 0)) throw new ModelError('shape', `crops leave [${spaced}] of [${shape}]`);
  return spaced;
}

/** The padded input, block offsets before the batch. */
function toBatch(x: CpuTensor, blocks: Blocks) {
  const { sizes, before } = blocks;
  const shape = paddedShape(x.shape, blocks);
  const strides = stridesOf(shape);
  const dims = [...sizes, ...shape.map((d, i) => d / sizes[i]!)];
  const steps = [...strides, ...strides.map((stride, i) => stride * sizes[i]!)];
  return gatherStrided({ ...x, shape, data: padded(x, shape, before) }, dims, steps);
}

/** Block offsets beside their dimensions, then the crop. */
function toSpace(x: CpuTensor, { sizes, before }: Blocks, cropped: Shape) {
  const blocks = [cropped[0]!, ...x.shape.slice(1)];
  const from = stridesOf([...sizes, ...blocks]);
  const dims = blocks.flatMap((d, i) => [d, sizes[i]!]);
  const steps = blocks.flatMap((_, i) => [from[sizes.length + i]!, from[i]!]);
  const shape = blocks.map((d, i) => d * sizes[i]!);
  const strides = stridesOf(shape);
  return gatherStrided({ ...x, shape, data: gatherStrided(x, dims, steps) }, cropped, strides, dot(before, strides));
}

/** SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: blocks of the space as images of the batch, and back. */
export const spaceBatchOps: readonly OpSpec[] = [
  defineOp({
    type: 'SPACE_TO_BATCH_ND',
    picks: true,
    infer(inputs) {
      const x = required(inputs, 0);
      const blocks = blocksOf(inputs);
      return [blocks && moved(x, batchedShape(x.shape, blocks))];
    },
    cpu: (inputs) => [toBatch(required(inputs, 0), blocksOf(inputs)!)],
  }),
  defineOp({
    type: 'BATCH_TO_SPACE_ND',
    picks: true,
    infer(inputs) {
      const x = required(inputs, 0);
      const blocks = blocksOf(inputs);
      return [blocks && moved(x, spacedShape(x.shape, blocks))];
    },
    cpu: (inputs, _attrs, [output]) => [toSpace(required(inputs, 0), blocksOf(inputs)!, output!.shape)],
  }),
];
