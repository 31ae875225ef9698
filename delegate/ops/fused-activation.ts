import { UnsupportedError } from '../errors.js';
import type { Activation } from '../ir/vocabulary.js';

const LARGEST = 3.4028234663852886e38;

/**
 * Applies a fused activation in place. As in TFLite, TANH and SIGN_BIT are ignored, and even NONE clamps to the
 * largest finite float; NaN passes.
 */
export function activate(data: Float32Array, activation: Activation): Float32Array {
  const [low, high] = activationRange(activation);
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (x < low) data[i] = low;
    else if (x > high) data[i] = high;
  }
  return data;
}

/** The interval that a fused activation clamps float values to. */
export function activationRange(activation: Activation): readonly [low: number, high: number] {
  switch (activation) {
    case 'RELU':
      return [0, LARGEST];
    case 'RELU_N1_TO_1':
      return [-1, 1];
    case 'RELU6':
      return [0, 6];
    case 'NONE':
    case 'TANH':
    case 'SIGN_BIT':
      return [-LARGEST, LARGEST];
    default:
      return activation satisfies never;
  }
}

/** For ops where TFLite does not ignore what it cannot fuse: throws UnsupportedError for TANH and SIGN_BIT. */
export function expectClamp(op: string, activation: Activation): Activation {
  if (activation !== 'TANH' && activation !== 'SIGN_BIT') return activation;
  throw new UnsupportedError(`${op}: fused ${activation}; accepted: NONE, RELU, RELU_N1_TO_1, RELU6`);
}
