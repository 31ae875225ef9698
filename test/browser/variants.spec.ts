// Every variant of the kernels on the GPU against the meaning of the ops, and what is kept of weights that are halves.
import { createGpuDelegate, forceTarget } from '../../delegate/delegate.js';
import type { Graph, Value } from '../../delegate/ir/graph.js';
import { normalizeOptions } from '../../delegate/options.js';
import type { Target } from '../../delegate/shader/target.js';
import { Device } from '../../delegate/webgl/device.js';
import { Interpreter } from '../../src/runtime/interpreter.js';
import variants from '../conformance/variants.json';
import { type Case, difference } from './support/agree.js';

/** Numbers that halves hold, the last two only as denormals. */
const halves = [0.5, -0.75, 1.25, 0, -1.5, 0.0625, 2 ** -16, -3 * 2 ** -24];
const weights = (...shape: number[]) => ({ shape, constant: true, values: halves });
const close = { abs: 1e-4, rel: 1e-4 };
const window = (stride: number) => ({
  padding: 'SAME',
  strideH: stride,
  strideW: stride,
  dilationHFactor: 1,
  dilationWFactor: 1,
  fusedActivationFunction: 'NONE',
});

const cases: Readonly<Record<string, Case>> = {
  'a pointwise convolution': {
    ...close,
    type: 'CONV_2D',
    attrs: window(1),
    inputs: [{ shape: [1, 9, 11, 24] }, weights(20, 1, 1, 24), weights(20)],
  },
  'a 3x3 convolution of images': {
    ...close,
    type: 'CONV_2D',
    attrs: window(1),
    inputs: [{ shape: [2, 9, 11, 20] }, weights(12, 3, 3, 20), weights(12)],
  },
  'a 3x3 convolution of stride 2 and 3 channels': {
    ...close,
    type: 'CONV_2D',
    attrs: window(2),
    inputs: [{ shape: [1, 9, 11, 3] }, weights(8, 3, 3, 3), weights(8)],
  },
  'a convolution of sequences': {
    ...close,
    type: 'CONV_2D',
    attrs: window(1),
    inputs: [{ shape: [1, 1, 13, 8] }, weights(20, 1, 3, 8)],
  },
  'a depthwise convolution': {
    ...close,
    type: 'DEPTHWISE_CONV_2D',
    attrs: { ...window(1), depthMultiplier: 1 },
    inputs: [{ shape: [1, 9, 11, 20] }, weights(1, 3, 3, 20), weights(20)],
  },
  'a transposed convolution': {
    ...close,
    type: 'TRANSPOSE_CONV',
    attrs: { padding: 'SAME', strideH: 2, strideW: 2, fusedActivationFunction: 'NONE' },
    inputs: [
      { shape: [4], dtype: 'int32', constant: true, values: [1, 10, 8, 12] },
      weights(12, 3, 3, 20),
      { shape: [1, 5, 4, 20] },
    ],
  },
  'a fully connected layer': {
    ...close,
    type: 'FULLY_CONNECTED',
    attrs: { fusedActivationFunction: 'NONE' },
    inputs: [{ shape: [5, 20] }, weights(24, 20), weights(24)],
  },
  'a product of matrices': {
    ...close,
    type: 'BATCH_MATMUL',
    attrs: { adjX: true, adjY: false },
    inputs: [{ shape: [2, 9, 6] }, { shape: [2, 9, 20] }],
  },
};

describe('kernels for', () => {
  for (const [name, target] of Object.entries(variants) as [string, Partial<Target>][])
    for (const [what, test] of Object.entries(cases))
      it(`${name} make ${what}`, () => {
        expect(difference({ ...test, target })).toBeUndefined();
      });
});

/** The MNIST file with float16 weights on a new context: its outputs for one image, and the bytes of its weights. */
async function mnist(prepare: (gl: WebGL2RenderingContext) => void) {
  const gl = document.createElement('canvas').getContext('webgl2')!;
  prepare(gl);
  const bytes = new Uint8Array(await (await fetch('/base/examples/mnist/mnist_model_quant_f16.tflite')).arrayBuffer());
  const interpreter = await Interpreter.create(bytes, { delegate: 'gpu', gl });
  await interpreter.allocateTensors();
  const pixels = Float32Array.from({ length: 784 }, (_, i) => (i % 97) / 97);
  interpreter.setTensor(interpreter.getInputDetails()[0]!.index, pixels);
  await interpreter.invokeAsync();
  const logits = await interpreter.getTensorAsync(interpreter.getOutputDetails()[0]!.index);
  const { weightBytes } = interpreter.report().memory;
  interpreter.dispose();
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return { logits: logits as Float32Array, weightBytes };
}

describe('weights that are halves', () => {
  it('keep denormals', () => {
    const values = [2 ** -24, 3 * 2 ** -20, 2 ** -15, -(2 ** -14)];
    const inputs: Case['inputs'] = [
      { shape: [1, 4, 4, 1], range: [2 ** 23, 2 ** 24] },
      { shape: [4, 1, 1, 1], constant: true, values },
    ];
    const target = { halfWeights: true };
    expect(difference({ type: 'CONV_2D', attrs: window(1), inputs, abs: 0, rel: 1e-6, target })).toBeUndefined();
  });

  it('take half the memory and change no bit of the result', async () => {
    const [whole, half] = [
      await mnist((gl) => forceTarget(gl, { halfWeights: false })),
      await mnist((gl) => forceTarget(gl, { halfWeights: true })),
    ];
    expect(half.weightBytes).toBe(whole.weightBytes / 2);
    expect(half.logits).toEqual(whole.logits);
  });
});

describe('render targets', () => {
  /** The most that a draw writes of a pointwise convolution of 16 to 16 channels. */
  async function targetsOf(size: number, inferencePreference: 0 | 1) {
    const gl = document.createElement('canvas').getContext('webgl2')!;
    const drawBuffers = spyOn(gl, 'drawBuffers').and.callThrough();
    const delegate = createGpuDelegate(gl, normalizeOptions({ inferencePreference }));
    drawBuffers.calls.reset();
    const image = (id: number): Value => ({ id, name: `${id}`, shape: [1, size, size, 16], dtype: 'float32' });
    const [x, y] = [image(0), image(1)];
    const filter = { ...image(2), shape: [16, 1, 1, 16], data: new Float32Array(256) };
    const node = { id: 0, type: 'CONV_2D', attrs: window(1), inputs: [x, filter], outputs: [y] };
    const graph: Graph = { name: 'one', nodes: [node], inputs: [x], outputs: [y] };
    const executable = delegate.compileSync(graph);
    executable.run([new Float32Array(size * size * 16)]);
    executable.dispose();
    const most = Math.max(...drawBuffers.calls.allArgs().map(([buffers]) => [...buffers].length));
    const { targets } = new Device(gl).capabilities;
    gl.getExtension('WEBGL_lose_context')?.loseContext();
    return [most, targets];
  }

  it('are four where a model is small, and all that pay where it is not or is to be fast for long', async () => {
    const [small] = await targetsOf(8, 0);
    expect(small).toBe(4);
    for (const [size, preference] of [
      [8, 1],
      [1024, 0],
    ] as const) {
      const [most, paying] = await targetsOf(size, preference);
      expect(most).toBe(paying!);
    }
  });
});

describe('a device whose colour memory holds one float32 target', () => {
  it('compiles for one', async () => {
    const usual = await mnist(() => {});
    const narrow = await mnist((gl) => {
      let targets = 1;
      spyOn(gl, 'drawBuffers').and.callFake((buffers) => {
        targets = [...buffers].length;
        WebGL2RenderingContext.prototype.drawBuffers.call(gl, buffers);
      });
      spyOn(gl, 'checkFramebufferStatus').and.callFake((kind) =>
        targets > 1
          ? gl.FRAMEBUFFER_UNSUPPORTED
          : WebGL2RenderingContext.prototype.checkFramebufferStatus.call(gl, kind),
      );
    });
    narrow.logits.forEach((logit, i) => {
      expect(Math.abs(logit - usual.logits[i]!)).toBeLessThan(1e-4);
    });
  });
});
