import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError, UnsupportedError } from '../../../delegate/errors.js';
import type { Activation } from '../../../delegate/ir/vocabulary.js';
import { ops } from '../../../delegate/ops/index.js';
import { float, inferOp, int, runOp, zeros } from '../support/run-op.js';

const all = [...ops.values()];
const binary = (type: string, x: readonly number[], y: readonly number[], make: typeof int = float) =>
  runOp(all, type, [make([x.length], x), make([y.length], y)])[0];

describe('elementwise ops', () => {
  it('broadcast both operands, at any rank', () => {
    assert.deepEqual(runOp(all, 'ADD', [float([2, 1], [10, 20]), float([3], [1, 2, 3])]), [[11, 12, 13, 21, 22, 23]]);
    assert.deepEqual(inferOp(all, 'MUL', [float([2, 1, 1, 1, 1, 3]), float([4, 1, 1])]), [[2, 1, 1, 4, 1, 3]]);
    assert.throws(() => inferOp(all, 'ADD', [float([2]), float([3])]), ModelError);
  });

  it('give the second operand where a comparison meets NaN', () => {
    assert.deepEqual(binary('MAXIMUM', [Number.NaN, 1], [1, Number.NaN]), [1, Number.NaN]);
    assert.deepEqual(binary('MINIMUM', [Number.NaN, 1], [1, Number.NaN]), [1, Number.NaN]);
  });

  it('keep NaN in activations', () => {
    for (const type of ['RELU', 'RELU6', 'RELU_N1_TO_1', 'HARD_SWISH'])
      assert.deepEqual(runOp(all, type, [float([1], [Number.NaN])]), [[Number.NaN]]);
  });

  it('clamp to the largest float even where nothing is fused, and ignore a fused TANH', () => {
    const largest = Math.fround(3.4028234663852886e38);
    assert.deepEqual(binary('DIV', [1, -1, 0], [0, 0, 0]), [largest, -largest, Number.NaN]);
    const fused = (fusedActivationFunction: Activation) =>
      runOp(all, 'ADD', [float([2], [-5, 4]), float([1], [3])], { fusedActivationFunction });
    assert.deepEqual(fused('TANH'), [[-2, 7]]);
    assert.deepEqual(fused('RELU6'), [[0, 6]]);
  });

  it('truncate integer quotients, and follow the sign of the divisor where they floor', () => {
    assert.deepEqual(binary('DIV', [-7, 7], [2, -2], int), [-3, -3]);
    assert.deepEqual(binary('FLOOR_DIV', [-7, 7], [2, -2], int), [-4, -4]);
    assert.deepEqual(binary('FLOOR_MOD', [-7, 7], [3, -3], int), [2, -2]);
    assert.deepEqual(binary('FLOOR_MOD', [-3, 3, 3], [Infinity, -Infinity, 0]), [Infinity, -Infinity, Number.NaN]);
  });

  it('refuse to divide integers by zero, and negative integer powers', () => {
    for (const type of ['DIV', 'FLOOR_DIV', 'FLOOR_MOD'])
      assert.throws(() => binary(type, [1], [0], int), { code: 'division-by-zero' });
    assert.throws(() => binary('FLOOR_DIV', [1], [0]), { code: 'division-by-zero' });
    assert.throws(() => binary('POW', [2], [-1], int), { code: 'exponent' });
  });

  it('raise integers to huge powers at once', () => {
    assert.deepEqual(binary('POW', [3, -1, 2], [5, 2147483647, 2147483647], int), [243, -1, 0]);
  });

  it('wrap integers', () => {
    assert.deepEqual(binary('ADD', [2147483647], [1], int), [-2147483648]);
    assert.deepEqual(binary('MUL', [65537], [65537], int), [131073]);
  });

  it('round halves to even', () => {
    assert.deepEqual(runOp(all, 'ROUND', [float([4], [-1.5, 0.5, 1.5, 2.5])]), [[-2, 0, 2, 2]]);
  });

  it('refuse quantised operands by op and type', () => {
    const x = { ...zeros([2], 'int8'), quantization: { scales: [0.5], zeroPoints: [3], quantizedDimension: 0 } };
    assert.throws(() => runOp(all, 'ADD', [x, x], {}, 'int8'), UnsupportedError);
    assert.throws(() => runOp(all, 'ADD', [x, x], {}, 'int8'), /ADD: quantised int8/);
  });
});
