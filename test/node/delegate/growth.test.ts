// Compiling takes time in proportion to the number of ops.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ops } from '../../../delegate/ops/index.js';
import { canonicalize } from '../../../delegate/passes/canonicalize.js';
import { fuse } from '../../../delegate/passes/fuse.js';
import { makePlan } from '../../../delegate/plan/plan.js';
import { finish } from '../../../delegate/task.js';
import { partition } from '../../../src/runtime/partition.js';
import { prepare } from '../../../src/runtime/prepare.js';
import { activation, constant, graphOf, node, target } from './build.js';

const shape = [1, 8, 8, 8];
const filter = constant([8, 1, 1, 8], new Array(64).fill(0.1));
const attrs = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };

/** CONV_2D → RELU → ADD with what was there `back` blocks ago, over and over: `count` ops, at most `back` values alive. */
function blocks(count: number, back: number) {
  const x = activation(shape, 'x');
  const ends = [x];
  const nodes = Array.from({ length: Math.floor(count / 3) }, (_, i) => {
    const [a, b, c] = [activation(shape), activation(shape), activation(shape)];
    const last = ends.at(-1)!;
    ends.push(c);
    return [
      node('CONV_2D', [last, filter], [a], attrs),
      node('RELU', [a], [b]),
      node('ADD', [b, ends[Math.max(0, i - back)]!], [c]),
    ];
  });
  return graphOf([x], nodes.flat(), [ends.at(-1)!]);
}

/** Processor time in milliseconds from the file's graph to the plan, the better of two. */
function compileTime(count: number, back: number): number {
  const times = [1, 2].map(() => {
    const file = blocks(count, back);
    const started = process.cpuUsage();
    const { graph } = prepare(file, [shape], { ops, canonicalize });
    const { segments } = partition(graph, { declines: () => undefined, maxPartitions: 1 });
    assert.equal(segments.length, 1);
    const plan = finish(makePlan(fuse(segments[0]!.graph), target));
    assert.ok(plan.draws.length > count / 4);
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

describe('a graph of thousands of ops', () => {
  it('is compiled in seconds, in a time that grows with its ops', () => {
    compileTime(500, 100);
    const [small, large] = [compileTime(2500, 100), compileTime(5000, 100)];
    assert.ok(large < 10_000, `5,000 ops took ${large} ms`);
    assert.ok(large < 2.6 * small, `2,500 ops took ${small} ms, 5,000 took ${large} ms`);
  });

  it('has several draws for a chain of pointwise ops that is longer than a shader should be', () => {
    const values = Array.from({ length: 101 }, () => activation(shape));
    const nodes = values.slice(1).map((to, i) => node('TANH', [values[i]!], [to]));
    const fused = fuse(graphOf([values[0]!], nodes, [values[100]!]));
    assert.ok(fused.nodes.length > 2 && fused.nodes.length < 8, `${fused.nodes.length} draws`);
  });
});
