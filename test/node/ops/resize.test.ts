import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/errors.js';
import { resizeOps } from '../../../delegate/ops/resize.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, int, runOp } from '../support/run-op.js';

const none = { alignCorners: false, halfPixelCenters: false };

describe('RESIZE_BILINEAR', () => {
  const type = 'RESIZE_BILINEAR';
  const cases = corpusCases(type, runsOnly(type));
  const x = float([1, 1, 2, 1], [0, 8]);
  const run = (flags: object) => runOp(resizeOps, type, [x, int([2], [1, 4])], { ...none, ...flags })[0];

  it('gives what TFLite gives in every float32 case of the corpus', () => {
    assert.deepEqual(failuresOf(resizeOps, cases.filter(usesOnly('float32', 'int32'))), []);
  });

  it('infers the declared shapes for every type', () => {
    assert.deepEqual(inferenceFailuresOf(resizeOps, cases), []);
  });

  it('places the samples by its flags', () => {
    assert.deepEqual(run({}), [0, 4, 8, 8]);
    assert.deepEqual(run({ halfPixelCenters: true }), [0, 2, 6, 8]);
    assert.deepEqual(run({ alignCorners: true }), [0, 8 / 3, 16 / 3, 8].map(Math.fround));
  });
});

describe('RESIZE_NEAREST_NEIGHBOR', () => {
  const type = 'RESIZE_NEAREST_NEIGHBOR';
  const cases = corpusCases(type, runsOnly(type));

  it('gives what TFLite gives in every case of the corpus', () => {
    assert.deepEqual(failuresOf(resizeOps, cases), []);
  });

  it('infers the declared shapes', () => {
    assert.deepEqual(inferenceFailuresOf(resizeOps, cases), []);
  });

  it('copies values of any type', () => {
    const x = { shape: [1, 1, 2, 1], dtype: 'int64' as const, data: BigInt64Array.of(1n, 2n ** 60n) };
    assert.deepEqual(runOp(resizeOps, type, [x, int([2], [1, 4])], none), [[1n, 1n, 2n ** 60n, 2n ** 60n]]);
  });
});

describe('resizes', () => {
  it('refuse sizes that are none', () => {
    for (const { type } of resizeOps) {
      assert.throws(() => inferOp(resizeOps, type, [float([1, 2, 2, 1]), int([2], [0, 4])], none), ModelError);
      assert.throws(() => inferOp(resizeOps, type, [float([1, 2, 2, 1]), int([3], [4, 4, 4])], none), ModelError);
      assert.throws(() => inferOp(resizeOps, type, [float([2, 2, 1]), int([2], [4, 4])], none), ModelError);
      assert.throws(() => inferOp(resizeOps, type, [float([1, 0, 2, 1]), int([2], [4, 4])], none), ModelError);
    }
  });
});
