import type { Limits } from './limits.js';
import { readModel } from './read.js';

/** Checks a `.tflite` file completely, without using it. Throws ModelError with a code, the place and its byte. */
export function verifyModel(bytes: Uint8Array, limits: Partial<Limits> = {}): void {
  readModel(bytes, limits);
}
