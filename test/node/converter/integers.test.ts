// Integers throughout: what is quantised, with which scales, and what stays float.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs';
import { type QuantizeOptions, quantize, TFLiteConverter } from '../../../src/converter/converter.js';
import type { ConversionProgress, Sample } from '../../../src/converter/settings.js';
import type { Model, Tensor } from '../../../src/format/model.js';
import { readModel } from '../../../src/format/read.js';
import { verifyModel } from '../../../src/format/verify.js';
import { skipWithoutShared } from '../../support/files.js';
import { sample } from './agree.js';
import { mnistFile, mnistModel, testImages } from './mnist.js';
import { bytesOf, int8Weights, network, opsOf, versionsOf } from './network.js';

const INT16_BY_8 = 'EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8';

const images = (count: number): Sample[] => {
  const pixels = testImages(count);
  return Array.from({ length: count }, (_, i) => [pixels.subarray(784 * i, 784 * (i + 1))]);
};

/** Values from −1 to 1 for every input of a file. */
const samplesFor = (file: Uint8Array, count = 2): Sample[] => {
  const { tensors, inputs } = readModel(file).subgraphs![0]!;
  return Array.from({ length: count }, (_, i) => inputs!.map((index) => sample(tensors![index]!.shape!, i)));
};

const outputsOf = (model: Model): Tensor[] =>
  model.subgraphs![0]!.operators!.map(({ outputs }) => model.subgraphs![0]!.tensors![outputs![0]!]!);
const parametersOf = ({ quantization }: Tensor) => [quantization?.scale?.[0], quantization?.zeroPoint?.[0]];
const face = (model: Model, which: 'inputs' | 'outputs'): Tensor =>
  model.subgraphs![0]!.tensors![model.subgraphs![0]![which]![0]!]!;

describe('MNIST in integers', { skip: skipWithoutShared }, () => {
  const int8 = { inferenceInputType: 'int8', inferenceOutputType: 'int8' };

  it('is no larger than the original, and takes and gives int8', async () => {
    const converter = TFLiteConverter.fromLayersModel(await mnistModel());
    Object.assign(converter, { ...int8, optimizations: ['DEFAULT'], representativeDataset: () => images(20) });
    const file = await converter.convert();
    verifyModel(file);
    assert.ok(file.length <= 25_048, `${file.length} bytes`);
    const model = readModel(file);
    assert.deepEqual([face(model, 'inputs').type, face(model, 'outputs').type], ['INT8', 'INT8']);
    assert.deepEqual(opsOf(model), ['RESHAPE', 'CONV_2D', 'MAX_POOL_2D', 'RESHAPE', 'FULLY_CONNECTED']);
  });

  for (const [flavour, options] of [
    ['int8', int8],
    ['int16x8', { targetSpec: { supportedOps: [INT16_BY_8] } }],
  ] as const)
    it(`has the operators, weights and nearly the scales of the original: ${flavour}`, async () => {
      const file = await quantize(mnistFile('mnist_model.tflite'), {
        ...options,
        representativeDataset: () => images(50),
      });
      verifyModel(file);
      const [ours, original] = [file, mnistFile(`mnist_model_${flavour}.tflite`)].map((bytes) => readModel(bytes));
      assert.ok(file.length <= mnistFile(`mnist_model_${flavour}.tflite`).length, `${file.length} bytes`);
      assert.deepEqual(opsOf(ours!), opsOf(original!));
      assert.deepEqual(int8Weights(ours!), int8Weights(original!));
      for (const [i, tensor] of outputsOf(original!).entries()) {
        const [a, b] = [outputsOf(ours!)[i]!, tensor].map((t) => t.quantization?.scale?.[0] ?? 0);
        assert.ok(Math.abs(a! - b!) <= 0.3 * b!, `${tensor.name}: scale ${a}, the original's is ${b}`);
      }
    });

  it('has the versions of the original', async () => {
    const ours = await quantize(mnistFile('mnist_model.tflite'), { ...int8, representativeDataset: () => images(2) });
    assert.deepEqual(versionsOf(readModel(ours)), versionsOf(readModel(mnistFile('mnist_model_int8.tflite'))));
  });

  for (const [type, zeroPoint, ops] of [
    ['float32', undefined, ['QUANTIZE', 'DEQUANTIZE']],
    ['uint8', 0, ['QUANTIZE', 'QUANTIZE']],
    ['int8', -128, ['SHAPE', 'FULLY_CONNECTED']],
  ] as const)
    it(`has inputs and outputs of ${type}`, async () => {
      const file = await quantize(mnistFile('mnist_model.tflite'), {
        inferenceInputType: type,
        inferenceOutputType: type,
        representativeDataset: () => images(1),
      });
      verifyModel(file);
      const model = readModel(file);
      const [input, output] = [face(model, 'inputs'), face(model, 'outputs')];
      assert.deepEqual([input.type, output.type], [type.toUpperCase(), type.toUpperCase()]);
      assert.equal(parametersOf(input)[1], zeroPoint);
      assert.deepEqual([opsOf(model)[0], opsOf(model).at(-1)], ops);
      const names = (m: Model) => [
        m.signatureDefs![0]!.inputs![0]!.tensorIndex,
        m.signatureDefs![0]!.outputs![0]!.tensorIndex,
      ];
      assert.deepEqual(names(model), [model.subgraphs![0]!.inputs![0], model.subgraphs![0]!.outputs![0]]);
    });
});

describe('whole networks in integers', { skip: skipWithoutShared }, () => {
  for (const name of ['kws_conv1d', 'tcn_dilated', 'gru_unrolled', 'dynamic_batch'])
    it(`have the original's weights, operators and versions: ${name}`, async () => {
      const file = network(name, 'float32');
      const types = { inferenceInputType: 'int8', inferenceOutputType: 'int8' };
      const made = await quantize(file, { ...types, representativeDataset: () => samplesFor(file, 1) });
      verifyModel(made);
      const [ours, original] = [readModel(made), readModel(network(name, 'int8'))];
      assert.deepEqual(opsOf(ours), opsOf(original));
      assert.deepEqual(int8Weights(ours), int8Weights(original));
      assert.deepEqual(versionsOf(ours), versionsOf(original));
    });

  it('runs the signature that a sample is for, and leaves the other as it is', async () => {
    const file = network('two_signatures', 'float32');
    const signatures = readModel(file).signatureDefs!;
    const { signatureKey, subgraphIndex, inputs } = signatures[0]!;
    const tensors = readModel(file).subgraphs![subgraphIndex]!.tensors!;
    const values = Object.fromEntries(
      inputs!.map(({ name, tensorIndex }) => [name!, sample(tensors[tensorIndex]!.shape!, 1)]),
    );
    const made = await quantize(file, { representativeDataset: () => [[signatureKey!, values]] });
    verifyModel(made);
    const hasBytes = readModel(made).subgraphs!.map(({ tensors }) => tensors!.some(({ type }) => type === 'INT8'));
    assert.equal(hasBytes[subgraphIndex], true);
    assert.equal(hasBytes[signatures[1]!.subgraphIndex], false);
    await assert.rejects(
      quantize(file, { representativeDataset: () => [values] }),
      /sample 0: no signature; accepted: \["decode", inputs\], \["encode", inputs\]/,
    );
  });
});

/** A function of one tensor in integers; its samples reach from −1 to 1. */
async function integers(
  f: (x: tf.Tensor) => tf.Tensor | tf.Tensor[],
  options: Omit<QuantizeOptions, 'representativeDataset'> & { readonly samples?: readonly number[][] } = {},
): Promise<Model> {
  const { samples = [[-1, -0.5, 0.25, 1]], ...rest } = options;
  const float = await TFLiteConverter.fromFunction(f, [{ shape: [1, 4], name: 'x' }]).convert();
  const file = await quantize(float, {
    ...rest,
    representativeDataset: () => samples.map((values) => [Float32Array.from(values)]),
  });
  verifyModel(file);
  return readModel(file);
}

describe('scales', () => {
  it('take in zero, and have the integer that is nearest to it', async () => {
    const model = await integers((x) => tf.abs(x), { inferenceInputType: 'int8' });
    assert.deepEqual(parametersOf(face(model, 'inputs')), [Math.fround(2 / 255), -1]);
    const positive = await integers((x) => tf.abs(x), { samples: [[1, 2, 3, 4]], inferenceInputType: 'int8' });
    assert.deepEqual(parametersOf(face(positive, 'inputs')), [Math.fround(4 / 255), -128]);
  });

  it('of activations that are always zero are neither 0 nor tiny', async () => {
    const model = await integers((x) => tf.relu(tf.mul(tf.abs(x), -1)));
    assert.deepEqual(parametersOf(outputsOf(model)[opsOf(model).indexOf('MUL')]!), [Math.fround(1 / 16 / 255), -1]);
  });

  it('of int16 are symmetric', async () => {
    const targetSpec = { supportedOps: [INT16_BY_8] };
    const model = await integers((x) => tf.abs(x), { targetSpec, inferenceInputType: 'int16' });
    assert.deepEqual(parametersOf(face(model, 'inputs')), [Math.fround(1 / 32767), 0]);
  });

  it('grow with every sample', async () => {
    const model = await integers((x) => tf.abs(x), {
      samples: [
        [1, 1, 1, 1],
        [-3, 0, 0, 0],
      ],
      inferenceInputType: 'int8',
    });
    assert.deepEqual(parametersOf(face(model, 'inputs')), [Math.fround(4 / 255), 63]);
  });

  for (const [name, f, expected] of [
    ['SOFTMAX', tf.softmax, [1 / 256, -128]],
    ['LOGISTIC', tf.sigmoid, [1 / 256, -128]],
    ['TANH', tf.tanh, [1 / 128, 0]],
  ] as const)
    it(`of ${name} are what its kernel gives`, async () => {
      const model = await integers((x) => f(x as tf.Tensor2D));
      assert.deepEqual(parametersOf(outputsOf(model)[opsOf(model).indexOf(name)]!), expected);
    });

  it('are the same before and after a move', async () => {
    const model = await integers((x) => tf.reshape(tf.reverse(x, 1), [2, 2]));
    const [input, ...moved] = outputsOf(model).slice(0, 3).map(parametersOf);
    assert.deepEqual(moved, [input, input]);
  });

  it('of the parts are those of the whole', async () => {
    const model = await integers((x) => tf.concat([tf.abs(x), tf.mul(x, 3)], 1));
    const whole = parametersOf(outputsOf(model)[opsOf(model).indexOf('CONCATENATION')]!);
    assert.deepEqual(opsOf(model), ['QUANTIZE', 'ABS', 'MUL', 'CONCATENATION', 'DEQUANTIZE']);
    assert.deepEqual([parametersOf(outputsOf(model)[1]!), parametersOf(outputsOf(model)[2]!)], [whole, whole]);
  });

  it('are changed where a part has one of its kernel', async () => {
    const model = await integers((x) => tf.concat([tf.sigmoid(x), x], 1));
    assert.deepEqual(opsOf(model), ['QUANTIZE', 'LOGISTIC', 'QUANTIZE', 'CONCATENATION', 'DEQUANTIZE']);
  });

  it('are changed where a part would lose what others read of it', async () => {
    const f = (x: tf.Tensor) => [tf.minimum(x, tf.mul(x, -1)), tf.abs(x)];
    const model = await integers(f, { inferenceInputType: 'int8' });
    assert.deepEqual(parametersOf(face(model, 'inputs')), [Math.fround(2 / 255), -1]);
    assert.ok(opsOf(model).includes('QUANTIZE'));
  });

  it('of constants that are moved are their own, whatever the samples read of them', async () => {
    const table = tf.tensor2d([1, 2, 3, 200], [4, 1]);
    const f = (x: tf.Tensor) => tf.gather(table, tf.cast(x, 'int32') as tf.Tensor1D);
    const model = await integers(f, { samples: [[0, 1, 2, 2]] });
    const gathered = outputsOf(model)[opsOf(model).indexOf('GATHER')]!;
    assert.deepEqual(parametersOf(gathered), [Math.fround(200 / 255), -128]);
  });
});

describe('products with constants', () => {
  const product = (weights: number[], bias: number[]) => (x: tf.Tensor) =>
    tf.add(tf.matMul(x as tf.Tensor2D, tf.tensor2d(weights, [4, 2])), tf.tensor1d(bias));
  const operands = (model: Model): Tensor[] => {
    const at = opsOf(model).indexOf('FULLY_CONNECTED');
    const { operators, tensors } = model.subgraphs![0]!;
    return operators![at]!.inputs!.map((index) => tensors![index]!);
  };

  it('have symmetric bytes, one scale a channel, and a bias of the product of the scales', async () => {
    const model = await integers(product([1, 0.5, -1, 0.25, 0.5, 0, 0, 0.125], [0.5, -0.25]));
    const [x, weights, bias] = operands(model);
    assert.deepEqual(weights!.quantization!.scale, [Math.fround(1 / 127), Math.fround(0.5 / 127)]);
    assert.deepEqual([...new Int8Array(bytesOf(model, weights!))], [127, -127, 64, 0, 127, 64, 0, 32]);
    const scales = weights!.quantization!.scale!.map((s) => Math.fround(s * x!.quantization!.scale![0]!));
    assert.deepEqual(bias!.quantization!.scale, scales);
    const stored = new Int32Array(new Uint8Array(bytesOf(model, bias!)).buffer);
    assert.deepEqual([...stored], [Math.round(0.5 / scales[0]!), Math.round(-0.25 / scales[1]!)]);
  });

  it('have a bias of 64 bits beside int16', async () => {
    const targetSpec = { supportedOps: [INT16_BY_8] };
    const model = await integers(product([1, 1, 1, 1, 1, 1, 1, 1], [0.5, 1]), { targetSpec });
    assert.deepEqual(
      operands(model).map(({ type }) => type),
      ['INT16', 'INT8', 'INT64'],
    );
  });

  it('have a larger scale where the bias would not fit otherwise', async () => {
    const model = await integers(product([1e-12, 1, 0, 1, 0, 1, 0, 1], [1000, 1000]));
    const [, , bias] = operands(model);
    const [dead, alive] = new Int32Array(new Uint8Array(bytesOf(model, bias!)).buffer);
    assert.ok(Math.abs(dead! - 2 ** 30) < 1000, `the bias is ${dead}`);
    assert.ok(Math.abs(dead! * bias!.quantization!.scale![0]! - 1000) < 0.01);
    assert.equal(alive, Math.round(1000 / bias!.quantization!.scale![1]!));
  });
});

describe('what has no integer form', () => {
  const f = (x: tf.Tensor) => tf.relu(tf.elu(tf.sin(tf.abs(x))));

  it('stays float between conversions', async () => {
    const model = await integers(f);
    assert.deepEqual(opsOf(model), ['QUANTIZE', 'ABS', 'DEQUANTIZE', 'SIN', 'ELU', 'QUANTIZE', 'RELU', 'DEQUANTIZE']);
  });

  for (const targetSpec of [
    { supportedOps: ['TFLITE_BUILTINS_INT8'] },
    { supportedTypes: ['int8'] },
    { supportedOps: [INT16_BY_8] },
  ])
    it(`is named, all of it, where nothing may stay float: ${JSON.stringify(targetSpec)}`, async () => {
      const type = targetSpec.supportedOps?.includes(INT16_BY_8) ? 'int16' : 'int8';
      await assert.rejects(integers(f, { targetSpec }), {
        name: 'UnsupportedError',
        message: new RegExp(`SIN "Sin": there is no ${type} form; ELU "Elu": there is no ${type} form; accepted`),
      });
    });

  it('stays float where a range is not finite', async () => {
    const model = await integers((x) => tf.abs(tf.div(x, tf.abs(x))), { samples: [[0, 1, 2, 3]] });
    assert.deepEqual(opsOf(model), ['QUANTIZE', 'ABS', 'DEQUANTIZE', 'DIV', 'ABS']);
  });
});

describe('representativeDataset', () => {
  const f = (a: tf.Tensor, b: tf.Tensor) => tf.add(a, tf.cast(b, 'float32'));
  const inputs = [
    { shape: [null, 2], name: 'a' },
    { shape: [1], name: 'b', dtype: 'int32' },
  ] as const;
  const [a, b] = [Float32Array.of(1, 2), Int32Array.of(3)];

  async function scaleOf(dataset: () => AsyncIterable<Sample> | Iterable<Sample>): Promise<number> {
    const float = await TFLiteConverter.fromFunction(f as never, inputs).convert();
    const model = readModel(await quantize(float, { representativeDataset: dataset }));
    return model.subgraphs![0]!.tensors!.find(({ name }) => name === 'a/int8')!.quantization!.scale![0]!;
  }

  for (const [name, dataset] of [
    ['a list of lists', () => [[a, b]]],
    ['names', () => [{ b, a }]],
    ['tensors', () => [[tf.tensor2d([1, 2], [1, 2]), tf.tensor1d([3], 'int32')]]],
    [
      'another batch',
      () => [
        [{ data: Float32Array.of(1, 2, 1, 1), shape: [2, 2] }, b],
        [Float32Array.of(0, 0, 1, 0), b],
      ],
    ],
    ['the signature', () => [['serving_default', [a, b]]]],
    [
      'an asynchronous generator',
      async function* () {
        await tf.nextFrame();
        yield [a, b];
      },
    ],
  ] as [string, () => Iterable<Sample>][])
    it(`takes samples as ${name}`, async () => {
      assert.equal(await scaleOf(dataset), Math.fround(2 / 255));
    });

  for (const [error, dataset] of [
    [/the representativeDataset has no samples; accepted: one or more/, () => []],
    [
      /sample 1: input 0 "a": Float32Array of 3; accepted: Float32Array of 2 \(shape \[1,2\], float32\)/,
      () => [
        [a, b],
        [Float32Array.of(1, 2, 3), b],
      ],
    ],
    [/sample 0: input 0 "a": Int32Array; accepted: Float32Array/, () => [[b, b]]],
    [/sample 0: input "a": shape \[1,3\]; accepted: \[-1,2\], any size for -1/, () => [[tf.zeros([1, 3]), b]]],
    [/sample 0: 1 inputs; accepted: 2: "a", "b"/, () => [[a]]],
    [/sample 0: .*there is no input "c"; accepted: "a", "b"/, () => [{ a, b, c: a }]],
    [/sample 0: Float32Array; accepted: a list of inputs/, () => [a]],
    [/representativeDataset gave number; accepted: an iterable/, () => 5],
  ] as [RegExp, () => Iterable<Sample>][])
    it(`says what is wrong: ${error.source}`, async () => {
      await assert.rejects(scaleOf(dataset), error);
    });

  it('says how far it is, and stops when told to', async () => {
    const float = await TFLiteConverter.fromFunction(f as never, inputs).convert();
    const progress: ConversionProgress[] = [];
    const controller = new AbortController();
    const run = (representativeDataset: () => Iterable<Sample>) =>
      quantize(float, { representativeDataset, onProgress: (p) => progress.push(p), signal: controller.signal });
    await run(() => [
      [a, b],
      [a, b],
    ]);
    assert.deepEqual(
      progress.map(({ loaded, total, fraction }) => [loaded, total, fraction]),
      [
        [1, 2, 0.5],
        [2, 2, 1],
        [2, 2, 1],
      ],
    );
    let ended = false;
    const endless = function* (): Generator<Sample> {
      try {
        for (let i = 0; ; i++) {
          if (i === 3) controller.abort(new Error('enough'));
          yield [a, b];
        }
      } finally {
        ended = true;
      }
    };
    await assert.rejects(run(endless), /enough/);
    assert.deepEqual([ended, progress.at(-1)], [true, { phase: 'calibrate', loaded: 3, total: 0, fraction: 0 }]);
  });
});
