import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError, UnsupportedError } from '../../../delegate/errors.js';
import { fullyConnectedOps } from '../../../delegate/ops/fully-connected.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, runOp } from '../support/run-op.js';

const type = 'FULLY_CONNECTED';
const attrs = {
  fusedActivationFunction: 'NONE',
  weightsFormat: 'DEFAULT',
  keepNumDims: false,
  asymmetricQuantizeInputs: false,
};

describe(type, () => {
  const cases = corpusCases(type, runsOnly(type));

  it('gives what TFLite gives in every float32 case of the corpus', () => {
    assert.deepEqual(failuresOf(fullyConnectedOps, cases.filter(usesOnly('float32'))), []);
  });

  it('infers the declared shapes for every type', () => {
    assert.deepEqual(inferenceFailuresOf(fullyConnectedOps, cases), []);
  });

  it('multiplies each row with the rows of the weights', () => {
    const inputs = [float([2, 2], [1, 2, 3, 4]), float([3, 2], [1, 0, 0, 1, 1, 1]), float([3], [0, 0, 10])];
    assert.deepEqual(runOp(fullyConnectedOps, type, inputs, attrs), [[1, 2, 13, 3, 4, 17]]);
  });

  it('sees the input as rows as long as the weights, unless it keeps the dimensions', () => {
    const x = float([2, 3, 4]);
    assert.deepEqual(inferOp(fullyConnectedOps, type, [x, float([5, 8])], attrs), [[3, 5]]);
    assert.deepEqual(inferOp(fullyConnectedOps, type, [x, float([5, 4])], { ...attrs, keepNumDims: true }), [
      [2, 3, 5],
    ]);
  });

  it('refuses a fused TANH and sparse weights rather than compute something else', () => {
    const weights = float([1, 2]);
    const sparse = { ...weights, data: Float32Array.of(1) };
    const run = (w: typeof weights, fusedActivationFunction: string) => () =>
      runOp(fullyConnectedOps, type, [float([1, 2]), w], { ...attrs, fusedActivationFunction });
    assert.throws(run(weights, 'TANH'), UnsupportedError);
    assert.throws(run(sparse, 'NONE'), UnsupportedError);
  });

  it('refuses operands that do not fit', () => {
    const infer =
      (weights: number[], keepNumDims = false, bias?: number[]) =>
      () =>
        inferOp(fullyConnectedOps, type, [float([2, 3, 4]), float(weights), bias && float(bias)], {
          ...attrs,
          keepNumDims,
        });
    assert.throws(infer([5, 7]), ModelError);
    assert.throws(infer([5, 0]), ModelError);
    assert.throws(infer([5, 8], true), ModelError);
    assert.throws(infer([5, 4, 1]), ModelError);
    assert.throws(infer([5, 4], false, [4]), ModelError);
  });
});
