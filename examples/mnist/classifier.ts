import { Interpreter } from 'tflite-gpu';
import { delegateOptions, type Setting } from './settings.js';

/** A model file that reads one digit at a time. */
export interface Classifier {
  /** The logits of the ten digits, for an image of 28 x 28 values from 0 to 1. */
  read(image: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

/** Loads a model file into an interpreter on the GPU. The caller disposes of it. */
export async function createClassifier(model: Uint8Array, setting: Setting): Promise<Classifier> {
  const interpreter = await Interpreter.create(model, delegateOptions(setting));
  await interpreter.allocateTensors();
  const input = interpreter.getInputDetails()[0]!.index;
  const output = interpreter.getOutputDetails()[0]!.index;
  return {
    async read(image) {
      interpreter.setTensor(input, image);
      await interpreter.invokeAsync();
      return (await interpreter.getTensorAsync(output)) as Float32Array;
    },
    dispose: () => interpreter.dispose(),
  };
}

/** The digit with the largest logit. */
export function largest(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}
