import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/errors.js';
import { argOps } from '../../../delegate/ops/arg.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly } from '../support/corpus.js';
import { float, inferOp, int, runOp } from '../support/run-op.js';

for (const { type } of argOps) {
  describe(type, () => {
    const cases = corpusCases(type, runsOnly(type));

    it('gives what TFLite gives in every case of the corpus', () => {
      assert.deepEqual(failuresOf(argOps, cases), []);
    });

    it('infers the declared shapes', () => {
      assert.deepEqual(inferenceFailuresOf(argOps, cases), []);
    });
  });
}

describe('ARG_MAX and ARG_MIN', () => {
  const x = float([2, 3], [1, 5, 5, 7, 0, 0]);

  it('give the first of ties, in the declared type', () => {
    assert.deepEqual(runOp(argOps, 'ARG_MAX', [x, int([], [1])], {}, 'int32'), [[1, 0]]);
    assert.deepEqual(runOp(argOps, 'ARG_MIN', [x, int([], [-1])], {}, 'int64'), [[0n, 1n]]);
  });

  it('leave the axis out of the shape', () => {
    assert.deepEqual(inferOp(argOps, 'ARG_MAX', [x, int([1], [-2])], {}, 'int32'), [[3]]);
    assert.deepEqual(inferOp(argOps, 'ARG_MAX', [x, { shape: [], dtype: 'int32' }], {}, 'int32'), [undefined]);
  });

  it('refuse an axis that is not there or empty', () => {
    assert.throws(() => inferOp(argOps, 'ARG_MAX', [x, int([], [2])], {}, 'int32'), ModelError);
    assert.throws(() => inferOp(argOps, 'ARG_MAX', [float([2, 0]), int([], [1])], {}, 'int32'), ModelError);
  });
});

describe('TOPK_V2', () => {
  it('gives the largest first, and the lower index first among equals', () => {
    const x = float([1, 4], [1, 5, 5, 7]);
    assert.deepEqual(runOp(argOps, 'TOPK_V2', [x, int([], [3])], {}, 'int32'), [
      [7, 5, 5],
      [3, 1, 2],
    ]);
  });

  it('refuses more than there are', () => {
    assert.throws(() => inferOp(argOps, 'TOPK_V2', [float([2, 3]), int([], [4])], {}, 'int32'), ModelError);
  });
});
