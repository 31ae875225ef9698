import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkGraph,
  type DType,
  type Graph,
  printGraph,
  type TensorData,
  type Value,
} from '../../../delegate/index.js';
import { canonicalPasses } from '../../../delegate/passes/canonicalize.js';
import { runPasses } from '../../../delegate/passes/pass.js';
import { computeOnReals } from '../../../delegate/passes/quantization.js';
import { cpuRunner } from '../../../src/runtime/cpu-runner.js';
import { activation, constant, graphOf, ints, node } from './build.js';

const grid = (scale: number, zeroPoint: number) => ({
  scales: [scale],
  zeroPoints: [zeroPoint],
  quantizedDimension: 0,
});
const quantized = (shape: readonly number[], name: string, quantization = grid(0.5, -3), dtype: DType = 'int8') => ({
  ...activation(shape, name),
  dtype,
  quantization,
});
const stored = (shape: readonly number[], data: TensorData, dtype: DType, scale: number, zeroPoint = 0): Value => ({
  ...constant(shape, []),
  dtype,
  data,
  quantization: grid(scale, zeroPoint),
});
const canonical = (graph: Graph) => {
  const made = runPasses(graph, canonicalPasses);
  assert.deepEqual(checkGraph(made), []);
  return made;
};
const fullyConnected = { fusedActivationFunction: 'NONE', keepNumDims: false, weightsFormat: 'DEFAULT' };

describe('arithmetic on quantised tensors', () => {
  it('is float arithmetic between DEQUANTIZE and QUANTIZE; moves in one scale stay where the numbers are', () => {
    const [x, halves, y] = [quantized([1, 4], 'x'), quantized([2, 2], 'halves'), quantized([2, 2], 'y', grid(0.25, 0))];
    const nodes = [
      node('RESHAPE', [x, ints(2, 2)], [halves]),
      node('ADD', [halves, halves], [y], { fusedActivationFunction: 'RELU6' }),
    ];
    assert.equal(
      printGraph(canonical(graphOf([x], nodes, [y]))),
      `(%0: int8[1,4]) {
  %1: float32[1,4] = DEQUANTIZE(%0)
  %2: float32[2,2] = RESHAPE(%1, int32[2]{2,2})
  %3: float32[2,2] = ADD(%2, %2)
  %4: float32[2,2] = RELU6(%3)
  %5: int8[2,2] = QUANTIZE(%4)
} -> %5`,
    );
  });

  it('quantises what a move takes from one scale to another', () => {
    const [x, y, z] = [quantized([4], 'x'), quantized([4], 'y', grid(0.25, 0)), quantized([8], 'z')];
    const join = node('CONCATENATION', [x, y], [z], { axis: 0, fusedActivationFunction: 'NONE' });
    const made = runPasses(graphOf([x, y], [join], [z]), [computeOnReals]);
    assert.deepEqual(
      made.nodes.map(({ type, attrs }) => [type, attrs.exact]),
      [
        ['DEQUANTIZE', undefined],
        ['DEQUANTIZE', undefined],
        ['CONCATENATION', undefined],
        ['QUANTIZE', false],
      ],
    );
  });

  it('takes a bias in steps of the product of the scales, whatever its own, and rounds as TFLite does', () => {
    const [x, y] = [quantized([1, 2], 'x', grid(0.5, 0)), quantized([1, 1], 'y', grid(4, 0))];
    const filter = stored([1, 2], Int8Array.of(1, 2), 'int8', 0.5);
    const bias = stored([1], Int32Array.of(10), 'int32', 99);
    const { nodes } = canonical(graphOf([x], [node('FULLY_CONNECTED', [x, filter, bias], [y], fullyConnected)], [y]));
    const layer = nodes.find(({ type }) => type === 'FULLY_CONNECTED')!;
    assert.deepEqual([...(layer.inputs[1]!.data as Float32Array)], [0.5, 1]);
    // 10 · 0.25, and 2⁻⁵ of a step of 4: the multiplier 1/16 is 2⁻³ · 1/2, so TFLite rounds twice, first to 3 bits more.
    assert.deepEqual([...(layer.inputs[2]!.data as Float32Array)], [2.5 + 4 / 16]);
  });

  it('takes uint8 weights beside float activations for int8', () => {
    const [x, y] = [activation([1, 2], 'x'), activation([1, 1], 'y')];
    const filter = stored([1, 2], Uint8Array.of(255, 2), 'uint8', 0.5);
    const graph = canonical(graphOf([x], [node('FULLY_CONNECTED', [x, filter], [y], fullyConnected)], [y]));
    assert.deepEqual([...(graph.nodes[0]!.inputs[1]!.data as Float32Array)], [-0.5, 1]);
  });

  it('leaves ops on stored integers alone', () => {
    const [x, y] = [quantized([2], 'x'), quantized([2], 'y')];
    const graph = canonical(graphOf([x], [node('FLOOR_DIV', [x, x], [y])], [y]));
    assert.deepEqual(
      graph.nodes.map(({ type }) => type),
      ['FLOOR_DIV'],
    );
  });

  it('averages with ties away from the stored zero', () => {
    const window = { strideW: 2, strideH: 1, filterWidth: 2, filterHeight: 1, padding: 'VALID' };
    const [x, y] = [quantized([1, 1, 4, 1], 'x', grid(0.1, -128)), quantized([1, 1, 2, 1], 'y', grid(0.1, -128))];
    const pool = node('AVERAGE_POOL_2D', [x], [y], { ...window, fusedActivationFunction: 'NONE' });
    const graph = canonical(graphOf([x], [pool], [y]));
    const data = Int8Array.of(-8, -7, 7, 8);
    const [out] = cpuRunner().run(graph, [{ ...x, data }]);
    assert.deepEqual([...(out!.data as Int8Array)], [-8, 8]);
  });
});
