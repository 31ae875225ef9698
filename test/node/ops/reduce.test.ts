import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError, UnsupportedError } from '../../../delegate/errors.js';
import { reduceOps } from '../../../delegate/ops/reduce.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, int, runOp, zeros } from '../support/run-op.js';

const plain = usesOnly('float32', 'int32', 'int64', 'bool');
const keepDims = false;

for (const { type } of reduceOps) {
  describe(type, () => {
    const cases = corpusCases(type, runsOnly(type));

    it('gives what TFLite gives in every case of the corpus that is not quantised', () => {
      assert.deepEqual(failuresOf(reduceOps, cases.filter(plain)), []);
    });

    it('infers the declared shapes for every type', () => {
      assert.deepEqual(inferenceFailuresOf(reduceOps, cases), []);
    });
  });
}

describe('reductions', () => {
  const x = float([2, 3, 2]);

  it('take axes in any order, from either end, and more than once', () => {
    for (const axes of [
      [0, 2],
      [2, 0],
      [-1, 0],
      [0, -1, 2, 0],
    ]) {
      assert.deepEqual(runOp(reduceOps, 'SUM', [x, int([axes.length], axes)], { keepDims }), [[14, 22, 30]]);
    }
  });

  it('keep reduced dimensions as 1 when asked', () => {
    assert.deepEqual(inferOp(reduceOps, 'SUM', [x, int([], [1])], { keepDims: true }), [[2, 1, 2]]);
    assert.deepEqual(inferOp(reduceOps, 'SUM', [x, int([], [1])], { keepDims }), [[2, 2]]);
    assert.deepEqual(inferOp(reduceOps, 'SUM', [x, int([0], [])], { keepDims }), [[2, 3, 2]]);
  });

  it('do not know their shape before the axes', () => {
    assert.deepEqual(inferOp(reduceOps, 'SUM', [x, { shape: [1], dtype: 'int32' }], { keepDims }), [undefined]);
  });

  it('have a value for nothing', () => {
    const empty = [float([0]), int([1], [0])];
    const of = (type: string) => runOp(reduceOps, type, empty, { keepDims })[0];
    assert.deepEqual(of('SUM'), [0]);
    assert.deepEqual(of('REDUCE_PROD'), [1]);
    assert.deepEqual(of('MEAN'), [Number.NaN]);
    assert.deepEqual(of('REDUCE_MAX'), [Math.fround(-3.4028234663852886e38)]);
    assert.deepEqual(of('REDUCE_MIN'), [Math.fround(3.4028234663852886e38)]);
  });

  it('wrap integer sums and products, and truncate integer means', () => {
    const of = (type: string, values: number[]) =>
      runOp(reduceOps, type, [int([values.length], values), int([1], [0])], { keepDims })[0];
    assert.deepEqual(of('SUM', [2 ** 31 - 1, 1]), [-(2 ** 31)]);
    assert.deepEqual(of('REDUCE_PROD', [65537, 65537]), [131073]);
    assert.deepEqual(of('MEAN', [-3, -4]), [-3]);
    assert.deepEqual(of('MEAN', [2 ** 31 - 1, 2 ** 31 - 1]), [2 ** 31 - 1]);
  });

  it('refuse axes out of range, and quantised sums', () => {
    assert.throws(() => inferOp(reduceOps, 'SUM', [x, int([1], [3])], { keepDims }), ModelError);
    const quantised = [zeros([4], 'int8'), int([1], [0])];
    assert.throws(() => runOp(reduceOps, 'SUM', quantised, { keepDims }), UnsupportedError);
    assert.deepEqual(runOp(reduceOps, 'REDUCE_MAX', quantised, { keepDims }), [[0]]);
  });
});
