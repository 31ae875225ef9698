// Every layer of the common set, converted and compared with tfjs, here and in TFLite's own interpreter.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LayersModel, layers, model, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { TFLiteConverter } from '../../../src/converter/converter.js';
import { expectAgreement } from './agree.js';

type Layer = { apply(x: SymbolicTensor | SymbolicTensor[]): unknown };

/** A model of layers one after the other. */
const stack = (shape: number[], ...list: Layer[]): LayersModel =>
  sequential({ layers: [layers.inputLayer({ inputShape: shape }), ...list] as never });

/** A model of one layer with several inputs. */
function merged(shapes: number[][], layer: Layer): LayersModel {
  const inputs = shapes.map((shape) => layers.input({ shape }) as unknown as SymbolicTensor);
  return model({ inputs, outputs: layer.apply(inputs) as SymbolicTensor });
}

const image = [9, 8, 4];
const sequence = [6, 5];
const volume = [6, 7, 8, 3];

const feedForward: Record<string, () => LayersModel> = {
  'dense, dense on a sequence': () =>
    stack(sequence, layers.dense({ units: 7, activation: 'tanh' }), layers.dense({ units: 3 })),
  'dense without bias, softmax': () => stack([5], layers.dense({ units: 4, useBias: false }), layers.softmax()),
  'dense with batch normalisation': () =>
    stack([5], layers.dense({ units: 4 }), layers.batchNormalization(), layers.reLU()),
  conv1d: () => stack([12, 3], layers.conv1d({ filters: 5, kernelSize: 3, dilationRate: 2, activation: 'relu' })),
  'conv2d with batch normalisation and relu6': () =>
    stack(
      image,
      layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: 'same', useBias: false }),
      layers.batchNormalization(),
      layers.reLU({ maxValue: 6 }),
    ),
  'dilated conv2d': () =>
    stack(image, layers.conv2d({ filters: 3, kernelSize: [3, 2], dilationRate: 2, activation: 'elu' })),
  'transposed conv2d': () =>
    stack(
      image,
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
      layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2, padding: 'valid' }),
    ),
  'separable conv2d': () =>
    stack(image, layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, activation: 'sigmoid' })),
  'depthwise conv2d': () =>
    stack(
      image,
      layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', depthMultiplier: 3, activation: 'relu6' }),
    ),
  'pooling of images': () =>
    stack(
      [12, 12, 3],
      layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
      layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
    ),
  'pooling of sequences': () =>
    stack([12, 3], layers.averagePooling1d({ poolSize: 2 }), layers.maxPooling1d({ poolSize: 3 })),
  'global pooling': () =>
    merged([image], {
      apply: (x) =>
        layers
          .concatenate()
          .apply([
            layers.globalAveragePooling2d({} as never).apply(x) as SymbolicTensor,
            layers.globalMaxPooling2d({} as never).apply(x) as SymbolicTensor,
          ]),
    }),
  'global pooling of sequences': () =>
    merged([sequence], {
      apply: (x) =>
        layers
          .add()
          .apply([
            layers.globalAveragePooling1d().apply(x) as SymbolicTensor,
            layers.globalMaxPooling1d().apply(x) as SymbolicTensor,
          ]),
    }),
  'batch normalisation alone': () => stack(image, layers.batchNormalization({ epsilon: 0.01 })),
  'layer normalisation': () =>
    stack(sequence, layers.layerNormalization(), layers.layerNormalization({ scale: false })),
  'layer normalisation over two axes': () => stack(image, layers.layerNormalization({ axis: [-2, -1] })),
  'padding and cropping': () =>
    stack(
      image,
      layers.zeroPadding2d({
        padding: [
          [1, 2],
          [0, 3],
        ],
      }),
      layers.cropping2D({
        cropping: [
          [0, 1],
          [2, 1],
        ],
      }),
    ),
  upsampling: () =>
    stack(
      image,
      layers.upSampling2d({ size: [2, 3] }),
      layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
    ),
  'reshape, permute, flatten': () =>
    stack(
      image,
      layers.reshape({ targetShape: [8, 36] }),
      layers.permute({ dims: [2, 1] }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ),
  'repeated vector': () => stack([5], layers.repeatVector({ n: 3 })),
  'dropout and noise, which do nothing': () =>
    stack([5], layers.dropout({ rate: 0.5 }), layers.gaussianNoise({ stddev: 1 }), layers.dense({ units: 2 })),
  'parametric relu': () => stack(image, layers.prelu({ sharedAxes: [1, 2] } as never), layers.prelu()),
  'leaky and thresholded relu': () =>
    stack([9], layers.leakyReLU({ alpha: 0.3 }), layers.thresholdedReLU({ theta: 0.2 }), layers.elu({ alpha: 1 })),
  'relu up to a value': () => stack([9], layers.reLU({ maxValue: 0.7 })),
  'transposed conv2d with strides of 3': () =>
    stack(image, layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 3, padding: 'same', useBias: false })),
  'dilated separable and depthwise conv2d': () =>
    stack(
      image,
      layers.separableConv2d({ filters: 3, kernelSize: 3, dilationRate: 2, padding: 'same' }),
      layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2 }),
    ),
  'channels first': () =>
    stack(
      [4, 9, 8],
      layers.conv2d({ filters: 5, kernelSize: 3, padding: 'same', dataFormat: 'channelsFirst' }),
      layers.zeroPadding2d({ padding: 1, dataFormat: 'channelsFirst' }),
      layers.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst' }),
      layers.upSampling2d({ size: [2, 2], dataFormat: 'channelsFirst' }),
    ),
  'a scale and an offset': () => stack(image, (layers as unknown as Rescaling).rescaling({ scale: 0.5, offset: -1 })),
  'other dropout, which does nothing either': () =>
    stack(
      sequence,
      layers.spatialDropout1d({ rate: 0.3 }),
      layers.alphaDropout({ rate: 0.2 }),
      layers.gaussianDropout({ rate: 0.2 }),
    ),
  'permute and reshape of four axes': () =>
    stack([3, 4, 5, 6], layers.permute({ dims: [4, 1, 3, 2] }), layers.reshape({ targetShape: [-1, 4] })),
};

/** A layer that tfjs has and its declarations lack. */
interface Rescaling {
  rescaling(args: { readonly scale: number; readonly offset: number }): Layer;
}

const volumes: Record<string, () => LayersModel> = {
  conv3d: () => stack(volume, layers.conv3d({ filters: 4, kernelSize: 3, activation: 'relu' })),
  'conv3d with strides, without bias': () =>
    stack(
      volume,
      layers.conv3d({ filters: 2, kernelSize: [1, 2, 3], strides: [1, 2, 2], padding: 'same', useBias: false }),
    ),
  'dilated conv3d, channels first': () =>
    stack(
      [2, 6, 7, 8],
      layers.conv3d({ filters: 3, kernelSize: 2, dilationRate: [1, 2, 1], dataFormat: 'channelsFirst' }),
    ),
  'transposed conv3d': () =>
    stack(
      [3, 4, 2, 3],
      layers.conv3dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
      layers.conv3dTranspose({ filters: 2, kernelSize: 2, strides: [1, 2, 2], useBias: false }),
    ),
  'pooling of volumes': () =>
    stack(
      volume,
      layers.averagePooling3d({ poolSize: [3, 2, 2], strides: [1, 2, 1], padding: 'same' }),
      layers.maxPooling3d({ poolSize: 2, strides: 1, padding: 'same' }),
    ),
  'pooling of volumes that leaves a rest': () =>
    stack(volume, layers.maxPooling3d({ poolSize: [2, 3, 2], strides: [2, 3, 2], padding: 'valid' } as never)),
};

/** Layers whose weights are bytes in files with quantised weights: 1024 elements and more. */
const wide: Record<string, () => LayersModel> = {
  'wide dense': () => stack([32], layers.dense({ units: 64, activation: 'relu' }), layers.dense({ units: 32 })),
  'wide conv2d': () => stack([6, 5, 16], layers.conv2d({ filters: 24, kernelSize: 3, padding: 'same' })),
  'wide depthwise conv2d': () => stack([6, 5, 128], layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' })),
  'wide transposed conv2d': () =>
    stack([4, 5, 16], layers.conv2dTranspose({ filters: 16, kernelSize: 3, strides: 2, padding: 'same' })),
  'wide conv1d': () => stack([12, 32], layers.conv1d({ filters: 16, kernelSize: 3 })),
  'wide conv3d': () => stack([4, 5, 4, 8], layers.conv3d({ filters: 16, kernelSize: 3 })),
  'wide lstm': () => stack([4, 16], layers.lstm({ units: 32 })),
};

const activations = [
  'elu',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'hardSigmoid',
  'softplus',
  'softsign',
  'tanh',
  'softmax',
  'swish',
  'linear',
  'mish',
  'gelu',
  'gelu_new',
] as const;

const merging: Record<string, () => LayersModel> = {
  add: () =>
    merged(
      [
        [4, 5],
        [4, 5],
        [4, 5],
      ],
      layers.add() as Layer,
    ),
  multiply: () =>
    merged(
      [
        [4, 5],
        [4, 5],
      ],
      layers.multiply() as Layer,
    ),
  average: () =>
    merged(
      [
        [4, 5],
        [4, 5],
      ],
      layers.average() as Layer,
    ),
  maximum: () =>
    merged(
      [
        [4, 5],
        [4, 5],
      ],
      layers.maximum() as Layer,
    ),
  minimum: () =>
    merged(
      [
        [4, 5],
        [4, 5],
      ],
      layers.minimum() as Layer,
    ),
  concatenate: () =>
    merged(
      [
        [4, 5],
        [4, 2],
      ],
      layers.concatenate({ axis: -1 }) as Layer,
    ),
  dot: () =>
    merged(
      [
        [4, 5],
        [3, 5],
      ],
      layers.dot({ axes: -1 }) as Layer,
    ),
  'dot of other axes': () =>
    merged(
      [
        [3, 4],
        [4, 5],
      ],
      layers.dot({ axes: [2, 1] as never }) as Layer,
    ),
  'dot of unit vectors': () => merged([[4], [4]], layers.dot({ axes: -1, normalize: true }) as Layer),
  'add of rows to a matrix': () =>
    merged(
      [
        [3, 4],
        [1, 4],
      ],
      layers.add() as Layer,
    ),
  'concatenate of rows': () =>
    merged(
      [
        [3, 4],
        [2, 4],
      ],
      layers.concatenate({ axis: 1 }) as Layer,
    ),
};

const recurrent: Record<string, () => LayersModel> = {
  'simple rnn': () => stack(sequence, layers.simpleRNN({ units: 4, returnSequences: true })),
  gru: () => stack(sequence, layers.gru({ units: 4 })),
  lstm: () => stack(sequence, layers.lstm({ units: 4, returnSequences: true }), layers.lstm({ units: 3 })),
  'lstm in both directions': () =>
    stack(
      sequence,
      layers.bidirectional({ layer: layers.lstm({ units: 4, returnSequences: true }) as never, mergeMode: 'concat' }),
    ),
  'gru in both directions, added, of the last step': () =>
    stack(sequence, layers.bidirectional({ layer: layers.gru({ units: 4 }) as never, mergeMode: 'sum' })),
  'gru backwards, with another gate': () =>
    stack(sequence, layers.gru({ units: 3, goBackwards: true, returnSequences: true, recurrentActivation: 'sigmoid' })),
  'cells on each other': () => {
    const cells = [layers.lstmCell({ units: 3 }), layers.gruCell({ units: 4 }), layers.simpleRNNCell({ units: 2 })];
    const cell = layers.stackedRNNCells({ cells: cells as never });
    return stack(sequence, layers.rnn({ cell: cell as never, returnSequences: true }));
  },
  'gru of many steps': () => stack([60, 3], layers.gru({ units: 4 })),
  'lstm that skips masked steps': () => stack(sequence, layers.masking({ maskValue: 0 }), layers.lstm({ units: 3 })),
  'lstm that gives its state': () => merged([sequence], layers.lstm({ units: 3, returnState: true }) as Layer),
  'lstm that is given its state': () =>
    merged([sequence, [3], [3]], {
      apply: (all) => {
        const [x, ...initialState] = all as SymbolicTensor[];
        return layers.lstm({ units: 3 }).apply(x!, { initialState } as never);
      },
    }),
  'convolutional lstm': () =>
    stack(
      [3, 5, 6, 2],
      layers.convLstm2d({ filters: 3, kernelSize: 3, padding: 'same', returnSequences: true }) as never,
    ),
  'a layer at each time': () => stack(sequence, layers.timeDistributed({ layer: layers.dense({ units: 3 }) })),
  'a convolution at each time': () =>
    stack([3, ...image], layers.timeDistributed({ layer: layers.conv2d({ filters: 3, kernelSize: 3 }) })),
};

describe('layers, converted', () => {
  for (const [name, make] of Object.entries({ ...feedForward, ...volumes, ...wide, ...merging, ...recurrent }))
    it(name, async () => {
      await expectAgreement(make(), name);
    });

  for (const activation of activations)
    it(`activation ${activation}`, async () => {
      await expectAgreement(stack([7], layers.dense({ units: 5, activation: activation as 'relu' })), activation);
    });

  it('embedding', async () => {
    await expectAgreement(
      sequential({ layers: [layers.embedding({ inputDim: 20, outputDim: 6, inputLength: 5 })] }),
      'embedding',
      { below: 20 },
    );
  });

  it('wide embedding', async () => {
    const list = [layers.embedding({ inputDim: 50, outputDim: 32, inputShape: [3, 4] }), layers.flatten()];
    await expectAgreement(sequential({ layers: list }), 'wide embedding', { below: 50 });
  });

  it('embedding with a mask into a gru', async () => {
    const embedding = layers.embedding({ inputDim: 20, outputDim: 6, inputLength: 5, maskZero: true });
    await expectAgreement(sequential({ layers: [embedding, layers.gru({ units: 3 })] }), 'masked embedding', {
      below: 20,
    });
  });

  it('names a layer that remembers, and what to do', async () => {
    const lstm = layers.lstm({ units: 3, stateful: true, batchInputShape: [2, 6, 5], name: 'memory' });
    await assert.rejects(
      TFLiteConverter.fromLayersModel(sequential({ layers: [lstm] })).convert(),
      /layer "memory" is stateful; accepted: .*initialState/s,
    );
  });

  it('embedding into an lstm', async () => {
    const list = [layers.embedding({ inputDim: 20, outputDim: 6, inputLength: 5 }), layers.lstm({ units: 3 })];
    await expectAgreement(sequential({ layers: list }), 'embedding_lstm', { below: 20 });
  });
});
