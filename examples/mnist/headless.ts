// The page behind `npm start`: no user interface, a function for each step that the terminal side tells.
import type * as tf from '@tensorflow/tfjs';
import { createClassifier, largest } from './classifier.js';
import { batchOf, type Digits, firstOf, imageOf, loadDigits } from './digits.js';
import { evaluate } from './evaluate.js';
import { convert, flavours } from './files.js';
import { accuracyOf, createNetwork, type TrainingProgress, train, useGpu } from './network.js';
import { type RunRequest, runModel } from './run-model.js';
import { isStored, settings } from './settings.js';

declare global {
  interface Window {
    /** Provided by the terminal side: `done` of `total` batches or images. */
    tellProgress(done: number, total: number, training?: TrainingProgress): void;
    steps: typeof steps;
  }
}

const bytesOf = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer());

const settingOf = (name: string) => settings.find((one) => one.name === name)!;

let training: Digits;
let test: Digits;
let network: tf.Sequential;
const files = new Map<string, Uint8Array>();

const steps = {
  /** The settings whose files are there, in order. */
  settings: () => settings.filter(({ file }) => files.has(file)),

  /** Loads the digits, at most so many of each set; resolves to how many there are. */
  async load(request: { training: number; test: number }) {
    training = firstOf(await loadDigits('/digits', 'train'), request.training);
    test = firstOf(await loadDigits('/digits', 'test'), request.test);
    return { training: training.count, test: test.count };
  },

  /** Trains the network for one epoch. */
  async train() {
    await useGpu();
    network = createNetwork();
    await train(network, training, (progress) => window.tellProgress(progress.done, progress.batches, progress));
  },

  /** Accuracy of the trained network in TensorFlow.js. */
  accuracy: () => accuracyOf(network, test),

  /** Converts the trained network into every flavour; resolves to the sizes of the files. */
  async convert() {
    for (const flavour of flavours) files.set(flavour.file, await convert(network, flavour, training));
    return flavours.map(({ file, about }) => ({ file, about, bytes: files.get(file)!.byteLength }));
  },

  /** Takes the files that TensorFlow wrote in the place of converted ones. */
  async takeStored() {
    for (const { file } of settings.filter(isStored)) files.set(file, await bytesOf(`/models/${file}`));
  },

  /** The bytes of a file, as numbers that the terminal side can take. */
  bytes: (file: string) => [...files.get(file)!],

  /** Reads one test image in a setting. */
  async read(name: string, index: number) {
    const setting = settingOf(name);
    const classifier = await createClassifier(files.get(setting.file)!, setting);
    const predicted = largest(await classifier.read(batchOf(test, index, 1)));
    classifier.dispose();
    return { pixels: [...imageOf(test, index)], label: test.labels[index]!, predicted };
  },

  /** Evaluates a setting over the test set. */
  async evaluate(name: string) {
    const setting = settingOf(name);
    const onProgress = (done: number) => window.tellProgress(done, test.count);
    const { predictions, ...figures } = await evaluate(setting, files.get(setting.file)!, test, onProgress);
    return figures;
  },

  /** Runs the model (and image) that the terminal side serves. */
  async runServed({ hasImage, ...request }: Omit<RunRequest, 'image'> & { hasImage: boolean }) {
    const image = hasImage ? await (await fetch('/input')).blob() : undefined;
    return runModel(await bytesOf('/model'), { ...request, image });
  },
};

window.steps = steps;
