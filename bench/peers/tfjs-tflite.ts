import * as tf from '@tensorflow/tfjs-core';
import type { Peer, Values } from '../peers.js';

const folder = '/peers/@tensorflow/tfjs-tflite';

/** What is used of the package's script, which makes the global `tflite` and takes TensorFlow.js from the global `tf`. */
interface Library {
  setWasmPath(path: string): void;
  loadTFLiteModel(bytes: ArrayBuffer, options: { numThreads: number }): Promise<Model>;
}

interface Model {
  readonly outputs: readonly { readonly name: string }[];
  predict(inputs: tf.Tensor[]): tf.Tensor | tf.NamedTensorMap;
}

const library = () => (globalThis as unknown as { tflite: Library }).tflite;

/** tfjs-tflite: TFLite's interpreter with XNNPACK in WebAssembly, one thread. It has no way to free a model. */
export const tfjsTflite: Peer = {
  async start() {
    Object.assign(globalThis, { tf });
    const script: string = `${folder}/dist/tf-tflite.min.js`;
    await import(script);
    library().setWasmPath(`${folder}/wasm/`);
  },
  async load(bytes) {
    const model = await library().loadTFLiteModel(bytes.slice().buffer, { numThreads: 1 });
    return {
      async run(inputs) {
        const given = inputs.map(({ data, shape, dtype }) => tf.tensor(data, shape, dtype));
        const result = model.predict(given);
        const outputs = result instanceof tf.Tensor ? [result] : model.outputs.map(({ name }) => result[name]!);
        const data = outputs.map((output) => output.dataSync() as Values);
        for (const tensor of [...given, ...outputs]) tensor.dispose();
        return data;
      },
      dispose: () => undefined,
    };
  },
};
