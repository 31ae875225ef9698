import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { relu } from '@tensorflow/tfjs-core';
import { dequantize, quantize, TFLiteConverter } from '../../../src/converter/converter.js';
import { type ConversionSettings, Optimize } from '../../../src/converter/settings.js';
import type { Model, Tensor } from '../../../src/format/model.js';
import { readModel } from '../../../src/format/read.js';
import { verifyModel } from '../../../src/format/verify.js';
import { skipWithoutShared } from '../../support/files.js';
import { runFile } from '../../support/run-file.js';
import { mnistFile, mnistModel, testImages } from './mnist.js';
import { bytesOf, int8Weights, network, opsOf, versionsOf } from './network.js';

async function converted(...supportedTypes: string[]): Promise<Uint8Array> {
  const converter = TFLiteConverter.fromLayersModel(await mnistModel());
  converter.optimizations = [Optimize.DEFAULT];
  converter.targetSpec.supportedTypes = supportedTypes;
  const file = await converter.convert();
  verifyModel(file);
  return file;
}

const tensorOf = (model: Model, type: string, shape: string): Tensor =>
  model.subgraphs![0]!.tensors!.find((t) => t.type === type && String(t.shape) === shape)!;
const logitsOf = async (file: Uint8Array) =>
  (await runFile(file, [{ data: testImages(20), shape: [20, 28, 28] }]))[0]!.data;
const difference = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe('weights as halves', { skip: skipWithoutShared }, () => {
  it('makes the tutorial file no larger than the tutorial says, with DEQUANTIZE before use', async () => {
    const file = await converted('float16');
    assert.ok(file.length <= 44_432, `${file.length} bytes`);
    const ops = opsOf(readModel(file));
    assert.deepEqual(ops.slice(0, 5), ['DEQUANTIZE', 'DEQUANTIZE', 'DEQUANTIZE', 'DEQUANTIZE', 'RESHAPE']);
  });

  it('stores the halves of the original', async () => {
    const [ours, original] = [await converted('float16'), mnistFile('mnist_model_quant_f16.tflite')].map((file) =>
      readModel(file),
    );
    for (const shape of ['12,3,3,1', '10,2028', '12', '10'])
      assert.deepEqual(
        bytesOf(ours!, tensorOf(ours!, 'FLOAT16', shape)),
        bytesOf(original!, tensorOf(original!, 'FLOAT16', shape)),
      );
  });

  it('keeps float32 inputs and outputs, and nearly the logits', async () => {
    const file = await converted('float16');
    const plain = await TFLiteConverter.fromLayersModel(await mnistModel()).convert();
    const worst = difference(await logitsOf(file), await logitsOf(plain));
    assert.ok(worst > 0 && worst < 0.02, `differs by ${worst}`);
  });
});

describe('weights as bytes', { skip: skipWithoutShared }, () => {
  it('has the integers and scales of the original', async () => {
    const [ours, original] = [await converted(), mnistFile('mnist_model_dynamic.tflite')].map((file) =>
      readModel(file),
    );
    const [weights, reference] = [ours!, original!].map((model) => tensorOf(model, 'INT8', '10,2028'));
    assert.deepEqual(weights!.quantization!.scale, reference!.quantization!.scale);
    assert.deepEqual(bytesOf(ours!, weights!), bytesOf(original!, reference!));
  });

  it('leaves weights of fewer than 1,024 elements, and says which version of an operator it takes', async () => {
    const model = readModel(await converted());
    assert.equal(tensorOf(model, 'FLOAT32', '12,3,3,1').type, 'FLOAT32');
    const dense = model.operatorCodes!.find(({ builtinCode }) => builtinCode === 'FULLY_CONNECTED');
    assert.equal(dense!.version, 12);
  });
});

describe('files', { skip: skipWithoutShared }, () => {
  it('quantises a file as the converter would have', async () => {
    const file = mnistFile('mnist_model.tflite');
    const half = await quantize(file, { targetSpec: { supportedTypes: ['float16'] } });
    const bytes = await quantize(file);
    for (const made of [half, bytes]) verifyModel(made);
    const [ours, original] = [bytes, mnistFile('mnist_model_dynamic.tflite')].map((file) => readModel(file));
    assert.deepEqual(
      bytesOf(ours!, tensorOf(ours!, 'INT8', '10,2028')),
      bytesOf(original!, tensorOf(original!, 'INT8', '10,2028')),
    );
    assert.ok(difference(await logitsOf(half), await logitsOf(file)) < 0.02);
  });

  for (const [name, tolerance] of [
    ['mnist_model_quant_f16.tflite', 0.02],
    ['mnist_model_dynamic.tflite', 0.2],
    ['mnist_model_int8.tflite', 0.5],
    ['mnist_model_int16x8.tflite', 0.2],
  ] as const)
    it(`makes float32 of ${name}`, async () => {
      const file = await dequantize(mnistFile(name));
      verifyModel(file);
      const types = new Set(readModel(file).subgraphs![0]!.tensors!.map(({ type }) => type));
      assert.deepEqual([...types].sort(), ['FLOAT32', 'INT32']);
      const worst = difference(await logitsOf(file), await logitsOf(mnistFile('mnist_model.tflite')));
      assert.ok(worst < tolerance, `differs by ${worst}`);
    });
});

describe('whole networks', { skip: skipWithoutShared }, () => {
  for (const name of ['dlrm', 'gru_unrolled', 'tcn_dilated', 'two_signatures', 'bilstm_tagger'])
    it(`stores the integers of the original, in the same operators: ${name}`, async () => {
      const ours = readModel(await quantize(network(name, 'float32')));
      const original = readModel(network(name, 'dynamic'));
      assert.deepEqual(int8Weights(ours), int8Weights(original));
      assert.deepEqual(versionsOf(ours), versionsOf(original));
    });

  it('stores the halves of the original', async () => {
    const ours = readModel(await quantize(network('dlrm', 'float32'), { targetSpec: { supportedTypes: ['float16'] } }));
    const original = readModel(network('dlrm', 'float16'));
    const halves = (model: Model) =>
      model.subgraphs!.flatMap(({ tensors }) =>
        tensors!.filter(({ type }) => type === 'FLOAT16').map((t) => bytesOf(model, t).toString('base64')),
      );
    assert.deepEqual(halves(ours).sort(), halves(original).sort());
  });
});

describe('settings', () => {
  const converter = () => {
    const made = TFLiteConverter.fromFunction((x) => relu(x), [{ shape: [1, 4] }]);
    made.optimizations = [Optimize.DEFAULT];
    return made;
  };
  const samples = () => [[Float32Array.of(1, 2, 3, 4)]];

  for (const [found, set] of [
    ['supportedTypes has "int4"; accepted: float32, float16, int8', { targetSpec: { supportedTypes: ['int4'] } }],
    ['supportedOps has "FLEX"; accepted: TFLITE_BUILTINS, ', { targetSpec: { supportedOps: ['FLEX'] } }],
    ['inferenceInputType has "int8"; accepted: float32', { inferenceInputType: 'int8' }],
    [
      'inferenceOutputType has "int16"; accepted: float32, int8, uint8',
      { inferenceOutputType: 'int16', representativeDataset: samples },
    ],
    [
      'TFLITE_BUILTINS_INT8 without a representativeDataset',
      { targetSpec: { supportedOps: ['TFLITE_BUILTINS_INT8'] } },
    ],
    ['representativeDataset is for integer arithmetic', { optimizations: [], representativeDataset: samples }],
    [
      'representativeDataset is for integer arithmetic',
      { targetSpec: { supportedTypes: ['float16'] }, representativeDataset: samples },
    ],
  ] as const)
    it(`refuses what the converter does not do, and says what it does: ${found}`, async () => {
      const refusing = converter();
      const { targetSpec, ...rest } = set as ConversionSettings;
      Object.assign(refusing, rest);
      Object.assign(refusing.targetSpec, targetSpec);
      await assert.rejects(refusing.convert(), (error) => (error as Error).message.includes(found));
    });
});
