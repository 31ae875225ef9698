import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/errors.js';
import { decodeTransposeConvBias, transposeConvOps } from '../../../delegate/ops/transpose-conv.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, int, runOp } from '../support/run-op.js';

const type = 'TRANSPOSE_CONV';
const custom = 'Convolution2DTransposeBias';
const attrs = { padding: 'VALID', strideW: 2, strideH: 1, fusedActivationFunction: 'NONE' };

/** Custom options as MediaPipe writes them. */
function customAttrs(padding: number, strideW: number, strideH: number) {
  return { customOptions: new Uint8Array(Int32Array.of(padding, strideW, strideH).buffer) };
}

describe(type, () => {
  const cases = corpusCases(type, runsOnly(type));

  it('gives what TFLite gives in every float32 case of the corpus', () => {
    assert.deepEqual(failuresOf(transposeConvOps, cases.filter(usesOnly('float32', 'int32'))), []);
  });

  it('infers the declared shapes for every type', () => {
    assert.deepEqual(inferenceFailuresOf(transposeConvOps, cases), []);
  });

  it('adds the filter where each pixel lands', () => {
    const inputs = [int([4], [1, 1, 5, 1]), float([1, 1, 3, 1], [1, 10, 100]), float([1, 1, 2, 1], [1, 2])];
    assert.deepEqual(runOp(transposeConvOps, type, inputs, attrs), [[1, 10, 102, 20, 200]]);
  });

  it('does not know its shape before the shape tensor', () => {
    const shape = { shape: [4], dtype: 'int32' as const };
    const inputs = [shape, float([1, 1, 3, 1]), float([1, 1, 2, 1])];
    assert.deepEqual(inferOp(transposeConvOps, type, inputs, attrs), [undefined]);
  });

  it('refuses operands that do not fit', () => {
    const infer = (shape: number[], filter: number[], x: number[], bias?: number[]) => () =>
      inferOp(
        transposeConvOps,
        type,
        [int([shape.length], shape), float(filter), float(x), bias && float(bias)],
        attrs,
      );
    assert.throws(infer([1, 1, 5, 1], [1, 1, 3, 2], [1, 1, 2, 1]), ModelError);
    assert.throws(infer([1, 1, 5, 2], [1, 1, 3, 1], [1, 1, 2, 1]), ModelError);
    assert.throws(infer([2, 1, 5, 1], [1, 1, 3, 1], [1, 1, 2, 1]), ModelError);
    assert.throws(infer([1, 1, -5, 1], [1, 1, 3, 1], [1, 1, 2, 1]), ModelError);
    assert.throws(infer([1, 1, 5, 1], [1, 1, 3, 1], [1, 1, 2, 1], [2]), ModelError);
  });
});

describe(custom, () => {
  it('reads its attributes from the custom options', () => {
    assert.deepEqual(decodeTransposeConvBias(customAttrs(1, 2, 3)), {
      padding: 'SAME',
      strideW: 2,
      strideH: 3,
      fusedActivationFunction: 'NONE',
    });
    assert.throws(() => decodeTransposeConvBias(customAttrs(0, 2, 2)), ModelError);
    assert.throws(() => decodeTransposeConvBias({ customOptions: new Uint8Array(8) }), ModelError);
  });

  it('is as large as the input times the stride for SAME, and holds every tap for VALID', () => {
    const inputs = [float([1, 4, 6, 2]), float([3, 3, 3, 2]), float([3])];
    assert.deepEqual(inferOp(transposeConvOps, custom, inputs, customAttrs(1, 2, 2)), [[1, 8, 12, 3]]);
    assert.deepEqual(inferOp(transposeConvOps, custom, inputs, customAttrs(2, 2, 2)), [[1, 9, 13, 3]]);
  });

  it('is TRANSPOSE_CONV with a bias', () => {
    const x = float([1, 2, 2, 2]);
    const filter = float([3, 3, 3, 2]);
    const bias = float([3], [1, 2, 3]);
    const shape = int([4], [1, 4, 4, 3]);
    assert.deepEqual(
      runOp(transposeConvOps, custom, [x, filter, bias], customAttrs(1, 2, 2)),
      runOp(transposeConvOps, type, [shape, filter, x, bias], { ...attrs, padding: 'SAME', strideH: 2 }),
    );
  });

  it('refuses operands that do not fit', () => {
    const inputs = [float([1, 2, 2, 2]), float([3, 3, 3, 2]), float([2])];
    assert.throws(() => inferOp(transposeConvOps, custom, inputs, customAttrs(1, 2, 2)), ModelError);
    assert.throws(() => inferOp(transposeConvOps, custom, inputs.slice(0, 2), customAttrs(1, 0, 2)));
  });
});
