import { ModelError } from '../errors.js';
import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { sizeOf } from '../ir/shape.js';
import type { Activation } from '../ir/vocabulary.js';
import { activate, expectClamp } from './fused-activation.js';
import { addBias, multiplyRows } from './gemm.js';
import { arithmeticType, expectBias, expectRank, needsFloat } from './operand.js';

/** Attributes of FULLY_CONNECTED. Inputs: x of any rank, weights [units, depth], bias [units] or absent. */
export interface FullyConnectedAttrs {
  readonly fusedActivationFunction: Activation;
  readonly weightsFormat: 'DEFAULT' | 'SHUFFLED4x16INT8';
  /** The output keeps x's dimensions but for the last; otherwise x is seen as [size / depth, depth]. */
  readonly keepNumDims: boolean;
  readonly asymmetricQuantizeInputs: boolean;
}

const fullyConnected: OpSpec<FullyConnectedAttrs> = {
  type: 'FULLY_CONNECTED',
  infer(inputs, attrs, outputs) {
    const x = required(inputs, 0);
    const weights = required(inputs, 1);
    expectRank('weights', weights, 2);
    const [units, depth] = weights.shape as [number, number];
    const size = sizeOf(x.shape);
    const fits = attrs.keepNumDims ? x.shape.at(-1) === depth : depth > 0 && size % depth === 0;
    if (!fits) {
      throw new ModelError(
        'shape',
        `input is [${x.shape}], weights are [${weights.shape}]; ` +
          `accepted: an input whose ${attrs.keepNumDims ? 'last size is' : 'size is a multiple of'} ${depth}`,
      );
    }
    expectBias(inputs[2], units);
    const shape = attrs.keepNumDims ? [...x.shape.slice(0, -1), units] : [size / depth, units];
    return [typed(shape, arithmeticType(x, outputs))];
  },
  cpu(inputs, attrs, [output]) {
    const x = needsFloat(this.type, required(inputs, 0));
    const weights = required(inputs, 1);
    const [units, depth] = weights.shape as [number, number];
    const out = new Float32Array(sizeOf(output!.shape));
    multiplyRows(
      { data: x, offset: 0, stride: depth },
      { data: needsFloat(this.type, weights), offset: 0, stride: depth },
      { data: out, offset: 0, stride: units },
      units > 0 ? out.length / units : 0,
      units,
      depth,
    );
    addBias(out, inputs[2] && needsFloat(this.type, inputs[2]));
    return [activate(out, expectClamp(this.type, attrs.fusedActivationFunction))];
  },
};

/** FULLY_CONNECTED, with optional bias. */
export const fullyConnectedOps: readonly OpSpec[] = [defineOp(fullyConnected)];
