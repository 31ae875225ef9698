// Random stacks of layers, converted and compared with tfjs.
import { describe, it } from 'node:test';
import { layers, type Sequential, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { expectAgreement } from './agree.js';

const runs = 40;

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

type Make = (choice: Choice) => Parameters<Sequential['add']>[0];

const padding = ({ same }: Choice) => (same ? 'same' : 'valid');

const anywhere: readonly Make[] = [
  ({ size, activation }) => layers.dense({ units: size + 1, activation }),
  () => layers.batchNormalization(),
  () => layers.layerNormalization(),
  ({ activation }) => layers.activation({ activation }),
  () => layers.prelu(),
  ({ size }) => layers.leakyReLU({ alpha: size / 10 }),
];

/** Layers by the rank of what they take, without the batch. */
const byRank: Readonly<Record<number, readonly Make[]>> = {
  1: [...anywhere, ({ size }) => layers.repeatVector({ n: size })],
  2: [
    ...anywhere,
    () => layers.flatten(),
    (c) => layers.conv1d({ filters: c.size, kernelSize: c.size, padding: 'same', activation: c.activation }),
    (c) => layers.maxPooling1d({ poolSize: c.size, strides: c.stride, padding: 'same' }),
    ({ size }) => layers.gru({ units: size, returnSequences: true }),
    ({ size }) => layers.lstm({ units: size }),
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
    () => layers.permute({ dims: [3, 1, 2] }),
    () => layers.globalMaxPooling2d({} as never),
  ],
};

/** The stack of those choices that fit what is there. */
function stackOf(rank: number, choices: readonly Choice[]): Sequential {
  const inputShape = [7, 6, 3].slice(3 - rank);
  const model = sequential({ layers: [layers.inputLayer({ inputShape })] });
  for (const chosen of choices) {
    const shape = (model.outputShape as number[]).slice(1);
    const window = Math.min(chosen.size, ...shape.slice(0, -1));
    const makes = byRank[shape.length]!;
    model.add(makes[chosen.kind % makes.length]!({ ...chosen, size: window }));
  }
  return model;
}

describe('random stacks of layers', () => {
  it(`agree with tfjs, in ${runs} runs`, async () => {
    const stack = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.array(choice, { minLength: 1, maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(stack, async ([rank, choices]) => {
        const model = stackOf(rank, choices);
        await expectAgreement(model, model.layers.map((layer) => layer.getClassName()).join(' '));
      }),
      { numRuns: runs },
    );
  });
});
