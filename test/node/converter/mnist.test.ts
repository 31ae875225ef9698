import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TFLiteConverter } from '../../../src/converter/converter.js';
import { opName } from '../../../src/format/operator-name.js';
import { readModel } from '../../../src/format/read.js';
import { verifyModel } from '../../../src/format/verify.js';
import { skipWithoutShared } from '../../support/files.js';
import { runFile } from '../../support/run-file.js';
import { expected, floatsOf, mnistModel, testImages } from './mnist.js';

const opsOf = (file: Uint8Array): string[] => {
  const model = readModel(file);
  return model.subgraphs![0]!.operators!.map((operator) => opName(model, operator));
};

describe('the tutorial network, converted', { skip: skipWithoutShared }, () => {
  it('has the ops of the original, without its computation of shapes, and is no larger than the tutorial says', async () => {
    const file = await TFLiteConverter.fromLayersModel(await mnistModel()).convert();
    verifyModel(file);
    assert.deepEqual(opsOf(file), ['RESHAPE', 'CONV_2D', 'MAX_POOL_2D', 'RESHAPE', 'FULLY_CONNECTED']);
    assert.ok(file.length <= 84_500, `${file.length} bytes`);
  });

  it('gives the logits of the original', async () => {
    const file = await TFLiteConverter.fromLayersModel(await mnistModel()).convert();
    const [logits] = await runFile(file, [{ data: testImages(20), shape: [20, 28, 28] }]);
    const reference = floatsOf(Buffer.from(expected().keras.logits, 'base64'));
    const worst = Math.max(...logits!.data.map((x, i) => Math.abs(x - reference[i]!)));
    assert.deepEqual(logits!.shape, [20, 10]);
    assert.ok(worst <= 1e-4, `differs by ${worst}`);
  });

  it('has the names of the model, an open batch, and the release that runs it', async () => {
    const model = readModel(await TFLiteConverter.fromLayersModel(await mnistModel()).convert());
    const [{ tensors, inputs, outputs }] = model.subgraphs! as [NonNullable<typeof model.subgraphs>[number]];
    assert.deepEqual(tensors![inputs![0]!]!.shapeSignature, [-1, 28, 28]);
    assert.deepEqual(tensors![outputs![0]!]!.shapeSignature, [-1, 10]);
    const [signature] = model.signatureDefs!;
    assert.equal(signature!.signatureKey, 'serving_default');
    assert.deepEqual([signature!.inputs![0]!.name, signature!.outputs![0]!.name], ['reshape_input', 'dense']);
    const release = model.buffers![model.metadata!.find(({ name }) => name === 'min_runtime_version')!.buffer]!.data!;
    assert.equal(Buffer.from(release).toString('latin1').replaceAll('\0', ''), '1.5.0');
    assert.equal(release.length, 16);
  });
});
