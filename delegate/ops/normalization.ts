import { ModelError } from '../errors.js';
import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import type { Activation } from '../ir/vocabulary.js';
import { activate, expectClamp } from './fused-activation.js';
import { arithmeticType, expectRank, needsFloat } from './operand.js';

/** Attributes of L2_NORMALIZATION. Input: x of rank 1 or more. */
export interface L2NormalizationAttrs {
  readonly fusedActivationFunction: Activation;
}

/** Attributes of LOCAL_RESPONSE_NORMALIZATION. Input: x [N, H, W, C]. */
export interface LocalResponseNormalizationAttrs {
  /** Channels to either side that a channel is divided by. */
  readonly radius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

const l2Normalization: OpSpec<L2NormalizationAttrs> = {
  type: 'L2_NORMALIZATION',
  infer(inputs, _attrs, outputs) {
    const x = required(inputs, 0);
    if (x.shape.length === 0) throw new ModelError('shape', 'input is a scalar; accepted: rank 1 or more');
    return [typed(x.shape, arithmeticType(x, outputs))];
  },
  cpu(inputs, attrs) {
    const x = required(inputs, 0);
    const data = needsFloat(this.type, x);
    const depth = x.shape.at(-1)!;
    const out = new Float32Array(data.length);
    for (let from = 0; from < data.length; from += depth) {
      let squares = 0;
      for (let i = from; i < from + depth; i++) squares += data[i]! * data[i]!;
      const length = Math.max(Math.sqrt(squares), 1e-6);
      for (let i = from; i < from + depth; i++) out[i] = data[i]! / length;
    }
    return [activate(out, expectClamp(this.type, attrs.fusedActivationFunction))];
  },
};

const localResponseNormalization: OpSpec<LocalResponseNormalizationAttrs> = {
  type: 'LOCAL_RESPONSE_NORMALIZATION',
  infer(inputs) {
    const x = required(inputs, 0);
    expectRank('input', x, 4);
    return [typed(x.shape, x.dtype)];
  },
  cpu(inputs, { radius, bias, alpha, beta }) {
    const x = required(inputs, 0);
    const data = needsFloat(this.type, x);
    const depth = x.shape[3]!;
    const out = new Float32Array(data.length);
    for (let from = 0; from < data.length; from += depth) {
      for (let c = 0; c < depth; c++) {
        let squares = 0;
        const last = Math.min(c + radius, depth - 1);
        for (let i = Math.max(0, c - radius); i <= last; i++) squares += data[from + i]! * data[from + i]!;
        out[from + c] = data[from + c]! * (bias + alpha * squares) ** -beta;
      }
    }
    return [out];
  },
};

/** x / max(√Σx², 1e−6) along the last axis; and x · (bias + α·Σx²)^−β over neighbouring channels. */
export const normalizationOps: readonly OpSpec[] = [defineOp(l2Normalization), defineOp(localResponseNormalization)];
