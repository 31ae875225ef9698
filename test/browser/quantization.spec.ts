// Quantised graphs on the GPU against the same graphs on the CPU, which the corpus holds to TFLite.
import { createGpuDelegate, forceTarget } from '../../delegate/delegate.js';
import {
  canonicalize,
  type DType,
  type Graph,
  integerRange,
  type Node,
  sizeOf,
  type Value,
} from '../../delegate/index.js';
import { arrayOf, type NumericData } from '../../delegate/ir/dtype.js';
import { normalizeOptions, type TfLiteGpuDelegateOptions } from '../../delegate/options.js';
import { cpuRunner } from '../../src/runtime/cpu-runner.js';
import { random } from '../support/random.js';
import { context } from './support/agree.js';

let ids = 0;
const next = random(1);

function quantized(shape: readonly number[], dtype: DType, scale: number, zeroPoint = 0): Value {
  const quantization = { scales: [scale], zeroPoints: [zeroPoint], quantizedDimension: 0 };
  return { id: ids++, name: `v${ids}`, shape, dtype, quantization };
}

function constant(of: Value): Value {
  const [least, greatest] = integerRange(of.dtype)!.map(Number) as [number, number];
  const reach = Math.min(greatest, 100) - Math.max(least, -100);
  const data = new (arrayOf(of.dtype))(sizeOf(of.shape)) as Int8Array;
  for (let i = 0; i < data.length; i++) data[i] = Math.floor(Math.max(least, -100) + reach * next());
  return { ...of, data };
}

const node = (type: string, inputs: readonly Value[], output: Value, attrs: Node['attrs'] = {}): Node => ({
  id: ids++,
  type,
  attrs: { fusedActivationFunction: 'NONE', ...attrs },
  inputs,
  outputs: [output],
});

/** Convolution, pool, flattening and a layer whose result is the graph's, in one activation type. */
function network(dtype: DType): Graph {
  const unit = dtype === 'int16' ? 2 ** -8 : 1;
  const zero = dtype === 'int16' ? 0 : 5;
  const activation = (shape: readonly number[], scale: number) => quantized(shape, dtype, scale * unit, zero);
  const weights = dtype === 'uint8' ? 'uint8' : 'int8';
  const [x, y] = [activation([1, 8, 8, 3], 0.02), activation([1, 8, 8, 6], 0.05)];
  const [pooled, flat, z] = [activation([1, 4, 4, 6], 0.05), activation([1, 96], 0.05), activation([1, 10], 0.1)];
  const filter = constant(quantized([6, 3, 3, 3], weights, 0.004, weights === 'uint8' ? 50 : 0));
  const layer = constant(quantized([10, 96], weights, 0.003, weights === 'uint8' ? 50 : 0));
  const bias = (size: number) => constant(quantized([size], 'int32', 1));
  const window = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
  const halved = { padding: 'VALID', strideH: 2, strideW: 2, filterHeight: 2, filterWidth: 2 };
  const nodes = [
    node('CONV_2D', [x, filter, bias(6)], y, { ...window, fusedActivationFunction: 'RELU6' }),
    node('AVERAGE_POOL_2D', [y], pooled, halved),
    node('RESHAPE', [pooled], flat, { newShape: [1, 96] }),
    node('FULLY_CONNECTED', [flat, layer, bias(10)], z, { keepNumDims: false, weightsFormat: 'DEFAULT' }),
  ];
  return { name: 'quantised', nodes, inputs: [x], outputs: [z] };
}

/** The largest difference between the GPU's and the CPU's integers, and the draws that it took. */
function run(file: Graph, options?: TfLiteGpuDelegateOptions): { steps: number; draws: number } {
  forceTarget(context(), {});
  const graph = canonicalize(file);
  const delegate = createGpuDelegate(context(), normalizeOptions(options));
  const inputs = file.inputs.map((value) => constant(value).data as NumericData);
  const wanted = cpuRunner().run(
    graph,
    graph.inputs.map((value, i) => ({ ...value, data: inputs[i]! })),
  );
  const executable = delegate.compileSync(graph);
  try {
    executable.run(inputs);
    const differences = wanted.flatMap(({ data }, i) => {
      const got = executable.read(i);
      expect(got.constructor).toBe((data as NumericData).constructor);
      return Array.from(data as Int8Array, (v, j) => Math.abs(v - Number(got[j])));
    });
    return { steps: Math.max(...differences), draws: executable.stats.draws };
  } finally {
    executable.dispose();
  }
}

describe('quantised networks on the GPU', () => {
  for (const dtype of ['int8', 'uint8', 'int16'] as const) {
    it(`give the CPU's integers for ${dtype}, within a step, and quantise where they compute`, () => {
      const { steps, draws } = run(network(dtype));
      expect(steps).toBeLessThanOrEqual(1);
      // DEQUANTIZE of the input, convolution, pool, layer: the rest is part of these.
      expect(draws).toBe(4);
    });
  }

  it('stay within a step in half precision', () => {
    expect(run(network('int8'), { compileOptions: { precisionLossAllowed: 1 } }).steps).toBeLessThanOrEqual(1);
  });

  it('give integers both to the caller and to the next op', () => {
    const [x, y, z] = [0, 1, 2].map(() => quantized([2, 3, 5], 'int8', 0.25, 3)) as [Value, Value, Value];
    const nodes = [node('MUL', [x, x], y), node('ADD', [y, x], z)];
    expect(run({ name: 'two outputs', nodes, inputs: [x], outputs: [y, z] }).steps).toBeLessThanOrEqual(1);
  });

  it('move values from one scale to another, and between signed and unsigned', () => {
    const [x, y] = [quantized([1, 2, 3, 5], 'int8', 0.25, 3), quantized([1, 2, 3, 5], 'uint8', 0.1, 128)];
    const z = quantized([1, 2, 3, 5], 'int8', 0.2, -7);
    const nodes = [node('QUANTIZE', [x], y), node('QUANTIZE', [y], z)];
    expect(run({ name: 'scales', nodes, inputs: [x], outputs: [z] }).steps).toBe(0);
  });
});

describe('QUANTIZE on the GPU', () => {
  it('rounds ties away from zero, saturates, and gives the least for what is no number', () => {
    const values = [0.25, 0.75, 1.25, -0.25, -0.75, 1e9, -1e9, 3e38, Number.NaN, Number.POSITIVE_INFINITY, 0.24];
    const x: Value = { id: ids++, name: 'x', shape: [values.length], dtype: 'float32' };
    const y = quantized([values.length], 'int8', 0.5, 10);
    const graph = { name: 'stored', nodes: [node('QUANTIZE', [x], y)], inputs: [x], outputs: [y] };
    const executable = createGpuDelegate(context()).compileSync(graph);
    executable.run([Float32Array.from(values)]);
    expect([...(executable.read(0) as Int8Array)]).toEqual([11, 12, 13, 9, 8, 127, -128, -128, -128, 127, 10]);
    executable.dispose();
  });
});
