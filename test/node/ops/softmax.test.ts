import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/errors.js';
import { softmaxOps } from '../../../delegate/ops/softmax.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, runOp } from '../support/run-op.js';

for (const type of ['SOFTMAX', 'LOG_SOFTMAX']) {
  describe(type, () => {
    const cases = corpusCases(type, runsOnly(type));

    it('gives what TFLite gives in every float32 case of the corpus', () => {
      assert.deepEqual(failuresOf(softmaxOps, cases.filter(usesOnly('float32'))), []);
    });

    it('infers the declared shapes for every type', () => {
      assert.deepEqual(inferenceFailuresOf(softmaxOps, cases), []);
    });

    it('refuses a scalar', () => {
      assert.throws(() => inferOp(softmaxOps, type, [float([])], { beta: 1 }), ModelError);
    });
  });
}

describe('SOFTMAX', () => {
  it('multiplies the logits by beta', () => {
    assert.deepEqual(runOp(softmaxOps, 'SOFTMAX', [float([1, 2], [3, 9])], { beta: 0 }), [[0.5, 0.5]]);
  });

  it('stays finite for large logits', () => {
    assert.deepEqual(runOp(softmaxOps, 'SOFTMAX', [float([2], [1e5, -1e5])], { beta: 1 }), [[1, 0]]);
    assert.deepEqual(runOp(softmaxOps, 'LOG_SOFTMAX', [float([2], [1e5, -1e5])]), [[0, -2e5]]);
  });
});
