// A GraphModel, as tfjs's own converter writes them from TensorFlow.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadGraphModelSync } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs';
import { TFLiteConverter } from '../../../src/converter/converter.js';
import { readModel } from '../../../src/format/read.js';
import { opsOf, runFile } from '../../support/run-file.js';
import { sample } from './agree.js';
import { graphArtifacts } from './graph.js';

describe('a graph model, converted', () => {
  it('has the same answers, names, and batch normalisation in its convolution', async () => {
    await tf.setBackend('cpu');
    const model = loadGraphModelSync(tf.io.fromMemorySync(graphArtifacts()));
    const file = await TFLiteConverter.fromGraphModel(model).convert();
    const read = readModel(file);
    assert.deepEqual(opsOf(file), ['CONV_2D', 'DEPTHWISE_CONV_2D', 'MEAN', 'FULLY_CONNECTED', 'SOFTMAX']);
    const [signature] = read.signatureDefs!;
    assert.deepEqual([signature!.inputs![0]!.name, signature!.outputs![0]!.name], ['image', 'classes']);
    const image = sample([3, 8, 8, 3], 9);
    const expected = (model.predict(image) as tf.Tensor).dataSync();
    const [found] = await runFile(file, [{ data: image.dataSync() as Float32Array, shape: image.shape }]);
    const worst = Math.max(...found!.data.map((x, i) => Math.abs(x - expected[i]!)));
    assert.ok(worst < 1e-5, `differs by ${worst}`);
  });
});
