// One line per op: the TensorFlow.js call that computes it, fused where TensorFlow.js can.
import * as tf from '@tensorflow/tfjs-core';
import { decodeTransposeConvBias } from '../../delegate/ops/transpose-conv.js';
import type { Call } from './tfjs-graph.js';

type Fusable = 'linear' | 'relu' | 'relu6';
type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const fusable: Readonly<Record<string, Fusable>> = { RELU: 'relu', RELU6: 'relu6' };
const activationOf = (c: Call) => fusable[c.option<string>('fusedActivationFunction')] ?? 'linear';
const paddingOf = (c: Call) => (c.option<string>('padding') === 'SAME' ? 'same' : 'valid');
const biasOf = (c: Call, k: number) => (c.has(k) ? c.input(k) : undefined);
const pair = (c: Call, name: string): [number, number] => [c.option<number>(`${name}H`), c.option<number>(`${name}W`)];
const strides = (c: Call) => pair(c, 'stride');
const dilations = (c: Call): [number, number] => [
  c.option<number>('dilationHFactor'),
  c.option<number>('dilationWFactor'),
];
const window = (c: Call): [number, number] => [c.option<number>('filterHeight'), c.option<number>('filterWidth')];
const pairs = (c: Call) =>
  c.input(0).shape.map((_, i): [number, number] => [c.numbers(1)[2 * i]!, c.numbers(1)[2 * i + 1]!]);

function activated(x: tf.Tensor, activation: string): tf.Tensor {
  if (activation === 'RELU') return tf.relu(x);
  if (activation === 'RELU6') return tf.relu6(x);
  if (activation === 'RELU_N1_TO_1') return tf.clipByValue(x, -1, 1);
  return activation === 'TANH' ? tf.tanh(x) : x;
}

/** A kernel that TensorFlow.js can fuse RELU and RELU6 into; other activations follow it. */
function fused(run: (c: Call, activation: Fusable) => tf.Tensor) {
  return (c: Call) => {
    const activation = activationOf(c);
    const y = run(c, activation);
    return activation === 'linear' ? activated(y, c.option<string>('fusedActivationFunction')) : y;
  };
}

function binary(run: Binary) {
  return (c: Call) => activated(run(c.input(0), c.input(1)), c.option<string>('fusedActivationFunction'));
}

const resize = (run: typeof tf.image.resizeBilinear) => (c: Call) =>
  run(
    c.input(0) as tf.Tensor4D,
    c.numbers(1) as [number, number],
    c.option('alignCorners'),
    c.option('halfPixelCenters'),
  );
const unary = (run: (x: tf.Tensor) => tf.Tensor) => (c: Call) => run(c.input(0));
const reshape = (c: Call) => tf.reshape(c.input(0), c.outputShape);
const reduce = (run: (x: tf.Tensor, axes: number[], keep: boolean) => tf.Tensor) => (c: Call) =>
  run(c.input(0), c.numbers(1), c.option<boolean>('keepDims'));

/** The computation of every op that the benchmarked models use; several outputs are an array. */
export const kernels: Readonly<Record<string, (c: Call) => tf.Tensor | tf.Tensor[]>> = {
  CONV_2D: fused((c, activation) =>
    tf.fused.conv2d({
      x: c.input(0) as tf.Tensor4D,
      filter: c.arranged(1, (w) => tf.transpose(w, [1, 2, 3, 0])) as tf.Tensor4D,
      strides: strides(c),
      dilations: dilations(c),
      pad: paddingOf(c),
      bias: biasOf(c, 2)!,
      activation,
    }),
  ),
  DEPTHWISE_CONV_2D: fused((c, activation) => {
    const channels = c.input(0).shape[3]!;
    return tf.fused.depthwiseConv2d({
      x: c.input(0) as tf.Tensor4D,
      filter: c.arranged(1, (w) =>
        tf.reshape(w, [w.shape[1]!, w.shape[2]!, channels, w.shape[3]! / channels]),
      ) as tf.Tensor4D,
      strides: strides(c),
      dilations: dilations(c),
      pad: paddingOf(c),
      bias: biasOf(c, 2)!,
      activation,
    });
  }),
  TRANSPOSE_CONV: (c) => {
    const filter = c.arranged(1, (w) => tf.transpose(w, [1, 2, 0, 3])) as tf.Tensor4D;
    const shape = c.outputShape as [number, number, number, number];
    const y = tf.conv2dTranspose(c.input(2) as tf.Tensor4D, filter, shape, strides(c), paddingOf(c));
    return c.has(3) ? tf.add(y, c.input(3)) : y;
  },
  Convolution2DTransposeBias: (c) => {
    const filter = c.arranged(1, (w) => tf.transpose(w, [1, 2, 0, 3])) as tf.Tensor4D;
    const { padding, strideH, strideW } = decodeTransposeConvBias(c);
    const shape = c.outputShape as [number, number, number, number];
    const pad = padding === 'SAME' ? 'same' : 'valid';
    return tf.add(tf.conv2dTranspose(c.input(0) as tf.Tensor4D, filter, shape, [strideH, strideW], pad), c.input(2));
  },
  FULLY_CONNECTED: fused((c, activation) => {
    const b = c.input(1) as tf.Tensor2D;
    const a = tf.reshape(c.input(0), [-1, b.shape[1]]) as tf.Tensor2D;
    return tf.reshape(tf.fused.matMul({ a, b, transposeB: true, bias: biasOf(c, 2)!, activation }), c.outputShape);
  }),
  AVERAGE_POOL_2D: (c) =>
    activated(
      tf.avgPool(c.input(0) as tf.Tensor4D, window(c), strides(c), paddingOf(c)),
      c.option('fusedActivationFunction'),
    ),
  MAX_POOL_2D: (c) =>
    activated(
      tf.maxPool(c.input(0) as tf.Tensor4D, window(c), strides(c), paddingOf(c)),
      c.option('fusedActivationFunction'),
    ),
  ADD: binary(tf.add),
  SUB: binary(tf.sub),
  MUL: binary(tf.mul),
  DIV: binary(tf.div),
  MAXIMUM: binary(tf.maximum),
  MINIMUM: binary(tf.minimum),
  POW: binary(tf.pow),
  SQUARED_DIFFERENCE: binary(tf.squaredDifference),
  PRELU: (c) => tf.prelu(c.input(0), c.input(1)),
  RELU: unary(tf.relu),
  RELU6: unary(tf.relu6),
  TANH: unary(tf.tanh),
  LOGISTIC: unary(tf.sigmoid),
  EXP: unary(tf.exp),
  NEG: unary(tf.neg),
  SQRT: unary(tf.sqrt),
  RSQRT: unary(tf.rsqrt),
  SQUARE: unary(tf.square),
  HARD_SWISH: unary((x) => tf.div(tf.mul(tf.relu6(tf.add(x, 3)), x), 6)),
  LEAKY_RELU: (c) => tf.leakyRelu(c.input(0), c.option<number>('alpha')),
  SOFTMAX: unary((x) => tf.softmax(x)),
  RESHAPE: reshape,
  SQUEEZE: reshape,
  EXPAND_DIMS: reshape,
  CONCATENATION: (c) => {
    const parts = Array.from({ length: c.inputCount }, (_, k) => c.input(k));
    const axis = c.option<number>('axis');
    return tf.concat(parts, axis < 0 ? axis + parts[0]!.rank : axis);
  },
  PAD: (c) => tf.pad(c.input(0), pairs(c)),
  MIRROR_PAD: (c) =>
    tf.mirrorPad(c.input(0), pairs(c), c.option<string>('mode') === 'REFLECT' ? 'reflect' : 'symmetric'),
  SLICE: (c) => tf.slice(c.input(0), c.numbers(1), c.numbers(2)),
  STRIDED_SLICE: (c) => {
    const masks = ['beginMask', 'endMask', 'ellipsisMask', 'newAxisMask', 'shrinkAxisMask'].map((name) =>
      c.option<number>(name),
    );
    const [begin, end, ellipsis, newAxis, shrink] = masks as [number, number, number, number, number];
    return tf.stridedSlice(c.input(0), c.numbers(1), c.numbers(2), c.numbers(3), begin, end, ellipsis, newAxis, shrink);
  },
  SPLIT: (c) => {
    const [axis] = c.numbers(0);
    return tf.split(c.input(1), c.option<number>('numSplits'), axis! < 0 ? axis! + c.input(1).rank : axis!);
  },
  TILE: (c) => tf.tile(c.input(0), c.numbers(1)),
  PACK: (c) =>
    tf.stack(
      Array.from({ length: c.inputCount }, (_, k) => c.input(k)),
      c.option<number>('axis'),
    ),
  BATCH_MATMUL: (c) => tf.matMul(c.input(0), c.input(1), c.option('adjX'), c.option('adjY')),
  GELU: unary((x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))),
  TRANSPOSE: (c) => tf.transpose(c.input(0), c.numbers(1)),
  CAST: (c) => tf.cast(c.input(0), c.option<string>('outDataType').toLowerCase() as tf.DataType),
  LESS: binary(tf.less),
  SELECT: (c) => tf.where(c.input(0), c.input(1), c.input(2)),
  GATHER: (c) => tf.gather(c.input(0), tf.cast(c.input(1), 'int32'), c.option<number>('axis')),
  MEAN: reduce(tf.mean),
  SUM: reduce(tf.sum),
  REDUCE_MAX: reduce(tf.max),
  RESIZE_BILINEAR: resize(tf.image.resizeBilinear),
  RESIZE_NEAREST_NEIGHBOR: resize(tf.image.resizeNearestNeighbor),
  DEPTH_TO_SPACE: (c) => tf.depthToSpace(c.input(0) as tf.Tensor4D, c.option<number>('blockSize')),
};
