import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError, UnsupportedError } from '../../../delegate/errors.js';
import { convOps } from '../../../delegate/ops/conv-2d.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';
import { float, inferOp, runOp, zeros } from '../support/run-op.js';

const attrs = {
  padding: 'SAME',
  strideW: 1,
  strideH: 1,
  dilationWFactor: 1,
  dilationHFactor: 1,
  fusedActivationFunction: 'NONE',
};
const run = (inputs: Parameters<typeof runOp>[2], changed = {}) =>
  runOp(convOps, 'CONV_2D', inputs, { ...attrs, ...changed })[0];
const infer = (inputs: Parameters<typeof inferOp>[2], changed = {}) =>
  inferOp(convOps, 'CONV_2D', inputs, { ...attrs, ...changed })[0];

describe('CONV_2D', () => {
  it('gives what TFLite gives in every float32 case of the corpus', () => {
    const cases = corpusCases('CONV_2D', runsOnly('CONV_2D')).filter(usesOnly('float32'));
    assert.deepEqual(failuresOf(convOps, cases), []);
  });

  it('infers the declared shapes for every type', () => {
    assert.deepEqual(inferenceFailuresOf(convOps, corpusCases('CONV_2D', runsOnly('CONV_2D'))), []);
  });

  it('sums the window and adds the bias', () => {
    const x = float([1, 2, 2, 1], [1, 2, 3, 4]);
    assert.deepEqual(
      run([x, float([1, 2, 2, 1], [1, 10, 100, 1000]), float([1], [0.5])], { padding: 'VALID' }),
      [4321.5],
    );
  });

  it('pads at the end first when the padding is odd', () => {
    const x = float([1, 1, 3, 1], [1, 2, 3]);
    assert.deepEqual(run([x, float([1, 1, 2, 1], [1, 10])]), [21, 32, 3]);
  });

  it('keeps the groups apart', () => {
    const x = float([1, 1, 1, 4], [1, 2, 3, 4]);
    assert.deepEqual(run([x, float([2, 1, 1, 2], [1, 10, 1, 10])]), [21, 43]);
  });

  it('clamps to the fused activation, and ignores TANH', () => {
    const inputs = [float([1, 1, 2, 1], [-9, 9]), float([1, 1, 1, 1], [1])];
    assert.deepEqual(run(inputs, { fusedActivationFunction: 'RELU6' }), [0, 6]);
    assert.deepEqual(run(inputs, { fusedActivationFunction: 'RELU_N1_TO_1' }), [-1, 1]);
    assert.deepEqual(run(inputs, { fusedActivationFunction: 'TANH' }), [-9, 9]);
  });

  it('agrees with its definition where blocks of pixels and of filters end unevenly', () => {
    const [height, width, channels, filters] = [9, 11, 3, 7];
    const wave = (n: number) => Array.from({ length: n }, (_, i) => ((i * 7919) % 101) - 50);
    const x = wave(height * width * channels);
    const w = wave(filters * 9 * channels);
    const want = Array.from({ length: height * width * filters }, (_, i) => {
      const [f, column, row] = [i % filters, Math.floor(i / filters) % width, Math.floor(i / filters / width)];
      let sum = 0;
      for (let tap = 0; tap < 9 * channels; tap++) {
        const [c, fx, fy] = [tap % channels, Math.floor(tap / channels) % 3, Math.floor(tap / channels / 3)];
        const [y, at] = [row + fy - 1, column + fx - 1];
        if (y < 0 || y >= height || at < 0 || at >= width) continue;
        sum += x[(y * width + at) * channels + c]! * w[f * 9 * channels + tap]!;
      }
      return sum;
    });
    assert.deepEqual(run([float([1, height, width, channels], x), float([filters, 3, 3, channels], w)]), want);
  });

  it('refuses operands that do not fit', () => {
    const x = float([1, 4, 4, 4]);
    assert.throws(() => infer([x, float([2, 3, 3, 3])]), ModelError);
    assert.throws(() => infer([x, float([3, 3, 3, 2])]), ModelError);
    assert.throws(() => infer([x, float([2, 3, 3, 0])]), ModelError);
    assert.throws(() => infer([x, float([2, 3, 3, 4]), float([3])]), ModelError);
    assert.throws(() => infer([float([4, 4, 4]), float([2, 3, 3, 4])]), ModelError);
    assert.throws(() => infer([x, float([2, 3, 3, 4])], { strideH: 0 }), ModelError);
    assert.throws(() => infer([x, float([2, 3, 3, 4])], { dilationWFactor: -1 }), ModelError);
  });

  it('refuses quantised values, not their shapes', () => {
    const inputs = [zeros([1, 4, 4, 4], 'int8'), zeros([2, 3, 3, 4], 'int8'), zeros([2], 'int32')];
    assert.deepEqual(infer(inputs), [1, 4, 4, 2]);
    assert.throws(() => run(inputs), UnsupportedError);
  });
});
