// A graph model, as tfjs's own converter writes them from TensorFlow.
import * as tf from '@tensorflow/tfjs-core';
import { sample } from './agree.js';

type Attr = Readonly<Record<string, unknown>>;

const shapeAttr = (shape: readonly number[]) => ({ shape: { shape: { dim: shape.map((size) => ({ size })) } } });
const windowAttr = (stride: number) => ({
  strides: { list: { i: [1, stride, stride, 1] } },
  dilations: { list: { i: [1, 1, 1, 1] } },
  padding: { s: btoa('SAME') },
});
const float = { T: { type: 'DT_FLOAT' } };

/** Image, convolution, batch normalisation, RELU6, depthwise convolution, mean, product, softmax. */
export function graphArtifacts(): tf.io.ModelArtifacts {
  const constants: Record<string, tf.Tensor> = {
    filter: sample([3, 3, 3, 4], 1),
    scale: sample([4], 2),
    offset: sample([4], 3),
    mean: sample([4], 4),
    variance: tf.add(tf.abs(sample([4], 5)), 0.5),
    depthwise: sample([3, 3, 4, 2], 6),
    axes: tf.tensor1d([1, 2], 'int32'),
    matrix: sample([8, 5], 7),
    bias: sample([5], 8),
  };
  const node = (name: string, op: string, input: string[], attr: Attr = {}) => ({
    name,
    op,
    input,
    attr: { ...float, ...attr },
  });
  const nodes = [
    node('image', 'Placeholder', [], { dtype: { type: 'DT_FLOAT' }, ...shapeAttr([-1, 8, 8, 3]) }),
    ...Object.entries(constants).map(([name, { dtype, shape }]) =>
      node(name, 'Const', [], { dtype: { type: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT' }, ...shapeAttr(shape) }),
    ),
    node('conv', 'Conv2D', ['image', 'filter'], windowAttr(2)),
    node('norm', 'FusedBatchNormV3', ['conv', 'scale', 'offset', 'mean', 'variance'], { epsilon: { f: 0.001 } }),
    node('relu', 'Relu6', ['norm']),
    node('wide', 'DepthwiseConv2dNative', ['relu', 'depthwise'], windowAttr(1)),
    node('pooled', 'Mean', ['wide', 'axes'], { keep_dims: { b: false } }),
    node('product', 'MatMul', ['pooled', 'matrix'], { transpose_a: { b: false }, transpose_b: { b: false } }),
    node('logits', 'BiasAdd', ['product', 'bias']),
    node('classes', 'Softmax', ['logits']),
  ];
  const all = Object.values(constants);
  const bytes = Buffer.concat(all.map((t) => Buffer.from(new Uint8Array(t.dataSync().buffer.slice(0)))));
  const weightSpecs = Object.entries(constants).map(([name, { shape, dtype }]) => ({
    name,
    shape,
    dtype: dtype as 'float32',
  }));
  const modelTopology = { node: nodes, library: {}, versions: { producer: 1 } };
  return { modelTopology, weightSpecs, weightData: new Uint8Array(bytes).buffer, format: 'graph-model' };
}
