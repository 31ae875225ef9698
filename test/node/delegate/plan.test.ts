import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Graph, Value } from '../../../delegate/index.js';
import { fuse } from '../../../delegate/passes/index.js';
import { makePlan, type PlanTarget } from '../../../delegate/plan/plan.js';
import { activation, constant, graphOf, node } from './build.js';

const target: PlanTarget = {
  targets: 8,
  fetch: 'texture',
  maxTextureSize: 4096,
  varyings: 16,
  precision: 'float32',
  uniformWeights: false,
  inlineParameters: false,
};
const pointwise = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };

/** A chain of 1x1 convolutions to the given channels, each followed by an activation or none. */
function chain(layers: readonly (readonly [channels: number, activation?: string])[]): Graph {
  const x = activation([1, 8, 8, 16], 'x');
  let last: Value = x;
  const nodes = layers.flatMap(([channels, type]) => {
    const from = last.shape[3]!;
    const filter = constant([channels, 1, 1, from], new Array(channels * from).fill(0.1));
    const y = activation([1, 8, 8, channels]);
    const made = [node('CONV_2D', [last, filter, constant([channels], new Array(channels).fill(0))], [y], pointwise)];
    last = y;
    if (!type) return made;
    last = activation(y.shape);
    return [...made, node(type, [y], [last])];
  });
  return fuse(graphOf([x], nodes, [last]));
}

const programsOf = (graph: Graph) =>
  new Set(
    makePlan(graph, target)
      .draws.filter((d) => d.node.type === 'CONV_2D')
      .map((d) => d.kernel.source),
  ).size;

describe('plan', () => {
  it('gives layers that differ in size and bounds of the activation one program', () => {
    assert.equal(programsOf(chain([[16, 'RELU'], [32, 'RELU6'], [24], [40, 'RELU_N1_TO_1']])), 1);
  });

  it('gives layers whose activations differ in kind two', () => {
    assert.equal(programsOf(chain([[16, 'RELU'], [32, 'TANH'], [16]])), 2);
  });

  it('lets fragments have as many parameters as varyings as the device has, and reads the rest from the buffer', () => {
    for (const varyings of [0, 3, 16]) {
      const { kernel } = makePlan(chain([[16]]), { ...target, varyings }).draws[0]!;
      const texels = Math.ceil(kernel.params.length / 4);
      assert.equal(/flat in vec4 p\[/.test(kernel.source), texels <= varyings);
      assert.equal(kernel.vertex.includes(`flat out vec4 p[${texels}]`), texels <= varyings);
    }
  });
});
