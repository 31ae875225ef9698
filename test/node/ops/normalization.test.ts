import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normalizationOps } from '../../../delegate/ops/normalization.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, runOp } from '../support/run-op.js';

for (const { type } of normalizationOps) {
  describe(type, () => {
    const cases = corpusCases(type, runsOnly(type));

    it('gives what TFLite gives in every float32 case of the corpus', () => {
      assert.deepEqual(failuresOf(normalizationOps, cases.filter(usesOnly('float32'))), []);
    });

    it('infers the declared shapes for every type', () => {
      assert.deepEqual(inferenceFailuresOf(normalizationOps, cases), []);
    });
  });
}

describe('L2_NORMALIZATION', () => {
  it('divides each row by its length, and zero by a little more than zero', () => {
    const x = float([2, 2], [3, 4, 0, 0]);
    assert.deepEqual(runOp(normalizationOps, 'L2_NORMALIZATION', [x], { fusedActivationFunction: 'NONE' }), [
      [0.6, 0.8, 0, 0].map(Math.fround),
    ]);
  });
});

describe('LOCAL_RESPONSE_NORMALIZATION', () => {
  it('divides by the squares of the neighbours that are there', () => {
    const attrs = { radius: 1, bias: 1, alpha: 1, beta: 1 };
    const x = float([1, 1, 1, 3], [1, 2, 3]);
    assert.deepEqual(runOp(normalizationOps, 'LOCAL_RESPONSE_NORMALIZATION', [x], attrs), [
      [1 / 6, 2 / 15, 3 / 14].map(Math.fround),
    ]);
  });
});
