import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/errors.js';
import { depthwiseConvOps } from '../../../delegate/ops/depthwise-conv-2d.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, runOp } from '../support/run-op.js';

const attrs = {
  padding: 'SAME',
  strideW: 1,
  strideH: 1,
  depthMultiplier: 1,
  dilationWFactor: 1,
  dilationHFactor: 1,
  fusedActivationFunction: 'NONE',
};
const type = 'DEPTHWISE_CONV_2D';

describe(type, () => {
  const cases = corpusCases(type, runsOnly(type));

  it('gives what TFLite gives in every float32 case of the corpus', () => {
    assert.deepEqual(failuresOf(depthwiseConvOps, cases.filter(usesOnly('float32'))), []);
  });

  it('infers the declared shapes for every type', () => {
    assert.deepEqual(inferenceFailuresOf(depthwiseConvOps, cases), []);
  });

  it('keeps the channels apart', () => {
    const x = float([1, 1, 2, 2], [1, 2, 3, 4]);
    const filter = float([1, 1, 2, 2], [1, 10, 100, 1000]);
    assert.deepEqual(runOp(depthwiseConvOps, type, [x, filter], { ...attrs, padding: 'VALID' }), [[301, 4020]]);
  });

  it('takes the multiplier from the filter, channel by channel', () => {
    const x = float([1, 1, 1, 2], [1, 2]);
    const filter = float([1, 1, 1, 6], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(runOp(depthwiseConvOps, type, [x, filter, float([6])], attrs), [[1, 3, 5, 11, 14, 17]]);
  });

  it('refuses operands that do not fit', () => {
    const infer = (filter: number[], bias?: number[]) => () =>
      inferOp(depthwiseConvOps, type, [float([1, 4, 4, 4]), float(filter), bias && float(bias)], attrs);
    assert.throws(infer([1, 3, 3, 6]), ModelError);
    assert.throws(infer([1, 3, 3, 0]), ModelError);
    assert.throws(infer([2, 3, 3, 4]), ModelError);
    assert.throws(infer([1, 3, 3, 8], [4]), ModelError);
    assert.throws(infer([1, 0, 3, 4]), ModelError);
  });
});
