import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/errors.js';
import { batchMatmulOps } from '../../../delegate/ops/batch-matmul.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, runOp } from '../support/run-op.js';

const type = 'BATCH_MATMUL';
const attrs = { adjX: false, adjY: false, asymmetricQuantizeInputs: false };

describe(type, () => {
  const cases = corpusCases(type, runsOnly(type));

  it('gives what TFLite gives in every float32 case of the corpus', () => {
    assert.deepEqual(failuresOf(batchMatmulOps, cases.filter(usesOnly('float32'))), []);
  });

  it('infers the declared shapes for every type', () => {
    assert.deepEqual(inferenceFailuresOf(batchMatmulOps, cases), []);
  });

  it('takes either operand transposed', () => {
    const x = float([2, 3]);
    const y = float([3, 1], [1, 10, 100]);
    const xt = float([3, 2], [0, 3, 1, 4, 2, 5]);
    const yt = float([1, 3], [1, 10, 100]);
    for (const [a, b, adjX, adjY] of [
      [x, y, false, false],
      [xt, y, true, false],
      [x, yt, false, true],
      [xt, yt, true, true],
    ] as const) {
      assert.deepEqual(runOp(batchMatmulOps, type, [a, b], { ...attrs, adjX, adjY }), [[210, 543]]);
    }
  });

  it('broadcasts the leading dimensions', () => {
    const inputs = [float([2, 1, 1, 1], [2, 3]), float([3, 1, 1], [1, 10, 100])];
    assert.deepEqual(inferOp(batchMatmulOps, type, inputs, attrs), [[2, 3, 1, 1]]);
    assert.deepEqual(runOp(batchMatmulOps, type, inputs, attrs), [[2, 20, 200, 3, 30, 300]]);
  });

  it('refuses operands that do not fit', () => {
    const infer =
      (x: number[], y: number[], adjY = false) =>
      () =>
        inferOp(batchMatmulOps, type, [float(x), float(y)], { ...attrs, adjY });
    assert.throws(infer([2, 3], [2, 3]), ModelError);
    assert.throws(infer([2, 3], [3, 2], true), ModelError);
    assert.throws(infer([3], [3, 2]), ModelError);
    assert.throws(infer([2, 2, 3], [3, 3, 2]), ModelError);
  });
});
