import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgl';
import type { Peer } from '../peers.js';
import { loadTfjsGraph } from './tfjs-graph.js';

/**
 * TensorFlow.js's WebGL backend running the file op by op. On a software rasteriser it would silently fall back to its
 * CPU backend: the flag allows it, the check makes sure.
 */
export const tfjs: Peer = {
  async load(bytes) {
    tf.env().set('SOFTWARE_WEBGL_ENABLED', true);
    await tf.setBackend('webgl');
    if (tf.getBackend() !== 'webgl') throw new Error(`TensorFlow.js runs on ${tf.getBackend()}, wanted webgl`);
    const graph = loadTfjsGraph(bytes);
    return {
      async run(inputs) {
        const outputs = graph.run(inputs);
        const data = await Promise.all(outputs.map((output) => output.data()));
        for (const output of outputs) output.dispose();
        return data as Float32Array[];
      },
      runSync(inputs) {
        const outputs = graph.run(inputs);
        const data = outputs.map((output) => output.dataSync());
        for (const output of outputs) output.dispose();
        return data as Float32Array[];
      },
      submit(inputs) {
        for (const output of graph.run(inputs)) output.dispose();
      },
      /** Between runs only weights are in use; textures of activations are kept for reuse, and count as held. */
      figures() {
        const { numBytesInGPU, numBytesInGPUAllocated } = tf.memory() as unknown as Record<string, number>;
        const activationBytes = numBytesInGPUAllocated! - numBytesInGPU!;
        return { ops: graph.opCount, activationBytes, weightBytes: numBytesInGPU! };
      },
      dispose: () => graph.dispose(),
    };
  },
};
