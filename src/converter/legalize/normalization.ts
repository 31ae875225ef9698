import type { FusedBatchNormAttrs } from '@tensorflow/tfjs-core';
import { UnsupportedError, type Value } from '../../../delegate/index.js';
import { type Call, constantOf, type Legalizations, numberOf, operand } from './legalization.js';

/** (x − mean) · scale / √(variance + ε) + offset. */
function batchNorm(call: Call, { varianceEpsilon }: FusedBatchNormAttrs): Value {
  const [x, mean, variance] = [operand(call, 'x'), operand(call, 'mean'), operand(call, 'variance')];
  const { scale, offset } = call.inputs;
  const known = [mean, variance, scale, offset].every((v) => !v || (v.data && v.shape.length === 1));
  if (known) return scaledAndShifted(call, x, varianceEpsilon);
  const deviation = call.emit('RSQRT', [call.emit('ADD', [variance, numberOf(varianceEpsilon)])]);
  const factor = scale ? call.emit('MUL', [deviation, scale]) : deviation;
  const y = call.emit('MUL', [call.emit('SUB', [x, mean]), factor]);
  return offset ? call.emit('ADD', [y, offset]) : y;
}

/** With constants per channel it is one product and one sum, which filters take in. */
function scaledAndShifted(call: Call, x: Value, epsilon: number): Value {
  const read = (name: string) => call.inputs[name]?.data as Float32Array | undefined;
  const [mean, variance, scale, offset] = [read('mean')!, read('variance')!, read('scale'), read('offset')];
  const factor = variance.map((v, c) => (scale?.[c] ?? 1) / Math.sqrt(v + epsilon));
  const shift = mean.map((m, c) => (offset?.[c] ?? 0) - m * ((scale?.[c] ?? 1) / Math.sqrt(variance[c]! + epsilon)));
  const scaled = call.emit('MUL', [x, constantOf(factor, [factor.length], 'float32', 'scale')]);
  return call.emit('ADD', [scaled, constantOf(shift, [shift.length], 'float32', 'shift')]);
}

function softmax(call: Call, { dim }: { readonly dim: number }): Value {
  const logits = operand(call, 'logits');
  if (dim !== -1 && dim !== logits.shape.length - 1) throw new UnsupportedError(`axis ${dim}; accepted: the last`);
  return call.emit('SOFTMAX', [logits], { beta: 1 });
}

/** Kernels that bring values to a common scale. */
export const normalization: Legalizations = {
  FusedBatchNorm: batchNorm,
  Softmax: softmax,
  LogSoftmax: (call) => call.emit('LOG_SOFTMAX', [operand(call, 'logits')]),
};
