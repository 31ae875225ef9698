import { ModelError } from '../errors.js';
import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { arithmeticType, needsFloat } from './operand.js';

/** Attributes of SOFTMAX. Input: x of rank 1 or more. */
export interface SoftmaxAttrs {
  /** Multiplies the logits. */
  readonly beta: number;
}

/** Writes one row of the output; `largest` is the row's maximum, which keeps the exponentials at 1 or below. */
type Row = (x: Float32Array, from: number, depth: number, largest: number, beta: number, out: Float32Array) => void;

function overLastAxis(type: string, betaOf: (attrs: SoftmaxAttrs) => number, row: Row): OpSpec {
  return defineOp<SoftmaxAttrs>({
    type,
    infer(inputs, _attrs, outputs) {
      const x = required(inputs, 0);
      if (x.shape.length === 0) throw new ModelError('shape', 'input is a scalar; accepted: rank 1 or more');
      return [typed(x.shape, arithmeticType(x, outputs))];
    },
    cpu(inputs, attrs) {
      const x = required(inputs, 0);
      const data = needsFloat(type, x);
      const depth = x.shape.at(-1)!;
      const out = new Float32Array(data.length);
      for (let from = 0; from < data.length; from += depth) {
        row(data, from, depth, largestOf(data, from, depth), betaOf(attrs), out);
      }
      return [out];
    },
  });
}

function largestOf(x: Float32Array, from: number, depth: number): number {
  let largest = x[from]!;
  for (let i = from + 1; i < from + depth; i++) if (x[i]! > largest) largest = x[i]!;
  return largest;
}

const softmax: Row = (x, from, depth, largest, beta, out) => {
  let sum = 0;
  for (let i = from; i < from + depth; i++) sum += out[i] = Math.exp((x[i]! - largest) * beta);
  for (let i = from; i < from + depth; i++) out[i]! /= sum;
};

const logSoftmax: Row = (x, from, depth, largest, _beta, out) => {
  let sum = 0;
  for (let i = from; i < from + depth; i++) sum += Math.exp(x[i]! - largest);
  const logSum = Math.log(sum);
  for (let i = from; i < from + depth; i++) out[i] = x[i]! - largest - logSum;
};

/** exp(βx) / Σ exp(βx) and its logarithm (with β = 1), along the last axis. */
export const softmaxOps: readonly OpSpec[] = [
  overLastAxis('SOFTMAX', (attrs) => attrs.beta, softmax),
  overLastAxis('LOG_SOFTMAX', () => 1, logSoftmax),
];
