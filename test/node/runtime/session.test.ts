import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContextLostError, type Graph, ModelError, UnsupportedError } from '../../../delegate/index.js';
import { Session, type SessionContext } from '../../../src/runtime/session.js';
import { FakeGpu, fakeContext } from './fakes.js';
import { GraphBuilder } from './graphs.js';

/** NEG → `middle` → ABS on [1, 3], batch free. */
function chain(middle = 'NEG'): Graph {
  const build = new GraphBuilder();
  const free = { shapeSignature: [-1, 3] };
  const [x, a, b, c] = [0, 1, 2, 3].map(() => build.value([1, 3], 'float32', free));
  build.node('NEG', [x], [a!]);
  build.node(middle, [a], [b!]);
  build.node('ABS', [b], [c!]);
  return build.graph([x!], [c!, b!]);
}

const sessionOf = (graph: Graph, gpu?: FakeGpu, more: Partial<SessionContext> = {}) =>
  new Session(graph, 'subgraphs[0]', fakeContext(gpu, more));
const places = (session: Session) =>
  session.placement!.segments.map(({ place, graph }) => `${place} ${graph.nodes.map(({ id }) => id).join()}`);
const outputsOf = (session: Session) =>
  session.outputs.map((_, i) => Array.from(session.results.read(i).data as Float32Array));
/** An asynchronous run with all outputs read, on other values of the first input where those are given. */
const invoke = (session: Session, values?: readonly number[]) =>
  session.invoke({
    ...(values && { prepare: () => session.change(() => session.setInput(0, Float32Array.from(values))) }),
    wanted: () => [...session.outputs.keys()],
    take: (outputs) =>
      Promise.all(
        [...session.outputs.keys()].map(async (i) => Array.from((await outputs.readAsync(i)).data as Float32Array)),
      ),
  });
const input = Float32Array.of(1, -2, 3);
const expected = [
  [1, 2, 3],
  [1, -2, 3],
];

describe('Session', () => {
  for (const [where, gpu] of [
    ['on the GPU', new FakeGpu()],
    ['on the CPU', undefined],
    ['on both', new FakeGpu({ declined: ['NEG'] })],
  ] as const) {
    it(`runs ${where}, blocking and not`, async () => {
      const session = sessionOf(chain(), gpu);
      session.setInput(0, input);
      session.run();
      assert.deepEqual(outputsOf(session), expected);
      assert.deepEqual(await invoke(session), expected);
      assert.deepEqual(outputsOf(session), expected);
      session.dispose();
      assert.equal(gpu?.executables ?? 0, 0);
    });
  }

  it('never blocks in asynchronous calls', async () => {
    const gpu = new FakeGpu({ declined: ['CUMSUM'] });
    const session = sessionOf(chain('CUMSUM'), gpu);
    session.setInput(0, input);
    await invoke(session);
    assert.deepEqual(places(session), ['gpu 0', 'cpu 1', 'gpu 2']);
    assert.equal(gpu.blockingReads, 0);
  });

  it('reads an output once and only when asked', () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    session.setInput(0, input);
    session.run();
    assert.equal(gpu.blockingReads, 0);
    session.results.read(0);
    session.results.read(0);
    assert.equal(gpu.blockingReads, 1);
  });

  it('moves a node that does not compile to the CPU, with its reason', () => {
    const gpu = new FakeGpu({ failing: ['CUMSUM'] });
    const session = sessionOf(chain('CUMSUM'), gpu);
    session.setInput(0, input);
    session.run();
    assert.deepEqual(places(session), ['gpu 0', 'cpu 1', 'gpu 2']);
    assert.deepEqual([...session.placement!.reasons.values()], ['CUMSUM does not compile']);
    assert.equal(gpu.executables, 2);
  });

  it('puts the whole model on the CPU with fallback model, and fails with fallback error', () => {
    const model = sessionOf(chain('CUMSUM'), new FakeGpu({ declined: ['CUMSUM'] }), { fallback: 'model' });
    model.compileSync();
    assert.deepEqual(places(model), ['cpu 0,1,2']);
    const error = sessionOf(chain('CUMSUM'), new FakeGpu({ declined: ['CUMSUM'] }), { fallback: 'error' });
    assert.throws(
      () => error.compileSync(),
      (e) => e instanceof UnsupportedError && /CUMSUM #1/.test(e.message),
    );
    const failing = new FakeGpu({ failing: ['CUMSUM'] });
    assert.throws(() => sessionOf(chain('CUMSUM'), failing, { fallback: 'error' }).compileSync(), UnsupportedError);
    assert.equal(failing.executables, 0);
  });

  it('keeps quantised nodes on the CPU without ENABLE_QUANT', () => {
    const build = new GraphBuilder();
    const quantization = { scales: [0.5], zeroPoints: [0], quantizedDimension: 0 };
    const [x, y] = [build.value([2], 'int8', { quantization }), build.value([2], 'int8', { quantization })];
    build.node('ABS', [x], [y]);
    const session = sessionOf(build.graph([x], [y]), new FakeGpu(), { experimentalFlags: 0 });
    session.compileSync();
    assert.match([...session.placement!.reasons.values()][0]!, /quantised and experimentalFlags lacks ENABLE_QUANT/);
  });

  it('takes other shapes and gives them to the outputs', () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    session.compileSync();
    session.resize([[2, 3]]);
    assert.equal(session.ready, false);
    assert.deepEqual(session.outputs[0]!.shape, [2, 3]);
    session.setInput(0, Float32Array.of(1, 2, 3, -4, -5, -6));
    session.run();
    assert.deepEqual(outputsOf(session)[0], [1, 2, 3, 4, 5, 6]);
    assert.equal(gpu.compiled, 2);
    assert.equal(gpu.executables, 1);
  });

  it('compiles nothing again for the same shapes', async () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    await session.compile();
    session.resize([[1, 3]]);
    await session.compile();
    assert.equal(gpu.compiled, 1);
  });

  it('tells the compiler that shapes vary once what was compiled gets others', async () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    session.resize([[4, 3]]);
    await session.compile();
    assert.equal(gpu.shapesVary, false);
    session.resize([[2, 3]]);
    session.compileSync();
    assert.equal(gpu.shapesVary, true);
    session.resize([[5, 3]]);
    await session.compile();
    assert.equal(gpu.shapesVary, true);
  });

  it('goes by the ops where the file declares another shape, and says so', () => {
    const build = new GraphBuilder();
    const [x, y] = [build.value([1, 3]), build.value([1, 4])];
    build.node('ABS', [x], [y]);
    const session = sessionOf(build.graph([x], [y]));
    session.compileSync();
    assert.deepEqual(session.outputs[0]!.shape, [1, 3]);
    assert.deepEqual(session.notes, ['ABS #0 "t1" gives [1,3]; the file declares [1,4]']);
    session.resize([[1, 4]]);
    assert.deepEqual(session.notes, []);
  });

  it('refuses shapes that no tensor can have', () => {
    const build = new GraphBuilder();
    const [x, y, z] = [build.value([3]), build.value([3]), build.value([3])];
    build.node('RESHAPE', [x, build.constant([2], Int32Array.of(-1, 2), 'int32')], [y]);
    assert.throws(
      () => sessionOf(build.graph([x], [y])).compileSync(),
      (e) =>
        e instanceof ModelError &&
        e.path === 'subgraphs[0].operators[0]' &&
        /\[1.5,2\]; accepted: sizes/.test(e.message),
    );
    build.nodes.length = 0;
    build.node('ABS', [x], [z]);
    const large = sessionOf(build.graph([x], [z]));
    assert.throws(
      () => large.resize([[2 ** 30]]),
      (e) => e instanceof ModelError && e.code === 'too-large',
    );
  });

  it('folds what follows from shapes alone, again after a resize', () => {
    const build = new GraphBuilder();
    const free = { shapeSignature: [-1, 4] };
    const [x, shape, y] = [
      build.value([1, 4], 'float32', free),
      build.value([2], 'int32'),
      build.value([1, 4], 'float32', free),
    ];
    build.node('SHAPE', [x], [shape]);
    build.node('RESHAPE', [x, shape], [y]);
    const session = sessionOf(build.graph([x], [y]), new FakeGpu());
    session.compileSync();
    assert.deepEqual(places(session), ['gpu 1']);
    session.resize([[3, 4]]);
    assert.deepEqual(session.outputs[0]!.shape, [3, 4]);
  });

  it('runs what has a shape only at run time on the CPU, and tells the shape afterwards', () => {
    const build = new GraphBuilder();
    const [x, a, found, y] = [build.value([4]), build.value([4]), build.value([4]), build.value([4])];
    build.node('NEG', [x], [a]);
    build.node('NONZERO', [a], [found]);
    build.node('ABS', [found], [y]);
    const session = sessionOf(build.graph([x], [y]), new FakeGpu());
    session.setInput(0, Float32Array.of(0, 5, 0, -6));
    session.compileSync();
    assert.deepEqual(places(session), ['gpu 0', 'cpu 1,2']);
    assert.deepEqual(session.outputs[0]!.shape, [-1]);
    session.run();
    assert.deepEqual([session.outputs[0]!.shape, outputsOf(session)], [[2], [[5, 6]]]);
  });

  it('keeps variables between runs until they are reset', () => {
    const build = new GraphBuilder();
    const [step, state, y] = [build.value([1]), build.value([2], 'float32', { isVariable: true }), build.value([2])];
    build.node('COUNT_UP', [step, state], [y]);
    const session = sessionOf(build.graph([step], [y]), new FakeGpu());
    session.setInput(0, Float32Array.of(2));
    session.run();
    session.run();
    assert.deepEqual(outputsOf(session), [[4, 4]]);
    assert.match([...session.placement!.reasons.values()][0]!, /keeps state in "t1"/);
    session.resetVariables();
    session.run();
    assert.deepEqual(outputsOf(session), [[2, 2]]);
  });

  it('runs graphs whose outputs are inputs, constants and repeated, and empty ones', () => {
    const build = new GraphBuilder();
    const [x, unused, y] = [build.value([2]), build.value([2]), build.value([2])];
    const constant = build.constant([1], Float32Array.of(7));
    build.node('NEG', [x], [y]);
    const session = sessionOf(build.graph([x, unused], [x, constant, y, y]), new FakeGpu());
    session.setInput(0, Float32Array.of(1, 2));
    session.run();
    assert.deepEqual(outputsOf(session), [[1, 2], [7], [-1, -2], [-1, -2]]);
    const empty = sessionOf({ name: '', nodes: [], inputs: [], outputs: [] }, new FakeGpu());
    empty.run();
    assert.deepEqual(empty.outputs, []);
  });

  it('says which input has no value', () => {
    const session = sessionOf(chain(), new FakeGpu());
    assert.throws(() => session.run(), /tensor 0 "t0" has no value; set it/);
  });

  it('takes a texture for an input that only the GPU reads, and draws an output into one', () => {
    const session = sessionOf(chain(), new FakeGpu());
    session.compileSync();
    assert.ok(session.takesTexture(0));
    const texture = { values: input } as unknown as WebGLTexture;
    session.setInput(0, { texture, width: 1, height: 1 });
    session.run();
    const target = {} as { values?: Float32Array };
    session.results.draw(0, { texture: target as unknown as WebGLTexture, width: 1, height: 1 });
    assert.deepEqual(Array.from(target.values!), expected[0]);
    const mixed = sessionOf(chain(), new FakeGpu({ declined: ['NEG'] }));
    mixed.compileSync();
    assert.equal(mixed.takesTexture(0), false);
  });

  it('does asynchronous calls one after another and refuses what would disturb them', async () => {
    const session = sessionOf(chain(), new FakeGpu());
    const calls = [invoke(session, [1, -2, 3]), invoke(session, [4, 5, 6])];
    assert.throws(() => session.setInput(0, input), /while an asynchronous call is pending/);
    assert.throws(() => session.run(), /pending/);
    assert.deepEqual(await Promise.all(calls), [
      expected,
      [
        [4, 5, 6],
        [4, 5, 6],
      ],
    ]);
    session.setInput(0, input);
  });

  it('draws for later calls before earlier results have come, up to four, each with its own result', async () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    await session.compile();
    const calls = [1, 2, 3, 4, 5, 6].map((x) => invoke(session, [x, x, x]));
    const order: number[] = [];
    for (const [i, call] of calls.entries())
      void call.then(() => {
        order.push(i);
        // Whoever waits for a call reads its outputs, although later calls have drawn meanwhile.
        assert.deepEqual(outputsOf(session)[0], [i + 1, i + 1, i + 1]);
      });
    const results = await Promise.all(calls);
    assert.deepEqual(
      results.map(([first]) => first![0]),
      [1, 2, 3, 4, 5, 6],
    );
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
    assert.equal(gpu.mostInFlight, 8);
    assert.equal(gpu.blockingReads, 0);
  });

  it('frees the inputs as soon as the draws are issued', async () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    await session.compile();
    session.setInput(0, Float32Array.of(1, 1, 1));
    const first = invoke(session);
    assert.equal(gpu.runs, 1);
    session.setInput(0, Float32Array.of(2, 2, 2));
    const second = invoke(session);
    session.resize([[2, 3]]);
    assert.deepEqual((await first)[0], [1, 1, 1]);
    assert.deepEqual((await second)[0], [2, 2, 2]);
    assert.throws(() => session.results, /invoke first/);
  });

  it('does not give the values of a later run for those of an earlier one', async () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    session.setInput(0, input);
    session.run();
    const { results } = session;
    session.run();
    assert.throws(() => results.read(0), /overwritten by a later run/);
    assert.deepEqual(outputsOf(session), expected);
  });

  it('goes on after a call that failed', async () => {
    const session = sessionOf(chain(), new FakeGpu());
    await assert.rejects(
      session.queue(() => Promise.reject(new Error('no'))),
      /no/,
    );
    session.setInput(0, input);
    session.run();
  });

  it('refuses calls after dispose, and rejects those that are pending', async () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    session.setInput(0, input);
    const pending = invoke(session);
    session.dispose();
    session.dispose();
    await assert.rejects(pending, /disposed/);
    assert.throws(() => session.run(), /the model is disposed/);
    assert.throws(() => session.results, /disposed/);
    assert.equal(gpu.executables, 0);
  });

  it('leaves nothing behind when it is disposed or resized while compiling', async () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    const compiling = session.compile();
    session.resize([[2, 3]]);
    await compiling;
    assert.equal(gpu.executables, 0);
    const again = session.compile();
    session.dispose();
    await assert.rejects(again, /disposed/);
    assert.equal(gpu.executables, 0);
  });

  it('stops compiling when aborted', async () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    await assert.rejects(session.compile(undefined, AbortSignal.abort()), { name: 'AbortError' });
    assert.equal(gpu.executables, 0);
    await session.compile();
  });

  it('rejects while the context is lost and compiles again once it is back', () => {
    const gpu = new FakeGpu();
    const session = sessionOf(chain(), gpu);
    session.setInput(0, input);
    session.run();
    gpu.lost = true;
    gpu.lossCount++;
    assert.throws(
      () => session.run(),
      (error) => error instanceof ContextLostError && error.retryable,
    );
    gpu.lost = false;
    session.run();
    assert.deepEqual(outputsOf(session), expected);
    assert.equal(gpu.compiled, 2);
  });

  it('profiles draws and nodes on the CPU', async () => {
    const session = sessionOf(chain('CUMSUM'), new FakeGpu({ declined: ['CUMSUM', 'ABS'] }));
    session.setInput(0, input);
    const times = await session.queue(() => session.profile());
    assert.deepEqual(
      times.map(({ node, source }) => `${node.type} ${source}`),
      ['NEG fence', 'CUMSUM wall', 'ABS wall'],
    );
  });
});
