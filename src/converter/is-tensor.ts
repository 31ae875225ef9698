import type { Tensor } from '@tensorflow/tfjs-core';

/** By its field rather than `instanceof`: the caller's tfjs may be another copy. */
export function isTensor(x: unknown): x is Tensor {
  return typeof x === 'object' && x !== null && 'dataId' in x;
}
