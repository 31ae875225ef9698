/**
 * Any batch size from one compilation: the graph is compiled for one image and runs image by image. That is right only
 * where no op mixes images, which is checked by comparing the shapes for one image and for two, op by op.
 */
import {
  type CpuTensor,
  type Graph,
  lanesOf,
  type Node,
  newData,
  nodeName,
  quoted,
  type Shape,
  sameShape,
  sizeOf,
  type TensorData,
  type Value,
} from '../../delegate/index.js';
import { type InferenceContext, inferShapes, isStatic, type ShapedGraph } from './shapes.js';

/** How to run a batch image by image. */
export interface BatchPlan {
  readonly images: number;
  /** Shapes of the inputs for one image. */
  readonly shapes: readonly Shape[];
  /** Which inputs and outputs have one part per image; the others are the same for all. */
  readonly inputs: readonly boolean[];
  readonly outputs: readonly boolean[];
}

/** Plans the inputs' shapes as a batch, or says why that is not possible; `undefined` where no input has a batch. */
export function planBatch(
  file: Graph,
  shapes: readonly Shape[],
  context: InferenceContext,
): BatchPlan | { readonly declined: string } | undefined {
  const inputs = file.inputs.map(
    (value, i) => value.shape.length > 0 && (value.shapeSignature?.[0] === -1 || shapes[i]![0] !== value.shape[0]),
  );
  const sizes = new Set(shapes.filter((_, i) => inputs[i]).map((shape) => shape[0]!));
  if (sizes.size === 0) return undefined;
  const [images] = [...sizes] as [number];
  if (sizes.size > 1) return { declined: `inputs have the batches ${[...sizes].join(' and ')}` };
  if (images < 1) return { declined: `the batch is ${images}` };

  const shapesFor = (batch: number) => shapes.map((shape, i) => (inputs[i] ? [batch, ...shape.slice(1)] : shape));
  try {
    const one = inferShapes(file, shapesFor(1), context);
    const two = inferShapes(file, shapesFor(2), context);
    const found = followImages(one, two, inputs, context);
    if (typeof found === 'string') return { declined: found };
    return { images, shapes: shapesFor(1), inputs, outputs: one.graph.outputs.map(({ id }) => found.has(id)) };
  } catch (error) {
    return { declined: error instanceof Error ? error.message : String(error) };
  }
}

/** The part of a batched input that is one image. */
export function imageOf(data: TensorData, image: number, images: number): TensorData {
  const size = data.length / images;
  return ArrayBuffer.isView(data)
    ? data.subarray(image * size, (image + 1) * size)
    : data.slice(image * size, (image + 1) * size);
}

/** Joins the images of an output along dimension 0. */
export function joinImages(parts: readonly CpuTensor[]): CpuTensor {
  const { shape, dtype } = parts[0]!;
  const size = sizeOf(shape);
  const whole = [shape[0]! * parts.length, ...shape.slice(1)];
  if (dtype === 'string')
    return { shape: whole, dtype, data: parts.flatMap(({ data }) => [...(data as readonly Uint8Array[])]) };
  const data = newData(dtype, size * parts.length) as Float32Array;
  for (const [i, part] of parts.entries()) data.set(part.data as Float32Array, i * size * lanesOf(dtype));
  return { shape: whole, dtype, data };
}

/** Ids of the values that have one part per image, or why an op mixes images. */
function followImages(
  one: ShapedGraph,
  two: ShapedGraph,
  inputs: readonly boolean[],
  { ops }: InferenceContext,
): Set<number> | string {
  const batched = new Set(one.graph.inputs.filter((_, i) => inputs[i]).map(({ id }) => id));
  const varying = new Set<number>();
  for (const [i, node] of one.graph.nodes.entries()) {
    const doubled = two.graph.nodes[i]!;
    if (ops.get(node.type)?.stateful || node.inputs.some((value) => value?.isVariable))
      return `${nodeName(node)} keeps state`;
    if (node.outputs.length > 0 && node.outputs.every((value) => one.known.has(value))) {
      node.outputs.forEach((value, o) => {
        if (!sameData(one.known.get(value), two.known.get(doubled.outputs[o]!))) varying.add(value.id);
      });
      continue;
    }
    if (node.inputs.some((value, p) => value && varying.has(value.id) && !SHAPE_OPERANDS.get(node.type)?.includes(p))) {
      return `${nodeName(node)} reads the batch size`;
    }
    const read = node.inputs.filter((value): value is Value => value !== undefined && batched.has(value.id));
    const scales = node.outputs.map((value, o) => isScaled(value.shape, doubled.outputs[o]!.shape));
    if (read.length === 0) {
      if (node.outputs.some((value, o) => !scales[o] && !sameShape(value.shape, doubled.outputs[o]!.shape)))
        return mixes(node);
      if (node.outputs.some(({ shape }) => !isStatic(shape)))
        return `${nodeName(node)} has a shape that only running tells`;
    } else if (!scales.every(Boolean) || !keepsImagesApart(node, read)) {
      return mixes(node);
    }
    for (const [o, value] of node.outputs.entries()) if (scales[o]) batched.add(value.id);
  }
  const varies = one.graph.outputs.find(({ id }) => varying.has(id));
  return varies ? `output ${quoted(varies.name)} tells the batch size` : batched;
}

function mixes(node: Node): string {
  return `${nodeName(node)} may mix images`;
}

function isScaled(one: Shape, two: Shape): boolean {
  if (one.length === 0 || one.length !== two.length || !isStatic(one)) return false;
  return two[0] === 2 * one[0]! && sameShape(one.slice(1), two.slice(1)) && one[0]! > 0;
}

function sameData(a: TensorData | undefined, b: TensorData | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.length === b.length &&
    Array.from(a as ArrayLike<unknown>).every((x, i) => x === b[i])
  );
}

/** Operands that only say how large the output is: the shapes already show what they do. */
const SHAPE_OPERANDS: ReadonlyMap<string, readonly number[]> = new Map([
  ['RESHAPE', [1]],
  ['BROADCAST_TO', [1]],
  ['FILL', [0]],
  ['SLICE', [2]],
  ['STRIDED_SLICE', [2]],
  ['TRANSPOSE_CONV', [0]],
  ['CONV_3D_TRANSPOSE', [0]],
]);

/** Ops that keep images in order when they keep the elements in order. */
const REGROUPING = new Set(['RESHAPE', 'SQUEEZE', 'EXPAND_DIMS', 'FULLY_CONNECTED']);
/** Ops along the last dimension, which must not be the batch. */
const LAST_AXIS = new Set(['SOFTMAX', 'LOG_SOFTMAX', 'L2_NORMALIZATION']);

/** Ops that may mix the indices of dimension 0. All other built-in ops treat it index by index where their output grows with it. */
export const MIXING: ReadonlySet<string> = new Set(
  `TOPK_V2 DENSIFY REVERSE_V2 SHAPE RANK BROADCAST_ARGS SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND EMBEDDING_LOOKUP GATHER_ND WHERE
  FILL RANGE CUMSUM`.split(/\s+/),
);

function keepsImagesApart(node: Node, batched: readonly Value[]): boolean {
  if (REGROUPING.has(node.type)) return true;
  const rows = batched[0]!.shape[0];
  if (batched.some(({ shape }) => shape[0] !== rows) || node.outputs.some(({ shape }) => shape[0] !== rows))
    return false;
  if (LAST_AXIS.has(node.type)) return batched[0]!.shape.length > 1;
  if (node.type === 'STRIDED_SLICE') return Number((node.inputs[3]?.data as ArrayLike<number> | undefined)?.[0]) === 1;
  if (node.type === 'GATHER') return !batched.includes(node.inputs[0]!) || node.attrs.axis !== 0;
  return !MIXING.has(node.type);
}
