import { createGpuDelegate } from '../../delegate/delegate.js';
import { ContextLostError, DeviceError } from '../../delegate/index.js';
import { pause } from '../../delegate/task.js';
import { Interpreter } from '../../src/runtime/interpreter.js';
import { absolute } from '../support/absolute.js';

const MNIST = '/base/examples/mnist/mnist_model.tflite';
type Options = Parameters<typeof Interpreter.create>[1];

async function mnist(options: Options): Promise<Interpreter> {
  const bytes = new Uint8Array(await (await fetch(MNIST)).arrayBuffer());
  const interpreter = await Interpreter.create(bytes, options);
  await interpreter.allocateTensors();
  return interpreter;
}

const image = (seed: number) => Float32Array.from({ length: 784 }, (_, i) => ((i * 31 + seed * 17) % 97) / 97);

async function infer(interpreter: Interpreter, pixels: Float32Array): Promise<Float32Array> {
  interpreter.setTensor(interpreter.getInputDetails()[0]!.index, pixels);
  await interpreter.invokeAsync();
  return (await interpreter.getTensorAsync(interpreter.getOutputDetails()[0]!.index)) as Float32Array;
}

function expectClose(got: Float32Array, want: Float32Array, within: number): void {
  expect(got.length).toBe(want.length);
  want.forEach((w, i) => {
    expect(Math.abs(got[i]! - w)).toBeLessThanOrEqual(within);
  });
}

describe('life of a model', () => {
  let canvas: HTMLCanvasElement;
  let gl: WebGL2RenderingContext;

  beforeEach(() => {
    canvas = document.createElement('canvas');
    gl = canvas.getContext('webgl2')!;
  });

  afterEach(() => {
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  });

  it('leaves every counter where it was after 50 loads and disposals', async () => {
    const before = createGpuDelegate(gl).stats();
    for (let i = 0; i < 50; i++) {
      const interpreter = await mnist({ gl });
      await infer(interpreter, image(i));
      interpreter.dispose();
    }
    expect(createGpuDelegate(gl).stats()).toEqual(before);
  }, 120_000);

  it('keeps programs of disposed models while another model lives, and deletes them with the last', async () => {
    const created = spyOn(gl, 'createProgram').and.callThrough();
    const deleted = spyOn(gl, 'deleteProgram').and.callThrough();
    const other = await createGpuDelegate(gl).compile(absolute());
    const alone = createGpuDelegate(gl).stats();
    const first = await mnist({ gl });
    const made = created.calls.count();
    const want = await infer(first, image(3));
    first.dispose();
    expect(createGpuDelegate(gl).stats()).toEqual(alone);
    expect(deleted).not.toHaveBeenCalled();
    const again = await mnist({ gl });
    expectClose(await infer(again, image(3)), want, 0);
    expect(created).toHaveBeenCalledTimes(made);
    other.dispose();
    expect(deleted).not.toHaveBeenCalled();
    again.dispose();
    expect(deleted).toHaveBeenCalledTimes(made);
  });

  it('draws with the right program while it loads, however many draws share one', async () => {
    const values = Array.from({ length: 41 }, (_, id) => ({
      id,
      name: `v${id}`,
      shape: [1, 8],
      dtype: 'float32' as const,
    }));
    const nodes = values.slice(1).map((output, id) => {
      return { id, type: 'SOFTMAX', attrs: { beta: 1 }, inputs: [values[id]!], outputs: [output] };
    });
    const graph = { name: 'softmaxes', nodes, inputs: values.slice(0, 1), outputs: values.slice(-1) };
    const drawn = spyOn(gl, 'drawArrays').and.callThrough();
    const executable = await createGpuDelegate(gl).compile(graph);
    expect(drawn.calls.count()).toBeGreaterThanOrEqual(40);
    expect(gl.getError()).toBe(gl.NO_ERROR);
    executable.dispose();
  });

  it('says that memory is out though errors follow from it, and leaves nothing behind', async () => {
    const value = (id: number, shape: number[]) => ({ id, name: `v${id}`, shape, dtype: 'float32' as const });
    const [x, y] = [value(0, [1, 8, 8, 4]), value(1, [1, 8, 8, 4])];
    const node = { id: 0, type: 'SOFTMAX', attrs: { beta: 1 }, inputs: [x], outputs: [y] };
    const graph = { name: 'large', nodes: [node], inputs: [x], outputs: [y] };
    const delegate = createGpuDelegate(gl);
    const before = delegate.stats();
    // Storage that is refused leaves a texture without any, which is an error for all that use it.
    spyOn(gl, 'texStorage3D').and.stub();
    const drawn = spyOn(gl, 'drawArrays').and.callThrough();
    spyOn(gl, 'getError').and.callFake(() => (drawn.calls.any() ? gl.INVALID_OPERATION : gl.OUT_OF_MEMORY));
    await expectAsync(delegate.compile(graph)).toBeRejectedWithError(DeviceError, /out of GPU memory/);
    expect(() => delegate.compileSync(graph)).toThrowError(DeviceError, /out of GPU memory/);
    expect(delegate.stats()).toEqual(before);
  });

  it('makes nothing new in 1,000 runs', async () => {
    const interpreter = await mnist({ gl });
    const first = await infer(interpreter, image(1));
    const before = createGpuDelegate(gl).stats();
    for (let i = 0; i < 1000; i++) {
      interpreter.setTensor(interpreter.getInputDetails()[0]!.index, image(i % 7));
      interpreter.invoke();
      interpreter.getTensor(interpreter.getOutputDetails()[0]!.index);
    }
    expect(createGpuDelegate(gl).stats()).toEqual(before);
    expectClose(await infer(interpreter, image(1)), first, 0);
    interpreter.dispose();
  }, 120_000);

  it('gives every call in flight its own result, in order, and makes nothing new for them', async () => {
    const interpreter = await mnist({ gl });
    const input = interpreter.getInputDetails()[0]!.index;
    const output = interpreter.getOutputDetails()[0]!.index;
    const want: Float32Array[] = [];
    for (const i of [0, 1, 2, 3]) want.push(await infer(interpreter, image(i)));
    const inFlight = async () => {
      const order: number[] = [];
      const calls = [0, 1, 2, 3].map(async (i) => {
        interpreter.setTensor(input, image(i));
        await interpreter.invokeAsync();
        order.push(i);
        expectClose(interpreter.getTensor(output) as Float32Array, want[i]!, 0);
      });
      await Promise.all(calls);
      expect(order).toEqual([0, 1, 2, 3]);
    };
    await inFlight();
    const before = createGpuDelegate(gl).stats();
    for (let i = 0; i < 10; i++) await inFlight();
    expect(createGpuDelegate(gl).stats()).toEqual(before);
    interpreter.dispose();
  }, 60_000);

  it('asks for and sets the state of others once a run', async () => {
    const interpreter = await mnist({ gl });
    await infer(interpreter, image(1));
    const asked = spyOn(gl, 'getParameter').and.callThrough();
    await infer(interpreter, image(1));
    expect(asked.calls.all().filter(({ args: [name] }) => name === gl.VIEWPORT).length).toBe(1);
    interpreter.dispose();
  }, 60_000);

  it('rejects while the context is lost and answers again once it is restored', async () => {
    const interpreter = await mnist({ gl });
    const want = await infer(interpreter, image(3));
    const extension = gl.getExtension('WEBGL_lose_context')!;
    const lost = new Promise((resolve) => canvas.addEventListener('webglcontextlost', resolve, { once: true }));
    extension.loseContext();
    await lost;
    await new Promise((resolve) => setTimeout(resolve, 10)); // the event's listeners have all been heard
    await expectAsync(infer(interpreter, image(3))).toBeRejectedWithError(ContextLostError);
    const restored = new Promise((resolve) => canvas.addEventListener('webglcontextrestored', resolve, { once: true }));
    extension.restoreContext();
    await restored;
    expectClose(await infer(interpreter, image(3)), want, 1e-5);
    interpreter.dispose();
  }, 60_000);

  it('gives the same answer with constants in uniform buffers and parameters in the text', async () => {
    const plain = await mnist({ gl });
    const want = await infer(plain, image(5));
    plain.dispose();
    for (const compileOptions of [
      { preferredGlObjectType: 2 },
      { inlineParameters: 1 },
      { preferredGlObjectType: 1 },
    ] as const) {
      const interpreter = await mnist({ gl, gpu: { compileOptions } });
      expectClose(await infer(interpreter, image(5)), want, 1e-4);
      interpreter.dispose();
    }
  }, 60_000);

  it('runs any batch from one compilation when dynamicBatchEnabled', async () => {
    const one = await mnist({ gl });
    const want = [await infer(one, image(0)), await infer(one, image(1)), await infer(one, image(2))];
    one.dispose();
    const interpreter = await mnist({ gl, gpu: { compileOptions: { dynamicBatchEnabled: 1 } } });
    const { programs } = createGpuDelegate(gl).stats();
    interpreter.resizeTensorInput(interpreter.getInputDetails()[0]!.index, [3, 28, 28]);
    await interpreter.allocateTensors();
    const pixels = new Float32Array(3 * 784);
    for (const i of [0, 1, 2]) pixels.set(image(i), i * 784);
    const got = await infer(interpreter, pixels);
    for (const i of [0, 1, 2]) expectClose(got.slice(i * 10, i * 10 + 10), want[i]!, 1e-4);
    expect(createGpuDelegate(gl).stats().programs).toBe(programs);
    interpreter.dispose();
  }, 60_000);

  it('pauses for parts of a millisecond, without timers where the browser can', async () => {
    const timers = spyOn(window, 'setTimeout').and.callThrough();
    const started = performance.now();
    for (let k = 0; k < 20; k++) await pause(0.5);
    expect(performance.now() - started).toBeGreaterThanOrEqual(8);
    expect(timers.calls.count()).toBe('waitAsync' in Atomics ? 0 : 20);
  });
});
