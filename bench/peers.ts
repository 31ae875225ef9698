// The engines under comparison behind one shape: load a model, run it on given inputs, give all outputs back.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgl';
import { Interpreter } from 'tflite-gpu';
import { loadTfjsGraph } from './tfjs-graph.js';

/** One input of a model. */
export interface Input {
  readonly data: Float32Array | Int32Array;
  readonly shape: number[];
}

/** A loaded model. Every run uploads its inputs and reads all outputs back. */
export interface LoadedModel {
  run(inputs: readonly Input[]): Promise<(Float32Array | Int32Array)[]>;
  /** Figures of the loaded model: draws, bytes and the like. */
  figures(): Record<string, number | string>;
  dispose(): void;
}

async function loadOurs(bytes: Uint8Array, precisionLossAllowed: 0 | 1): Promise<LoadedModel> {
  const interpreter = await Interpreter.create(bytes, {
    delegate: 'gpu',
    gpu: { compileOptions: { precisionLossAllowed } },
  });
  await interpreter.allocateTensors();
  const inputs = interpreter.getInputDetails().map(({ index }) => index);
  const outputs = interpreter.getOutputDetails().map(({ index }) => index);
  return {
    async run(values) {
      for (const [k, { data }] of values.entries()) interpreter.setTensor(inputs[k]!, data);
      await interpreter.invokeAsync();
      return (await Promise.all(outputs.map((index) => interpreter.getTensorAsync(index)))) as Float32Array[];
    },
    figures() {
      const { nodes, draws, programs, precision, memory } = interpreter.report();
      const onCpu = nodes.filter(({ runsOn }) => runsOn === 'cpu').length;
      return { draws, programs, precision, onGpu: nodes.length - onCpu, onCpu, ...memory };
    },
    dispose: () => interpreter.dispose(),
  };
}

/** On a software rasteriser TensorFlow.js would silently fall back to its CPU backend: the flag allows it, the check makes sure. */
async function loadTfjs(bytes: Uint8Array): Promise<LoadedModel> {
  tf.env().set('SOFTWARE_WEBGL_ENABLED', true);
  await tf.setBackend('webgl');
  if (tf.getBackend() !== 'webgl') throw new Error(`bench: TensorFlow.js runs on ${tf.getBackend()}, wanted webgl`);
  const graph = loadTfjsGraph(bytes);
  return {
    async run(values) {
      const outputs = graph.run(values);
      const data = await Promise.all(outputs.map((output) => output.data()));
      for (const output of outputs) output.dispose();
      return data as Float32Array[];
    },
    figures: () => ({
      ops: graph.opCount,
      bytesOnGpu: Number((tf.memory() as { numBytesInGPU?: number }).numBytesInGPU),
    }),
    dispose: () => graph.dispose(),
  };
}

/** The peers by name. */
export const peers: Readonly<Record<string, (bytes: Uint8Array) => Promise<LoadedModel>>> = {
  ours: (bytes) => loadOurs(bytes, 0),
  'ours-f16': (bytes) => loadOurs(bytes, 1),
  'tfjs-webgl': loadTfjs,
};
