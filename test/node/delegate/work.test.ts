import assert from 'node:assert/strict';
import { it } from 'node:test';
import { multiplyAddsOf } from '../../../delegate/plan/work.js';
import { activation, constant, graphOf, node } from './build.js';

/** What a node that makes `out` of `inputs` takes. */
function workOf(type: string, inputs: Parameters<typeof node>[1], out: readonly number[], attrs = {}): number {
  const result = activation(out);
  return multiplyAddsOf(graphOf([], [node(type, inputs, [result], attrs)], [result]));
}

const zeros = (...shape: number[]) => constant(shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(0));

it('counts multiply-adds by the definition of an op', () => {
  const image = activation([1, 8, 10, 6]);
  assert.equal(workOf('CONV_2D', [image, zeros(12, 3, 3, 6)], [1, 4, 5, 12]), 4 * 5 * 12 * 3 * 3 * 6);
  assert.equal(workOf('DEPTHWISE_CONV_2D', [image, zeros(1, 3, 3, 6)], [1, 8, 10, 6]), 8 * 10 * 6 * 3 * 3);
  const up = [zeros(4), zeros(12, 2, 2, 6), image];
  assert.equal(workOf('TRANSPOSE_CONV', up, [1, 16, 20, 12]), 8 * 10 * 6 * 2 * 2 * 12);
  assert.equal(workOf('FULLY_CONNECTED', [image, zeros(7, 240)], [2, 7]), 2 * 7 * 240);
  const [left, right] = [activation([2, 5, 3]), activation([2, 3, 4])];
  assert.equal(workOf('BATCH_MATMUL', [left, right], [2, 5, 4]), 2 * 5 * 3 * 4);
  assert.equal(workOf('BATCH_MATMUL', [activation([2, 3, 5]), right], [2, 5, 4], { adjX: true }), 2 * 5 * 3 * 4);
  assert.equal(workOf('ADD', [image, image], [1, 8, 10, 6]), 0);
});
