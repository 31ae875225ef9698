import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CpuTensor, type OpSpec, ops, UnsupportedError } from '../../../delegate/index.js';
import { cpuRunner } from '../../../src/runtime/cpu-runner.js';
import { customSpecs } from '../../../src/runtime/custom-ops.js';
import { float } from '../support/run-op.js';
import { GraphBuilder } from './graphs.js';

const values = (tensors: readonly CpuTensor[]) => tensors.map(({ data }) => [...(data as Float32Array)]);

describe('running on the CPU', () => {
  it('runs the nodes of a graph in order, constants included', () => {
    const b = new GraphBuilder();
    const [x, y, z] = [b.value([3]), b.value([3]), b.value([3])];
    b.node('MUL', [x, b.constant([], Float32Array.of(2))], [y]);
    b.node('RELU6', [y], [z]);
    assert.deepEqual(values(cpuRunner().run(b.graph([x], [y, z]), [float([3], [-1, 2, 5])])), [
      [-2, 4, 10],
      [0, 4, 6],
    ]);
  });

  it('takes shapes from the values that it sees', () => {
    const b = new GraphBuilder();
    const [x, at] = [b.value([4]), b.value([-1, 1], 'int64')];
    b.node('WHERE', [x], [at]);
    const [found] = cpuRunner().run(b.graph([x], [at]), [float([4], [0, 3, 0, Number.NaN])]);
    assert.deepEqual(found!.shape, [2, 1]);
    assert.deepEqual(found!.data, BigInt64Array.of(1n, 3n));
  });

  it('gives constants and inputs that are outputs', () => {
    const b = new GraphBuilder();
    const x = b.value([1]);
    assert.deepEqual(
      values(cpuRunner().run(b.graph([x], [b.constant([1], Float32Array.of(7)), x]), [float([1], [5])])),
      [[7], [5]],
    );
  });

  it('names op, node and tensor of an op that is nowhere, and how to register it', () => {
    const b = new GraphBuilder();
    const [x, y] = [b.value([1]), b.value([1], 'float32', { name: 'lost' })];
    b.node('MyOp', [x], [y]);
    assert.throws(
      () => cpuRunner().run(b.graph([x], [y]), [float([1])]),
      (error: Error) => {
        assert.ok(error instanceof UnsupportedError);
        assert.match(error.message, /MyOp #0 "lost".*customOps: \{MyOp: \{inferShapes, cpu\}\}/);
        return true;
      },
    );
  });

  it('says which node failed', () => {
    const b = new GraphBuilder();
    const [x, y] = [b.value([2]), b.value([2])];
    b.node('ADD', [x, b.constant([3], new Float32Array(3))], [y]);
    assert.throws(() => cpuRunner().run(b.graph([x], [y]), [float([2])]), /^ModelError: ADD #0 /);
  });

  it('runs ops that the user supplies', () => {
    const double = {
      inferShapes: ([shape]: readonly (readonly number[])[]) => [shape!],
      cpu: ([x]: readonly (CpuTensor | undefined)[]) => [(x!.data as Float32Array).map((v) => 2 * v)],
    };
    const b = new GraphBuilder();
    const [x, y] = [b.value([2]), b.value([2])];
    b.node('Double', [x], [y]);
    const runner = cpuRunner(new Map([...ops, ...customSpecs({ Double: double })]));
    assert.deepEqual(values(runner.run(b.graph([x], [y]), [float([2], [1, 2])])), [[2, 4]]);
  });

  it('runs nodes that have outputs without a reader', () => {
    const b = new GraphBuilder();
    const [x, y, unread, z] = [b.value([1]), b.value([1]), b.value([1]), b.value([1])];
    b.node('Two', [x], [y, unread]);
    b.node('RELU', [y], [z]);
    const two: OpSpec = { type: 'Two', infer: ([t]) => [t!, t!], cpu: ([t]) => [t!.data, t!.data] };
    const results = cpuRunner(new Map([...ops, ['Two', two]])).run(b.graph([x], [z]), [float([1], [3])]);
    assert.deepEqual(values(results), [[3]]);
  });
});
