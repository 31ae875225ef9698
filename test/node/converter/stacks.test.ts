// Random stacks of layers, converted and compared with tfjs, here and in TFLite's own interpreter.
import { describe, it } from 'node:test';
import { layers, type Sequential, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { expectAgreement } from './agree.js';

const runs = 200;

/** Numbers that a layer's sizes are taken from. */
interface Choice {
  readonly kind: number;
  readonly size: number;
  readonly stride: number;
  readonly same: boolean;
  readonly activation: 'linear' | 'relu' | 'relu6' | 'sigmoid' | 'elu' | 'tanh';
}

const choice: fc.Arbitrary<Choice> = fc.record({
  kind: fc.nat(),
  size: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 2 }),
  same: fc.boolean(),
  activation: fc.constantFrom('linear', 'relu', 'relu6', 'sigmoid', 'elu', 'tanh'),
});

/** `shape`: of what the layer takes. */
type Make = (choice: Choice, shape: readonly number[]) => Parameters<Sequential['add']>[0];

const padding = ({ same }: Choice) => (same ? 'same' : 'valid');

const unnormalized: readonly Make[] = [
  ({ size, activation }) => layers.dense({ units: size + 1, activation }),
  ({ activation }) => layers.activation({ activation }),
  () => layers.prelu(),
  ({ size }) => layers.leakyReLU({ alpha: size / 10 }),
  ({ size }) => layers.reLU({ maxValue: size / 4 }),
  () => layers.softmax({ axis: -1 }),
];

/** tfjs does not normalise volumes. */
const anywhere: readonly Make[] = [
  ...unnormalized,
  () => layers.batchNormalization(),
  () => layers.layerNormalization(),
];

/** Layers by the rank of what they take, without the batch. */
const byRank: Readonly<Record<number, readonly Make[]>> = {
  1: [...anywhere, ({ size }) => layers.repeatVector({ n: size })],
  2: [
    ...anywhere,
    () => layers.flatten(),
    (c) => layers.conv1d({ filters: c.size, kernelSize: c.size, padding: 'same', activation: c.activation }),
    (c) => layers.maxPooling1d({ poolSize: c.size, strides: c.stride, padding: 'same' }),
    ({ size, same }) => layers.gru({ units: size, returnSequences: true, goBackwards: same }),
    ({ size }) => layers.lstm({ units: size }),
    ({ size, same }) => layers.simpleRNN({ units: size, returnSequences: same }),
    ({ size, same }) =>
      layers.bidirectional({ layer: layers.gru({ units: size }) as never, mergeMode: same ? 'concat' : 'ave' }),
    (c) => layers.conv1d({ filters: c.size, kernelSize: c.size, strides: c.stride, padding: padding(c) }),
    (c) => layers.averagePooling1d({ poolSize: c.size, strides: c.stride, padding: padding(c) }),
    ({ size }) => layers.timeDistributed({ layer: layers.dense({ units: size }) }),
    () => layers.globalMaxPooling1d(),
    () => layers.globalAveragePooling1d(),
    () => layers.permute({ dims: [2, 1] }),
  ],
  3: [
    ...anywhere,
    () => layers.flatten(),
    (c) =>
      layers.conv2d({
        filters: c.size,
        kernelSize: c.size,
        strides: c.stride,
        padding: padding(c),
        activation: c.activation,
      }),
    (c) =>
      layers.depthwiseConv2d({
        kernelSize: c.size,
        padding: padding(c),
        depthMultiplier: c.size,
        activation: c.activation,
      }),
    (c) => layers.separableConv2d({ filters: c.size, kernelSize: c.size, padding: 'same', activation: c.activation }),
    (c) => layers.conv2dTranspose({ filters: c.size, kernelSize: c.size, strides: c.stride, padding: 'same' }),
    (c) => layers.maxPooling2d({ poolSize: c.size, strides: c.stride, padding: 'same' }),
    (c) => layers.averagePooling2d({ poolSize: c.size, strides: c.stride, padding: padding(c) }),
    ({ size }) => layers.zeroPadding2d({ padding: size }),
    ({ stride }) => layers.upSampling2d({ size: [1, stride] }),
    ({ stride }) => layers.upSampling2d({ size: [stride, 2], interpolation: 'bilinear' }),
    (c) => layers.conv2d({ filters: c.size, kernelSize: c.size, dilationRate: c.stride, padding: 'same' }),
    (_, [h, w, c]) => layers.reshape({ targetShape: [h! * w!, c!] }),
    () => layers.globalAveragePooling2d({} as never),
    () => layers.permute({ dims: [3, 1, 2] }),
    () => layers.globalMaxPooling2d({} as never),
  ],
  4: [
    ...unnormalized,
    () => layers.flatten(),
    (c) => layers.conv3d({ filters: c.size, kernelSize: c.size, padding: padding(c), activation: c.activation }),
    (c) => layers.conv3dTranspose({ filters: c.size, kernelSize: 2, strides: c.stride, padding: 'same' }),
    (c) => layers.maxPooling3d({ poolSize: c.size, strides: 1, padding: padding(c) }),
    (c) => layers.averagePooling3d({ poolSize: c.size, strides: 1, padding: padding(c) }),
    ({ size }) => layers.convLstm2d({ filters: size, kernelSize: 1 }) as never,
    ({ size }) => layers.timeDistributed({ layer: layers.conv2d({ filters: size, kernelSize: 1 }) }),
    () => layers.permute({ dims: [2, 1, 4, 3] }),
  ],
};

/** The stack of those choices that fit what is there. */
function stackOf(rank: number, choices: readonly Choice[]): Sequential {
  const inputShape = [3, 7, 6, 3].slice(4 - rank);
  const model = sequential({ layers: [layers.inputLayer({ inputShape })] });
  for (const chosen of choices) {
    const shape = (model.outputShape as number[]).slice(1);
    const window = Math.min(chosen.size, ...shape.slice(0, -1));
    const makes = byRank[shape.length]!;
    model.add(makes[chosen.kind % makes.length]!({ ...chosen, size: window }, shape));
  }
  return model;
}

describe('random stacks of layers', () => {
  it(`agree with tfjs, in ${runs} runs`, async () => {
    const stack = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.array(choice, { minLength: 1, maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(stack, async ([rank, choices]) => {
        const model = stackOf(rank, choices);
        const name = model.layers.map((layer) => layer.getClassName()).join(' ');
        await expectAgreement(model, name, { inFloat32Only: true });
      }),
      { numRuns: runs },
    );
  });
});
