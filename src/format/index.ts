/** `tflite-gpu/format`: model files as data, to verify, read, print and write. Needs neither a GPU nor TensorFlow.js. */
export { ModelError } from '../../delegate/index.js';
export type { Limits } from './limits.js';
export type { Model } from './model.js';
export { printModel } from './print.js';
export { readModel } from './read.js';
export { verifyModel } from './verify.js';
export { writeModel } from './write.js';
