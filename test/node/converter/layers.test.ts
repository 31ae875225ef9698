// Every layer of the common set, converted and compared with tfjs.
import { describe, it } from 'node:test';
import { type LayersModel, layers, model, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
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
  'a layer at each time': () => stack(sequence, layers.timeDistributed({ layer: layers.dense({ units: 3 }) })),
};

describe('layers, converted', () => {
  for (const [name, make] of Object.entries({ ...feedForward, ...merging, ...recurrent }))
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
      20,
    );
  });

  it('embedding into an lstm', async () => {
    const list = [layers.embedding({ inputDim: 20, outputDim: 6, inputLength: 5 }), layers.lstm({ units: 3 })];
    await expectAgreement(sequential({ layers: list }), 'embedding_lstm', 20);
  });
});
