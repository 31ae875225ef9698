import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normalizeOptions } from '../../../delegate/index.js';
import type { Model, Operator, SubGraph, Tensor } from '../../../src/format/model.js';
import { Interpreter } from '../../../src/runtime/interpreter.js';
import type { Environment, LoadOptions } from '../../../src/runtime/load-options.js';
import { FakeGpu, fakeContext } from './fakes.js';

const tensor = (name: string, more: Partial<Tensor> = {}): Tensor => ({
  name,
  shape: [1, 2],
  shapeSignature: [-1, 2],
  type: 'FLOAT32',
  buffer: 0,
  isVariable: false,
  hasRank: true,
  externalBuffer: 0,
  ...more,
});

const operator = (opcodeIndex: number, inputs: number[], outputs: number[]): Operator => ({
  opcodeIndex,
  inputs,
  outputs,
  builtinOptionsType: 'NONE',
  builtinOptions2Type: 'NONE',
  customOptionsFormat: 'FLEXBUFFERS',
  debugMetadataIndex: -1,
});

const OPS = ['ABS', 'NEG', 'ADD', 'COUNT_UP', 'NONZERO', 'TEXT'];

function modelOf(subgraphs: readonly Omit<SubGraph, 'debugMetadataIndex'>[], more: Partial<Model> = {}): Model {
  const operatorCodes = OPS.map((name) => ({
    deprecatedBuiltinCode: 32,
    builtinCode: 'CUSTOM',
    customCode: name,
    version: 1,
  }));
  return {
    version: 3,
    operatorCodes,
    buffers: [{}],
    subgraphs: subgraphs.map((s) => ({ debugMetadataIndex: -1, ...s })),
    ...more,
  };
}

/** a → NEG → middle → ABS → b, and a signature for it. */
const chain = modelOf(
  [
    {
      tensors: [
        tensor('a'),
        tensor('middle'),
        tensor('b'),
        tensor('unused', { shape: [4], shapeSignature: undefined }),
      ],
      operators: [operator(1, [0], [1]), operator(0, [1], [2])],
      inputs: [0],
      outputs: [2],
    },
  ],
  {
    signatureDefs: [
      {
        signatureKey: 'serving_default',
        subgraphIndex: 0,
        inputs: [{ name: 'x', tensorIndex: 0 }],
        outputs: [{ name: '__proto__', tensorIndex: 2 }],
      },
    ],
  },
);

function interpreterOf(
  model: Model,
  gpu: FakeGpu | undefined = new FakeGpu(),
  options: LoadOptions = {},
  dynamicBatch = false,
) {
  let released = 0;
  const environment: Environment = {
    session: fakeContext(gpu, { dynamicBatch }),
    gpu: normalizeOptions(options.gpu),
    models: () => 1 - released,
    release: () => void released++,
  };
  return Object.assign(new Interpreter(model, environment, options), { gpu, released: () => released });
}

describe('Interpreter', () => {
  it('goes through the life that the tutorial shows', async () => {
    const it = interpreterOf(chain);
    await it.allocateTensors();
    const [input] = it.getInputDetails();
    const [output] = it.getOutputDetails();
    it.setTensor(input!.index, Float32Array.of(3, -4));
    it.invoke();
    assert.deepEqual(it.getTensor(output!.index), Float32Array.of(3, 4));
    it.setTensor(input!.index, Float32Array.of(-5, 6));
    await it.invokeAsync();
    assert.deepEqual(await it.getTensorAsync(output!.index), Float32Array.of(5, 6));
    it.dispose();
    assert.equal(it.gpu.executables, 0);
    assert.equal(it.stats().models, 0);
  });

  it('tells of tensors what Python tells', () => {
    const quantized = tensor('q', {
      type: 'INT8',
      shapeSignature: undefined,
      quantization: { scale: [0.5], zeroPoint: [3], quantizedDimension: 0, detailsType: 'NONE' },
    });
    const it = interpreterOf(
      modelOf([{ tensors: [quantized, tensor('y')], operators: [operator(0, [0], [1])], inputs: [0], outputs: [0] }]),
    );
    assert.deepEqual(it.getInputDetails(), [
      {
        name: 'q',
        index: 0,
        shape: [1, 2],
        shapeSignature: [1, 2],
        dtype: 'int8',
        quantization: [0.5, 3],
        quantizationParameters: { scales: Float32Array.of(0.5), zeroPoints: Int32Array.of(3), quantizedDimension: 0 },
        sparsityParameters: {},
      },
    ]);
  });

  it('lists all tensors of a subgraph, also those that nothing uses', () => {
    const it = interpreterOf(chain);
    assert.deepEqual(
      it.getTensorDetails().map(({ index, name }) => `${index} ${name}`),
      ['0 a', '1 middle', '2 b', '3 unused'],
    );
    assert.throws(() => it.getTensorDetails(1), /subgraph 1; accepted: 0 to 0/);
  });

  it('wants tensors allocated first', async () => {
    const it = interpreterOf(chain);
    assert.throws(() => it.setTensor(0, new Float32Array(2)), /call allocateTensors first/);
    assert.throws(() => it.invoke(), /call allocateTensors first/);
    await assert.rejects(it.invokeAsync(), /call allocateTensors first/);
    assert.throws(() => it.report(), /call allocateTensors first/);
  });

  it('refuses values of another type or number, and says what it expects', async () => {
    const it = interpreterOf(chain);
    await it.allocateTensors();
    assert.throws(
      () => it.setTensor(0, new Int32Array(2)),
      /input 0 "a": Int32Array; accepted: Float32Array of 2 \(shape \[1,2\], float32\)/,
    );
    assert.throws(() => it.setTensor(0, [1, 2] as never), TypeError);
    assert.throws(() => it.setTensor(0, new Float32Array(3)), /Float32Array of 3; accepted: Float32Array of 2/);
    assert.throws(() => it.setTensor(1, new Float32Array(2)), /tensor 1 is no input; accepted: 0/);
  });

  it('copies what it gets and what it gives', async () => {
    const it = interpreterOf(chain);
    await it.allocateTensors();
    const data = Float32Array.of(1, 2);
    it.setTensor(0, data);
    data.fill(9);
    it.invoke();
    const result = it.getTensor(2) as Float32Array;
    assert.deepEqual(result, Float32Array.of(1, 2));
    result.fill(7);
    assert.deepEqual(it.getTensor(2), Float32Array.of(1, 2));
    assert.deepEqual(it.getTensor(0), Float32Array.of(1, 2));
  });

  it('gives tensors in the middle where the CPU holds them', async () => {
    const onCpu = interpreterOf(chain, new FakeGpu({ declined: ['ABS'] }));
    await onCpu.allocateTensors();
    onCpu.setTensor(0, Float32Array.of(1, 2));
    onCpu.invoke();
    assert.deepEqual(onCpu.getTensor(1), Float32Array.of(-1, -2));
    const onGpu = interpreterOf(chain);
    await onGpu.allocateTensors();
    onGpu.setTensor(0, Float32Array.of(1, 2));
    onGpu.invoke();
    assert.throws(() => onGpu.getTensor(1), /tensor 1 has no value in plain memory.*outputs are 2/);
  });

  it('has no result before it ran, nor after a resize', async () => {
    for (const dynamicBatch of [false, true]) {
      const it = interpreterOf(chain, new FakeGpu(), {}, dynamicBatch);
      await it.allocateTensors();
      assert.throws(() => it.getTensor(2), /there is no result yet; invoke first/);
      it.setTensor(0, Float32Array.of(1, 2));
      it.invoke();
      it.resizeTensorInput(0, [2, 2]);
      await it.allocateTensors();
      assert.throws(() => it.getTensor(2), /there is no result yet; invoke first/);
      assert.throws(() => it.invoke(), /tensor 0 "a" has no value; set it/);
    }
  });

  it('resizes inputs, and outputs follow', async () => {
    const it = interpreterOf(chain);
    it.resizeTensorInput(0, [3, 2]);
    assert.deepEqual(it.getInputDetails()[0]!.shape, [3, 2]);
    assert.deepEqual(it.getInputDetails()[0]!.shapeSignature, [-1, 2]);
    await it.allocateTensors();
    assert.deepEqual(it.getOutputDetails()[0]!.shape, [3, 2]);
    it.setTensor(0, Float32Array.of(1, 2, 3, -4, -5, -6));
    it.invoke();
    assert.deepEqual(it.getTensor(2), Float32Array.of(1, 2, 3, 4, 5, 6));
    it.resizeTensorInput(0, [1, 2]);
    assert.throws(() => it.invoke(), /after resizeTensorInput/);
  });

  it('resizes only open sizes with strict, and refuses what is no shape', () => {
    const it = interpreterOf(chain);
    it.resizeTensorInput(0, [5, 2], { strict: true });
    assert.throws(() => it.resizeTensorInput(0, [5, 3], { strict: true }), /accepted with strict: \[-1,2\]/);
    assert.throws(() => it.resizeTensorInput(0, [1, 5, 2], { strict: true }), RangeError);
    assert.throws(() => it.resizeTensorInput(0, [-1, 2]), /integers of 0 or more/);
    it.resizeTensorInput(0, [5, 3]);
  });

  it('takes shapes that fit only together', async () => {
    const model = modelOf([
      {
        tensors: [tensor('a'), tensor('b'), tensor('c')],
        operators: [operator(2, [0, 1], [2])],
        inputs: [0, 1],
        outputs: [2],
      },
    ]);
    const it = interpreterOf(model);
    for (const index of [0, 1]) it.resizeTensorInput(index, [2, 2]);
    await it.allocateTensors();
    for (const index of [0, 1]) it.setTensor(index, Float32Array.of(1, 2, 3, 4));
    it.invoke();
    assert.deepEqual(it.getTensor(2), Float32Array.of(2, 4, 6, 8));
  });

  it('keeps variables until they are reset', async () => {
    const state = tensor('state', { isVariable: true, shapeSignature: undefined });
    const model = modelOf([
      {
        tensors: [tensor('step'), state, tensor('y')],
        operators: [operator(3, [0, 1], [2])],
        inputs: [0],
        outputs: [2],
      },
    ]);
    const it = interpreterOf(model);
    await it.allocateTensors();
    it.setTensor(0, Float32Array.of(1, 1));
    it.invoke();
    it.invoke();
    assert.deepEqual(it.getTensor(2), Float32Array.of(2, 2));
    it.resetAllVariables();
    it.invoke();
    assert.deepEqual(it.getTensor(2), Float32Array.of(1, 1));
  });

  it('takes strings as text or bytes and gives bytes', async () => {
    const words = { type: 'STRING', shapeSignature: undefined };
    const model = modelOf([
      {
        tensors: [tensor('a', words), tensor('b', words)],
        operators: [operator(5, [0], [1])],
        inputs: [0],
        outputs: [1],
      },
    ]);
    const it = interpreterOf(model);
    await it.allocateTensors();
    it.setTensor(0, ['one', new TextEncoder().encode('zwei')]);
    it.invoke();
    const decoded = (it.getTensor(1) as readonly Uint8Array[]).map((bytes) => new TextDecoder().decode(bytes));
    assert.deepEqual(decoded, ['zwei', 'one']);
    assert.match(it.report().nodes[0]!.reason!, /string/);
  });

  it('reports where every operator runs and why', async () => {
    const it = interpreterOf(chain, new FakeGpu({ declined: ['ABS'] }));
    await it.allocateTensors();
    assert.deepEqual(it.report(), {
      nodes: [
        { subgraph: 0, index: 0, op: 'NEG', runsOn: 'gpu' },
        { subgraph: 0, index: 1, op: 'ABS', runsOn: 'cpu', reason: 'the GPU has no ABS' },
      ],
      partitions: { gpu: 1, cpu: 1 },
      precision: 'float32',
      memory: { activationBytes: 16, weightBytes: 4, lowerBoundBytes: 16 },
      programs: 1,
      draws: 1,
      restored: false,
      notes: [],
    });
  });

  it('says in the report that half floats are not in force', async () => {
    const it = interpreterOf(chain, new FakeGpu(), { gpu: { compileOptions: { precisionLossAllowed: 1 } } });
    await it.allocateTensors();
    assert.deepEqual(it.report().notes, [
      'float16 was asked for; float32 is in force: of the device, or for quantised tensors',
    ]);
  });

  it('profiles by operator', async () => {
    const it = interpreterOf(chain);
    await it.allocateTensors();
    it.setTensor(0, Float32Array.of(1, 2));
    const profile = await it.profile();
    assert.deepEqual(
      profile.map(({ index, op, runsOn, source }) => [index, op, runsOn, source]),
      [
        [0, 'NEG', 'gpu', 'fence'],
        [1, 'ABS', 'gpu', 'fence'],
      ],
    );
  });

  it('reports progress of compiling, up to 1', async () => {
    const seen: string[] = [];
    const it = interpreterOf(chain, new FakeGpu(), {
      onProgress: ({ phase, fraction }) => seen.push(`${phase} ${fraction}`),
    });
    await it.allocateTensors();
    assert.deepEqual(seen, ['compile 0.5', 'compile 1']);
  });

  it('refuses calls after dispose and disposes once', async () => {
    const it = interpreterOf(chain);
    await it.allocateTensors();
    it.dispose();
    it[Symbol.dispose]();
    assert.equal(it.released(), 1);
    assert.throws(() => it.invoke(), /the model is disposed; load it again/);
    assert.throws(() => it.getInputDetails(), /disposed/);
    await assert.rejects(it.allocateTensors(), /disposed/);
    assert.deepEqual(it.stats().executables, 0);
  });
});

describe('signatures', () => {
  it('lists names, and takes them as data whatever they are', async () => {
    const it = interpreterOf(chain);
    assert.deepEqual({ ...it.getSignatureList() }, { serving_default: { inputs: ['x'], outputs: ['__proto__'] } });
    const run = it.getSignatureRunner('serving_default');
    const outputs = await run({ x: Float32Array.of(-1, 2) });
    assert.deepEqual(Object.entries(outputs), [['__proto__', Float32Array.of(1, 2)]]);
    assert.equal(run.getInputDetails().x!.index, 0);
  });

  it('may be left unnamed where there is one, and are refused by name', () => {
    const it = interpreterOf(chain);
    assert.equal(it.getSignatureRunner().key, 'serving_default');
    assert.throws(() => it.getSignatureRunner('train'), /there is no signature "train"; accepted: "serving_default"/);
    assert.throws(() => interpreterOf(modelOf(chain.subgraphs!)).getSignatureRunner(), /the model has no signatures/);
  });

  it('want every input by its name', async () => {
    const run = interpreterOf(chain).getSignatureRunner();
    await assert.rejects(run(), /input "x" is missing; accepted: "x"/);
    await assert.rejects(
      run({ x: new Float32Array(2), y: new Float32Array(2) }),
      /there is no input "y"; accepted: "x"/,
    );
  });

  it('resize to the shape given, or to what the number of elements says', async () => {
    const it = interpreterOf(chain);
    const run = it.getSignatureRunner();
    assert.equal(Object.values(await run({ x: new Float32Array(6) }))[0]!.length, 6);
    assert.deepEqual(it.getOutputDetails()[0]!.shape, [3, 2]);
    await run({ x: { data: new Float32Array(4), shape: [2, 2] } });
    assert.deepEqual(it.getOutputDetails()[0]!.shape, [2, 2]);
    await assert.rejects(run({ x: new Float32Array(5) }), /Float32Array of 5; accepted: Float32Array of 4/);
  });

  it('run one after another when called at once', async () => {
    const run = interpreterOf(chain).getSignatureRunner();
    const results = await Promise.all([1, 2, 3].map((x) => run({ x: Float32Array.of(-x, x) })));
    assert.deepEqual(
      results.map((outputs) => Object.values(outputs)[0]),
      [1, 2, 3].map((x) => Float32Array.of(x, x)),
    );
  });

  it('run their own subgraph', async () => {
    const second = {
      tensors: [tensor('p'), tensor('q')],
      operators: [operator(1, [0], [1])],
      inputs: [0],
      outputs: [1],
    };
    const model = modelOf([chain.subgraphs![0]!, second], {
      signatureDefs: [
        {
          signatureKey: 'negate',
          subgraphIndex: 1,
          inputs: [{ name: 'p', tensorIndex: 0 }],
          outputs: [{ name: 'q', tensorIndex: 1 }],
        },
      ],
    });
    const it = interpreterOf(model);
    assert.deepEqual((await it.getSignatureRunner('negate')({ p: Float32Array.of(1, 2) })).q, Float32Array.of(-1, -2));
    assert.deepEqual(
      it.report().nodes.map(({ subgraph, op }) => [subgraph, op]),
      [[1, 'NEG']],
    );
  });
});
