// What Notebook Kit builds the notebooks with: `tflite-gpu` is this project.
import { fileURLToPath } from 'node:url';

export default {
  resolve: { alias: { 'tflite-gpu': fileURLToPath(new URL('../../src/index.ts', import.meta.url)) } },
};
