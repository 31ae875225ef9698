import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Graph, Value } from '../../../delegate/index.js';
import type { Attrs } from '../../../delegate/ir/graph.js';
import type { CpuTensor } from '../../../delegate/ir/op.js';
import { ops } from '../../../delegate/ops/index.js';
import { fusingPasses } from '../../../delegate/passes/fuse.js';
import { runPasses } from '../../../delegate/passes/pass.js';
import { convolveTransposed } from '../../../delegate/passes/transposed.js';
import { activation, constant, graphOf, ints, node } from './build.js';

interface Case {
  readonly size: readonly [number, number];
  readonly filter: readonly [number, number];
  readonly channels: readonly [number, number];
  readonly stride: number;
  readonly padding: 'SAME' | 'VALID';
}

/** A transposed convolution of small whole numbers. */
function graphWith({ size: [h, w], filter: [kh, kw], channels: [inC, outC], stride, padding }: Case): Graph {
  const x = activation([2, h, w, inC], 'x');
  const along = (input: number, k: number) =>
    padding === 'SAME' ? input * stride : (input - 1) * stride + Math.max(k, stride);
  const y = activation([2, along(h, kh), along(w, kw), outC], 'y');
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => ((i * 7) % 11) - 5);
  const filter = constant([outC, kh, kw, inC], numbers(outC * kh * kw * inC));
  const attrs = { padding, strideH: stride, strideW: stride, fusedActivationFunction: 'NONE' };
  const inputs = [ints(...y.shape), filter, x, constant([outC], numbers(outC))];
  return graphOf([x], [node('TRANSPOSE_CONV', inputs, [y], attrs)], [y]);
}

/** What a graph makes of whole numbers on the CPU, where padding is a node of its own. */
function resultOf({ nodes, inputs: [x], outputs: [y] }: Graph): Float32Array {
  const data = Float32Array.from({ length: x!.shape.reduce((a, b) => a * b) }, (_, i) => ((i * 5) % 13) - 6);
  const values = new Map<Value, CpuTensor>([[x!, { shape: x!.shape, dtype: 'float32', data }]]);
  const run = (type: string, inputs: readonly (CpuTensor | undefined)[], attrs: Attrs, output: Value): CpuTensor => {
    const [data] = ops.get(type)!.cpu!(inputs, attrs, [output]);
    return { shape: output.shape, dtype: 'float32', data: data! };
  };
  for (const { type, attrs, inputs, outputs } of nodes) {
    const operands = inputs.map((v) => v && (values.get(v) ?? ({ ...v } as CpuTensor)));
    const [output] = outputs as [Value];
    const { pads, ...rest } = attrs as { pads?: readonly number[] };
    if (pads) {
      const [above, below, left, right] = pads as [number, number, number, number];
      const [n, h, w, c] = operands[0]!.shape as [number, number, number, number];
      const padded = activation([n, h + above + below, w + left + right, c]);
      const sizes: Value = { ...ints(0, 0, above, below, left, right, 0, 0), shape: [4, 2] };
      operands[0] = run('PAD', [operands[0], sizes as CpuTensor], {}, padded);
    }
    values.set(output, run(type, operands, { fusedActivationFunction: 'NONE', ...rest } as Attrs, output));
  }
  return values.get(y!)!.data as Float32Array;
}

describe('transposed convolutions', () => {
  it('become a convolution and a move, with the same results', () => {
    const small = (max: number) => fc.integer({ min: 1, max });
    const cases = fc.record({
      size: fc.tuple(small(4), small(4)),
      filter: fc.tuple(small(5), small(5)),
      channels: fc.tuple(
        small(3),
        small(2).map((n) => 4 * n),
      ),
      stride: small(3),
      padding: fc.constantFrom('SAME' as const, 'VALID' as const),
    });
    let rewritten = 0;
    fc.assert(
      fc.property(cases, (one) => {
        const graph = graphWith(one);
        const made = runPasses(graph, [convolveTransposed]);
        if (made.nodes[0]!.type === 'TRANSPOSE_CONV') return;
        rewritten++;
        assert.deepEqual([...resultOf(made)], [...resultOf(graph)]);
      }),
      { numRuns: 300 },
    );
    assert.ok(rewritten > 50, `${rewritten} of 300`);
  });

  it('are pointwise where each pixel becomes a square, and one draw less before a move', () => {
    const graph = graphWith({ size: [4, 4], filter: [2, 2], channels: [8, 8], stride: 2, padding: 'SAME' });
    const [y] = graph.outputs;
    const flat = activation([1024], 'flat');
    const nodes = [...graph.nodes, node('RESHAPE', [y!, ints(1024)], [flat])];
    const fused = runPasses(graphOf(graph.inputs, nodes, [flat]), fusingPasses);
    assert.deepEqual(
      fused.nodes.map(({ type, inputs }) => [type, inputs[1]?.shape ?? []]),
      [
        ['CONV_2D', [32, 1, 1, 8]],
        ['VIEW', []],
      ],
    );
  });

  it('stay where most taps would be zeros', () => {
    const one = { size: [4, 4], filter: [1, 1], channels: [8, 8], stride: 2, padding: 'SAME' } as const;
    assert.equal(runPasses(graphWith(one), [convolveTransposed]).nodes[0]!.type, 'TRANSPOSE_CONV');
  });
});
