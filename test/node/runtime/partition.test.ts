import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Graph, Node, Value } from '../../../delegate/index.js';
import { type Partition, partition } from '../../../src/runtime/partition.js';
import { GraphBuilder } from './graphs.js';

const declines = (node: Node) => (node.type.startsWith('CPU') ? `the GPU has no ${node.type}` : undefined);
const cut = (graph: Graph, maxPartitions = 0) => partition(graph, { declines, maxPartitions });
const sketch = ({ segments }: Partition) =>
  segments.map(({ place, graph }) => `${place} ${graph.nodes.map((node) => node.id).join()}`);

/** A chain of nodes of the given types, each reading the one before. */
function chain(...types: string[]): Graph {
  const build = new GraphBuilder();
  const input = build.value();
  let last = input;
  for (const type of types) {
    const output = build.value();
    build.node(type, [last], [output]);
    last = output;
  }
  return build.graph([input], [last]);
}

/** Graphs whose nodes read up to three earlier values, some of them declined. */
const anyGraph = fc
  .array(fc.record({ cpu: fc.boolean(), reads: fc.array(fc.nat(), { maxLength: 3 }), result: fc.boolean() }), {
    maxLength: 40,
  })
  .map((rows) => {
    const build = new GraphBuilder();
    const input = build.value();
    const values: Value[] = [input, build.constant([1, 4], new Float32Array(4))];
    const results: Value[] = [];
    for (const { cpu, reads, result } of rows) {
      const output = build.value();
      build.node(
        cpu ? 'CPU' : 'GPU',
        reads.map((read) => values[read % values.length]),
        [output],
      );
      values.push(output);
      if (result) results.push(output);
    }
    return build.graph([input], results);
  });

describe('partition', () => {
  it('makes one segment of a graph that the GPU takes whole', () => {
    assert.deepEqual(sketch(cut(chain('A', 'B', 'C'))), ['gpu 0,1,2']);
  });

  it('makes no segment of an empty graph', () => {
    assert.deepEqual(cut(chain()).segments, []);
  });

  it('cuts at a declined node', () => {
    assert.deepEqual(sketch(cut(chain('A', 'CPU', 'C', 'D'))), ['gpu 0', 'cpu 1', 'gpu 2,3']);
  });

  it('joins what a declined side branch does not separate', () => {
    const build = new GraphBuilder();
    const [x, a, b, side, end] = [build.value(), build.value(), build.value(), build.value(), build.value()];
    build.node('A', [x], [a]);
    build.node('CPU', [a], [side]);
    build.node('B', [a], [b]);
    build.node('CPU', [b, side], [end]);
    assert.deepEqual(sketch(cut(build.graph([x], [end]))), ['gpu 0,2', 'cpu 1,3']);
  });

  it('starts where fewer segments come out', () => {
    const build = new GraphBuilder();
    const [x, y, a, b, end] = [build.value(), build.value(), build.value(), build.value(), build.value()];
    build.node('A', [x], [a]);
    build.node('CPU', [y], [b]);
    build.node('B', [a, b], [end]);
    assert.deepEqual(sketch(cut(build.graph([x, y], [end]))), ['cpu 1', 'gpu 0,2']);
  });

  it('keeps the largest GPU segments up to the limit and says why the others stay', () => {
    const graph = chain('A', 'CPU', 'B', 'C', 'CPU', 'D');
    const { segments, reasons } = cut(graph, 1);
    assert.deepEqual(sketch({ segments, reasons }), ['cpu 0,1', 'gpu 2,3', 'cpu 4,5']);
    assert.equal(reasons.get(graph.nodes[0]!), 'partition limit (maxDelegatedPartitions: 1)');
    assert.equal(reasons.get(graph.nodes[1]!), 'the GPU has no CPU');
    assert.equal(reasons.get(graph.nodes[2]!), undefined);
  });

  it('names the values that cross a border, each once, and no constants', () => {
    const build = new GraphBuilder();
    const [x, a, end] = [build.value(), build.value(), build.value()];
    const weights = build.constant([1, 4], new Float32Array(4));
    build.node('A', [x, x, weights], [a]);
    build.node('CPU', [a, a, weights, undefined], [end]);
    const [gpu, cpu] = cut(build.graph([x], [end, end, a])).segments;
    assert.deepEqual([gpu!.graph.inputs, gpu!.graph.outputs], [[x], [a]]);
    assert.deepEqual([cpu!.graph.inputs, cpu!.graph.outputs], [[a], [end]]);
  });

  it('keeps nodes with effects in order', () => {
    const build = new GraphBuilder();
    const values = Array.from({ length: 5 }, () => build.value());
    const [x, a, b, c] = values as [Value, Value, Value, Value];
    build.node('CPU_WRITE', [x], []);
    build.node('A', [x], [a]);
    build.node('CPU_READ', [], [b]);
    build.node('CPU_WRITE', [a], []);
    build.node('CPU_READ', [], [c]);
    const { segments } = partition(build.graph([x], [b, c]), {
      declines,
      maxPartitions: 0,
      ordered: (n) => n.type !== 'A',
    });
    const order = segments.flatMap(({ graph }) => graph.nodes.map((node) => node.id)).filter((id) => id !== 1);
    assert.deepEqual(order, [0, 2, 3, 4]);
  });

  it('puts every node into exactly one segment, of its place', () => {
    fc.assert(
      fc.property(anyGraph, fc.nat(3), (graph, limit) => {
        const { segments, reasons } = cut(graph, limit);
        const placed = segments.flatMap((segment) => segment.graph.nodes);
        assert.deepEqual(new Set(placed), new Set(graph.nodes));
        assert.equal(placed.length, graph.nodes.length);
        for (const { place, graph: part } of segments) {
          for (const node of part.nodes) assert.equal(reasons.has(node), place === 'cpu');
        }
      }),
    );
  });

  it('runs producers before readers, with every crossing value in a border', () => {
    fc.assert(
      fc.property(anyGraph, fc.nat(3), (graph, limit) => {
        const known = new Set<Value>(graph.inputs);
        for (const { graph: part } of cut(graph, limit).segments) {
          for (const value of part.inputs) assert.ok(known.has(value));
          const inside = new Set(part.inputs);
          for (const node of part.nodes) {
            for (const value of node.inputs) assert.ok(!value || value.data || inside.has(value));
            for (const value of node.outputs) inside.add(value);
          }
          for (const value of part.outputs) {
            assert.ok(inside.has(value));
            known.add(value);
          }
        }
        for (const value of graph.outputs) assert.ok(known.has(value));
      }),
    );
  });

  it('never exceeds the limit, and alternates between the places', () => {
    fc.assert(
      fc.property(anyGraph, fc.integer({ min: 1, max: 3 }), (graph, limit) => {
        const { segments } = cut(graph, limit);
        assert.ok(segments.filter(({ place }) => place === 'gpu').length <= limit);
        for (let i = 1; i < segments.length; i++) assert.notEqual(segments[i]!.place, segments[i - 1]!.place);
      }),
    );
  });

  it('takes a graph of 100,000 nodes', () => {
    const types = Array.from({ length: 100_000 }, (_, i) => (i % 3 ? 'A' : 'CPU'));
    assert.equal(cut(chain(...types)).segments.length, 66_667);
  });
});
