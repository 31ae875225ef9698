import '../../src/tfjs/backend.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { sharedContext } from '../../src/runtime/context.js';
import { BACKEND_NAME, TfliteGpuBackend } from '../../src/tfjs/backend.js';

/** Values of an op's result on a backend, with all tensors made in between disposed. */
async function valuesOn(backend: string, op: () => tf.Tensor): Promise<number[]> {
  await tf.setBackend(backend);
  return tf.tidy(() => Array.from(op().dataSync()));
}

/** Numbers in −1 … 1, the same at every call. */
function noise(shape: number[], seed = 1): tf.Tensor {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) =>
    Math.sin((i + 1) * seed * 12.9898),
  );
  return tf.tensor(values, shape);
}

async function expectAsOnCpu(op: () => tf.Tensor): Promise<void> {
  const expected = await valuesOn('cpu', op);
  const found = await valuesOn(BACKEND_NAME, op);
  expect(found.length).toBe(expected.length);
  const worst = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst).toBeLessThan(1e-5);
}

describe('the tflite-gpu backend', () => {
  beforeEach(async () => {
    expect(await tf.setBackend(BACKEND_NAME)).toBeTrue();
  });

  it('works on the context that compiled models use', () => {
    const backend = tf.backend() as TfliteGpuBackend;
    expect(tf.getBackend()).toBe('tflite-gpu');
    expect(backend).toBeInstanceOf(TfliteGpuBackend);
    expect(backend.gpgpu.gl as unknown).toBe(sharedContext());
  });

  it('has float textures although the GL may be software', () => {
    expect(tf.env().getNumber('WEBGL_VERSION')).toBe(2);
    expect(tf.env().getBool('WEBGL_RENDER_FLOAT32_CAPABLE')).toBeTrue();
  });

  it('has every kernel of webgl and of cpu', () => {
    const names = new Set(tf.getKernelsForBackend(BACKEND_NAME).map(({ kernelName }) => kernelName));
    const wanted = ['webgl', 'cpu'].flatMap((backend) => tf.getKernelsForBackend(backend));
    expect(wanted.length).toBeGreaterThan(300);
    expect(wanted.filter(({ kernelName }) => !names.has(kernelName))).toEqual([]);
  });

  it('multiplies matrices as the cpu backend does', () =>
    expectAsOnCpu(() => tf.matMul(noise([37, 65]) as tf.Tensor2D, noise([65, 19], 2) as tf.Tensor2D)));

  it('convolves as the cpu backend does', () =>
    expectAsOnCpu(() =>
      tf.conv2d(noise([2, 13, 11, 5]) as tf.Tensor4D, noise([3, 3, 5, 7], 2) as tf.Tensor4D, 2, 'same'),
    ));

  it('computes softmax as the cpu backend does', () => expectAsOnCpu(() => tf.softmax(tf.mul(noise([33, 10]), 5))));

  it('borrows from the cpu backend what webgl lacks', async () => {
    expect(tf.getKernel('Dilation2DBackpropInput', 'webgl')).toBeUndefined();
    await expectAsOnCpu(() => {
      const filter = noise([3, 3, 2], 2) as tf.Tensor3D;
      return tf.grad((x: tf.Tensor) => tf.dilation2d(x as tf.Tensor4D, filter, 1, 'same'))(noise([1, 6, 7, 2]));
    });
  });

  it('draws to a canvas through a borrowed kernel, leaving no tensor', async () => {
    const canvas = document.createElement('canvas');
    const image = tf.tensor3d([255, 0, 0, 0, 255, 0], [1, 2, 3], 'int32');
    const before = tf.memory();
    await tf.browser.draw(image, canvas);
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(Array.from(canvas.getContext('2d')!.getImageData(0, 0, 2, 1).data)).toEqual([
      255, 0, 0, 255, 0, 255, 0, 255,
    ]);
    image.dispose();
  });

  it('trains: adam lowers the loss of a dense layer', async () => {
    const before = tf.memory().numTensors;
    const [inputs, labels] = [noise([64, 8]) as tf.Tensor2D, noise([64, 1], 3)];
    const weights = tf.tidy(() => tf.variable(noise([8, 1], 5)));
    const bias = tf.tidy(() => tf.variable(tf.zeros([1])));
    const adam = tf.train.adam(0.05);
    const loss = () =>
      tf.losses.meanSquaredError(labels, tf.add(tf.matMul(inputs, weights as tf.Tensor2D), bias)) as tf.Scalar;
    const [first] = tf.tidy(() => loss().dataSync());
    for (let step = 0; step < 30; step++) adam.minimize(loss, false, [weights, bias]);
    const [last] = tf.tidy(() => loss().dataSync());
    expect(last!).toBeLessThan(0.8 * first!);
    adam.dispose();
    tf.dispose([inputs, labels, weights, bias]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps no data of disposed tensors', async () => {
    const backend = tf.backend() as TfliteGpuBackend;
    const [ids, bytes, tensors] = [backend.numDataIds(), backend.memory().numBytesInGPU, tf.memory().numTensors];
    for (let i = 0; i < 3; i++) {
      const x = noise([16, 16]) as tf.Tensor2D;
      const y = tf.tidy(() => tf.softmax(tf.matMul(x, x)));
      await y.data();
      tf.dispose([x, y]);
    }
    expect(backend.numDataIds()).toBe(ids);
    expect(backend.memory().numBytesInGPU).toBe(bytes);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('works again after being removed and registered again', async () => {
    const factory = tf.engine().findBackendFactory(BACKEND_NAME);
    tf.removeBackend(BACKEND_NAME);
    tf.registerBackend(BACKEND_NAME, factory, 0);
    expect(await tf.setBackend(BACKEND_NAME)).toBeTrue();
    expect(tf.tidy(() => tf.add(2, 3).arraySync())).toBe(5);
  });
});

describe('the tflite-gpu backend where tfjs had found no WebGL', () => {
  it('forgets that finding', async () => {
    const factory = tf.engine().findBackendFactory(BACKEND_NAME);
    await tf.setBackend('cpu');
    tf.removeBackend(BACKEND_NAME);
    tf.registerBackend(BACKEND_NAME, factory, 0);
    const flags = tf.env().getFlags();
    tf.env().setFlags({ ...flags, WEBGL_VERSION: 0, HAS_WEBGL: false, WEBGL_PACK: false });
    expect(await tf.setBackend(BACKEND_NAME)).toBeTrue();
    expect(tf.env().getBool('WEBGL_PACK')).toBeTrue();
    expect(tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 3).arraySync())).toEqual([4, 5]);
  });
});
