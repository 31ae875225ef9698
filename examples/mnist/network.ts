import * as tf from '@tensorflow/tfjs';
import 'tflite-gpu';
import { batchOf, type Digits, edge } from './digits.js';

/** How many images the network learns from at once, and how many it is tested on. */
const trainingBatch = 32;
const testBatch = 250;
const classes = 10;

/** Where training is: batches done, and the loss and accuracy of the last one. */
export interface TrainingProgress {
  readonly done: number;
  readonly batches: number;
  readonly loss: number;
  readonly accuracy: number;
}

/**
 * Makes TensorFlow.js work on the GPU. Its kernels with one value a texel train this network faster than those with
 * four: between those and the kernels that have one form only, tfjs packs and unpacks whole activations.
 */
export async function useGpu(): Promise<void> {
  tf.env().set('WEBGL_PACK', false);
  await tf.setBackend('tflite-gpu');
}

/** The tutorial's network, untrained; the same initial weights at every call. */
export function createNetwork(): tf.Sequential {
  const network = tf.sequential({
    name: 'mnist',
    layers: [
      tf.layers.inputLayer({ inputShape: [edge, edge] }),
      tf.layers.reshape({ targetShape: [edge, edge, 1] }),
      tf.layers.conv2d({ filters: 12, kernelSize: 3, activation: 'relu', kernelInitializer: seeded(1) }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: classes, kernelInitializer: seeded(2) }),
    ],
  });
  // tfjs's sparse cross-entropy takes logits beyond 0 and 1 as 0 and 1, so labels are one-hot here.
  network.compile({ optimizer: tf.train.adam(), loss: tf.losses.softmaxCrossEntropy, metrics: ['accuracy'] });
  return network;
}

/** Trains the network for one epoch over the digits, in the order in which they are; resolves to it. */
export async function train(
  network: tf.Sequential,
  digits: Digits,
  onProgress: (progress: TrainingProgress) => void,
): Promise<tf.Sequential> {
  const batches = Math.ceil(digits.count / trainingBatch);
  await network.fitDataset(batchesOf(digits, trainingBatch), {
    epochs: 1,
    verbose: 0,
    callbacks: {
      // Called a few times a second: reading the loss of every batch would make the GPU wait for each of them.
      onYield: (_epoch, batch, { loss, acc }) => onProgress({ done: batch + 1, batches, loss: loss!, accuracy: acc! }),
      // A frame of a page in the background never comes.
      nextFrameFunc: () => new Promise((done) => setTimeout(done)),
    },
  });
  return network;
}

/** The share of digits that the network gets right, run by TensorFlow.js. */
export async function accuracyOf(network: tf.Sequential, digits: Digits): Promise<number> {
  const results = (await network.evaluateDataset(batchesOf(digits, testBatch), {})) as tf.Scalar[];
  const [, accuracy] = await Promise.all(results.map((result) => result.data()));
  tf.dispose(results);
  return accuracy![0]!;
}

function batchesOf(digits: Digits, size: number) {
  return tf.data.generator(function* () {
    for (let first = 0; first < digits.count; first += size) {
      const count = Math.min(size, digits.count - first);
      const xs = tf.tensor3d(batchOf(digits, first, count), [count, edge, edge]);
      const ys = tf.tensor2d(oneHot(digits.labels.subarray(first, first + count)), [count, classes]);
      yield { xs, ys };
    }
  });
}

function oneHot(labels: Uint8Array): Float32Array {
  const values = new Float32Array(labels.length * classes);
  for (const [i, label] of labels.entries()) values[i * classes + label] = 1;
  return values;
}

function seeded(seed: number) {
  return tf.initializers.glorotUniform({ seed });
}
