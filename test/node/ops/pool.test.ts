import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/errors.js';
import { poolOps } from '../../../delegate/ops/pool.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, runOp } from '../support/run-op.js';

const attrs = {
  padding: 'SAME',
  strideW: 2,
  strideH: 2,
  filterWidth: 2,
  filterHeight: 2,
  fusedActivationFunction: 'NONE',
};

for (const type of ['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'L2_POOL_2D']) {
  describe(type, () => {
    const cases = corpusCases(type, runsOnly(type));

    it('gives what TFLite gives in every float32 case of the corpus', () => {
      assert.deepEqual(failuresOf(poolOps, cases.filter(usesOnly('float32'))), []);
    });

    it('infers the declared shapes for every type', () => {
      assert.deepEqual(inferenceFailuresOf(poolOps, cases), []);
    });
  });
}

describe('pools', () => {
  const x = float([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  it('leave padding out of the average and of the maximum', () => {
    assert.deepEqual(runOp(poolOps, 'AVERAGE_POOL_2D', [x], attrs), [[3, 4.5, 7.5, 9]]);
    const negative = float([1, 1, 1, 1], [-5]);
    assert.deepEqual(runOp(poolOps, 'MAX_POOL_2D', [negative], attrs), [[-5]]);
  });

  it('take the root of the mean square', () => {
    assert.deepEqual(runOp(poolOps, 'L2_POOL_2D', [float([1, 1, 2, 1], [1, 7])], attrs), [[5]]);
  });

  it('pass over NaN in a maximum', () => {
    assert.deepEqual(runOp(poolOps, 'MAX_POOL_2D', [float([1, 1, 2, 1], [Number.NaN, -1])], attrs), [[-1]]);
  });

  it('refuse empty windows and strides', () => {
    const infer = (changed: object) => () => inferOp(poolOps, 'MAX_POOL_2D', [x], { ...attrs, ...changed });
    assert.throws(infer({ filterHeight: 0 }), ModelError);
    assert.throws(infer({ strideW: 0 }), ModelError);
    assert.throws(() => inferOp(poolOps, 'MAX_POOL_2D', [float([3, 3, 1])], attrs), ModelError);
  });
});
