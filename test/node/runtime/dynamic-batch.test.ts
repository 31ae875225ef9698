import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Graph, ops, type Value } from '../../../delegate/index.js';
import { MIXING, planBatch } from '../../../src/runtime/dynamic-batch.js';
import { Session } from '../../../src/runtime/session.js';
import { FakeGpu, fakeContext } from './fakes.js';
import { GraphBuilder } from './graphs.js';

const batched = { shapeSignature: [-1, 2] };

/** Ops whose every output row comes from the same rows of the inputs, or whose rules are spelled out in the planner. */
const APART = new Set(
  `ABS ADD ADD_N ARG_MAX ARG_MIN ATAN2 AVERAGE_POOL_2D BATCH_MATMUL BROADCAST_TO CAST CEIL CONCATENATION CONV_2D CONV_3D CONV_3D_TRANSPOSE
  COS DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV ELU EQUAL EXP FLOOR FLOOR_DIV FLOOR_MOD GELU GREATER
  GREATER_EQUAL HARD_SWISH L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOCAL_RESPONSE_NORMALIZATION LOG LOGICAL_AND
  LOGICAL_NOT LOGICAL_OR LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL ONE_HOT PACK PAD
  PADV2 POW PRELU QUANTIZE REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU RELU6 RELU_0_TO_1
  RELU_N1_TO_1 RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SELECT SELECT_V2 SIGN SIN SLICE
  SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SUB SUM TANH TILE TRANSPOSE TRANSPOSE_CONV UNPACK
  ZEROS_LIKE Convolution2DTransposeBias
  RESHAPE SQUEEZE EXPAND_DIMS FULLY_CONNECTED SOFTMAX LOG_SOFTMAX L2_NORMALIZATION STRIDED_SLICE GATHER`.split(/\s+/),
);

/** NEG → op (with a constant) on [batch, 2]. */
function graphOf(type: string, constant?: Value): Graph {
  const build = new GraphBuilder();
  const [x, a, y] = [0, 1, 2].map(() => build.value([1, 2], 'float32', batched));
  build.node('NEG', [x], [a!]);
  build.node(type, constant ? [a, { ...constant, id: 100 }] : [a], [y!]);
  return build.graph([x!], [y!]);
}

const planOf = (graph: Graph, ...shapes: number[][]) => planBatch(graph, shapes, fakeContext(undefined));
const declinedOf = (graph: Graph, ...shapes: number[][]) => {
  const plan = planOf(graph, ...shapes);
  return plan && 'declined' in plan ? plan.declined : undefined;
};

describe('dynamic batch', () => {
  it('knows of every op whether it mixes images', () => {
    assert.deepEqual(new Set([...ops.keys()].filter((type) => !MIXING.has(type))), APART);
  });

  it('runs any batch size from one compilation', () => {
    const gpu = new FakeGpu();
    const session = new Session(graphOf('ABS'), 'subgraphs[0]', fakeContext(gpu, { dynamicBatch: true }));
    for (const batch of [1, 3, 7, 2]) {
      session.resize([[batch, 2]]);
      const input = Float32Array.from({ length: 2 * batch }, (_, i) => (i % 3) - 1);
      session.setInput(0, input);
      session.run();
      assert.deepEqual(session.results.read(0).data, input.map(Math.abs));
      assert.deepEqual(session.outputs[0]!.shape, [batch, 2]);
      assert.deepEqual(session.results.read(0).shape, [batch, 2]);
    }
    assert.equal(gpu.compiled, 1);
  });

  it('gives the same without blocking', async () => {
    const gpu = new FakeGpu({ declined: ['NEG'] });
    const session = new Session(graphOf('ABS'), 'subgraphs[0]', fakeContext(gpu, { dynamicBatch: true }));
    session.resize([[3, 2]]);
    session.setInput(0, Float32Array.of(1, -2, 3, -4, 5, -6));
    await session.invoke({ wanted: () => [0], take: (outputs) => outputs.readAsync(0) });
    assert.deepEqual(session.results.read(0).data, Float32Array.of(1, 2, 3, 4, 5, 6));
    assert.equal(gpu.blockingReads, 0);
  });

  it('compiles again for each batch where an op may mix images, and says so', () => {
    const gpu = new FakeGpu();
    const session = new Session(graphOf('CUMSUM'), 'subgraphs[0]', fakeContext(gpu, { dynamicBatch: true }));
    for (const batch of [2, 3]) {
      session.resize([[batch, 2]]);
      session.setInput(0, new Float32Array(2 * batch));
      session.run();
    }
    assert.equal(gpu.compiled, 2);
    assert.match(session.notes[0]!, /CUMSUM #1 "t2" may mix images; another batch compiles again/);
  });

  it('gives the op a constant that is the same for all images', () => {
    const build = new GraphBuilder();
    assert.equal(declinedOf(graphOf('ADD', build.constant([2], Float32Array.of(1, 2))), [5, 2]), undefined);
  });

  it('declines a constant that has a batch of its own', () => {
    const build = new GraphBuilder();
    assert.match(declinedOf(graphOf('ADD', build.constant([4, 1, 2], new Float32Array(8))), [5, 2])!, /may mix images/);
  });

  it('lets reshapes regroup rows that stay in order', () => {
    const build = new GraphBuilder();
    const to = build.constant([2], Int32Array.of(-1, 1), 'int32');
    const [x, y] = [build.value([1, 2], 'float32', batched), build.value([2, 1])];
    build.node('RESHAPE', [x, to], [y]);
    const plan = planOf(build.graph([x], [y]), [5, 2]);
    assert.deepEqual(plan, { images: 5, shapes: [[1, 2]], inputs: [true], outputs: [true] });
  });

  it('declines a reshape that puts the batch elsewhere', () => {
    const build = new GraphBuilder();
    const to = build.constant([2], Int32Array.of(2, -1), 'int32');
    const [x, y] = [build.value([1, 2], 'float32', batched), build.value([2, 1])];
    build.node('RESHAPE', [x, to], [y]);
    assert.match(declinedOf(build.graph([x], [y]), [5, 2])!, /RESHAPE #0 "t2" may mix images/);
  });

  it('follows shapes that are computed from the batch, and declines arithmetic with it', () => {
    const build = new GraphBuilder();
    const [x, shape, y] = [build.value([1, 2], 'float32', batched), build.value([2], 'int32'), build.value([1, 2])];
    build.node('SHAPE', [x], [shape]);
    build.node('RESHAPE', [x, shape], [y]);
    assert.equal(declinedOf(build.graph([x], [y]), [5, 2]), undefined);
    const added = build.value([1, 2]);
    build.node('ADD', [y, shape], [added]);
    assert.match(declinedOf(build.graph([x], [added]), [5, 2])!, /ADD #2 "t3" reads the batch size/);
    assert.match(declinedOf(build.graph([x], [y, shape]), [5, 2])!, /reads the batch size|tells the batch size/);
  });

  it('keeps outputs that do not depend on the batch as they are', () => {
    const build = new GraphBuilder();
    const [x, fixed, y, z] = [
      build.value([1, 2], 'float32', batched),
      build.value([3]),
      build.value([1, 2]),
      build.value([3]),
    ];
    build.node('NEG', [x], [y]);
    build.node('NEG', [fixed], [z]);
    const session = new Session(
      build.graph([x, fixed], [y, z]),
      '',
      fakeContext(new FakeGpu(), { dynamicBatch: true }),
    );
    session.resize([[2, 2], [3]]);
    session.setInput(0, Float32Array.of(1, 2, 3, 4));
    session.setInput(1, Float32Array.of(1, 2, 3));
    session.run();
    assert.deepEqual(
      session.outputs.map(({ shape }) => shape),
      [[2, 2], [3]],
    );
    assert.deepEqual(session.results.read(1).data, Float32Array.of(-1, -2, -3));
  });

  it('declines batches that differ between inputs, and variables', () => {
    const build = new GraphBuilder();
    const [x, other, y] = [0, 1, 2].map(() => build.value([1, 2], 'float32', batched)) as [Value, Value, Value];
    build.node('ADD', [x, other], [y]);
    assert.match(declinedOf(build.graph([x, other], [y]), [2, 2], [3, 2])!, /the batches 2 and 3/);
    assert.match(declinedOf(build.graph([x, other], [y]), [0, 2], [0, 2])!, /the batch is 0/);
    const state = build.value([1, 2], 'float32', { isVariable: true });
    const count = build.value([1, 2]);
    build.node('COUNT_UP', [x, state], [count]);
    assert.match(declinedOf(build.graph([x, other], [count]), [2, 2], [2, 2])!, /keeps state/);
  });
});
