import { ModelError } from '../errors.js';
import { type CpuTensor, constantInts, defineOp, type InferInput, type OpSpec, required } from '../ir/op.js';
import { type Shape, sizeOf, stridesOf } from '../ir/shape.js';
import { copyStrided, filled, gatherStrided, moved } from './strided.js';

/** Block sizes, and what to add (or crop) before and after, of the dimensions behind the batch. */
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
  return { sizes, before: edges.filter((_, i) => i % 2 === 0), after: edges.filter((_, i) => i % 2 === 1) };
}

function paddedShape(shape: Shape, { before, after }: Blocks): Shape {
  return shape.map((d, i) => d + (before[i - 1] ?? 0) + (after[i - 1] ?? 0));
}

function batchedShape(shape: Shape, blocks: Blocks): Shape {
  const padded = paddedShape(shape, blocks);
  return padded.map((d, i) => {
    const size = i === 0 ? 1 / sizeOf(blocks.sizes) : (blocks.sizes[i - 1] ?? 1);
    if (i > 0 && d % size) throw new ModelError('shape', `blocks [${blocks.sizes}] do not divide [${padded}]`);
    return Math.round(d / size);
  });
}

function spacedShape(shape: Shape, { sizes, before, after }: Blocks): Shape {
  if (shape[0]! % sizeOf(sizes))
    throw new ModelError('shape', `blocks [${sizes}] do not divide a batch of ${shape[0]}`);
  return shape.map((d, i) => {
    if (i === 0) return d / sizeOf(sizes);
    const size = d * (sizes[i - 1] ?? 1) - (before[i - 1] ?? 0) - (after[i - 1] ?? 0);
    if (size < 0) throw new ModelError('shape', `crops leave nothing of dimension ${i} of [${shape}]`);
    return size;
  });
}

/** The padded input, block offsets before the batch. */
function toBatch(x: CpuTensor, blocks: Blocks) {
  const shape = paddedShape(x.shape, blocks);
  const strides = stridesOf(shape);
  const zero = x.quantization?.zeroPoints[0] ?? 0;
  const data = filled(
    x.dtype,
    sizeOf(shape),
    x.dtype.endsWith('int64') ? BigInt64Array.of(BigInt(zero)) : Float64Array.of(zero, 0),
  );
  copyStrided(x, x.shape, stridesOf(x.shape), 0, data, strides, offsetOf(blocks.before, strides));
  const { sizes } = blocks;
  const outer = batchedShape(x.shape, blocks).slice(1);
  const dims = [...sizes, shape[0]!, ...outer];
  const steps = [
    ...sizes.map((_, i) => strides[i + 1]!),
    strides[0]!,
    ...outer.map((_, i) => (sizes[i] ?? 1) * strides[i + 1]!),
  ];
  return gatherStrided({ ...x, shape, data }, dims, steps);
}

/** Block offsets beside their dimensions, then the crop. */
function toSpace(x: CpuTensor, { sizes, before }: Blocks, cropped: Shape) {
  const batch = cropped[0]!;
  const rest = x.shape.slice(1);
  const from = stridesOf([...sizes, batch, ...rest]);
  const m = sizes.length;
  const dims = [batch, ...rest.flatMap((d, i) => (i < m ? [d, sizes[i]!] : [d]))];
  const steps = [from[m]!, ...rest.flatMap((_, i) => (i < m ? [from[m + 1 + i]!, from[i]!] : [from[m + 1 + i]!]))];
  const shape = [batch, ...rest.map((d, i) => d * (sizes[i] ?? 1))];
  const whole = { ...x, shape, data: gatherStrided(x, dims, steps) };
  return gatherStrided(whole, cropped, stridesOf(shape), offsetOf(before, stridesOf(shape)));
}

const offsetOf = (before: readonly number[], strides: readonly number[]): number =>
  before.reduce((sum, b, i) => sum + b * strides[i + 1]!, 0);

/** SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: blocks of the space as images of the batch, and back. */
export const spaceBatchOps: readonly OpSpec[] = [
  defineOp({
    type: 'SPACE_TO_BATCH_ND',
    infer(inputs) {
      const x = required(inputs, 0);
      const blocks = blocksOf(inputs);
      return [blocks && moved(x, batchedShape(x.shape, blocks))];
    },
    cpu: (inputs) => [toBatch(required(inputs, 0), blocksOf(inputs)!)],
  }),
  defineOp({
    type: 'BATCH_TO_SPACE_ND',
    infer(inputs) {
      const x = required(inputs, 0);
      const blocks = blocksOf(inputs);
      return [blocks && moved(x, spacedShape(x.shape, blocks))];
    },
    cpu: (inputs, _attrs, [output]) => [toSpace(required(inputs, 0), blocksOf(inputs)!, output!.shape)],
  }),
];
