import '../../src/tfjs/backend.js';
import * as tf from '@tensorflow/tfjs-core';
import { sharedContext } from '../../src/runtime/context.js';
import type { CustomOps } from '../../src/runtime/custom-ops.js';
import { loadTFLiteModel, type TFLiteModel } from '../../src/runtime/model.js';
import { fromTexture, isOnGpu, toTexture } from '../../src/runtime/tfjs-textures.js';
import { BACKEND_NAME, type TfliteGpuBackend } from '../../src/tfjs/backend.js';
import { modelBytes, type OpRow, tensor } from './support/models.js';

/** The numbers 1, 2, 3 … as a tensor that tfjs has in a texture: `packed` as matrix products are, else one per texel. */
function counted(shape: number[], packed: boolean): tf.Tensor {
  return tf.tidy(() => {
    const size = tf.util.sizeFromShape(shape);
    const column = tf.tensor2d(
      Float32Array.from({ length: size }, (_, i) => i + 1),
      [size, 1],
    );
    if (packed) return tf.reshape(tf.matMul(column, tf.ones([1, 1])), shape);
    const { texture, width, height, release } = toTexture(tf.matMul(column, tf.ones([1, 1])), {
      width: Math.ceil(size / 4),
      height: 1,
    });
    const unpacked = tf.tensor({ texture, width, height, channels: 'RGBA' }, shape);
    release();
    return unpacked;
  });
}

function texels(gl: WebGL2RenderingContext, texture: WebGLTexture, width: number, height: number): number[] {
  const framebuffer = gl.createFramebuffer();
  const values = new Float32Array(4 * width * height);
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, values);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.deleteFramebuffer(framebuffer);
  return Array.from(values);
}

/** How often the GPU is read during `use`, in whatever way. */
function readbacks(gl: WebGL2RenderingContext, use: () => void): number {
  const spies = [spyOn(gl, 'readPixels').and.callThrough(), spyOn(gl, 'getBufferSubData').and.callThrough()];
  use();
  return spies.reduce((sum, spy) => sum + spy.calls.count(), 0);
}

describe('tensors on the GPU', () => {
  let gl: WebGL2RenderingContext;
  let backend: TfliteGpuBackend;
  let model: TFLiteModel;
  const negate = modelBytes([
    {
      tensors: [tensor('x', [-1, 5, 3]), tensor('y', [-1, 5, 3])],
      ops: [['NEG', [0], [1]]],
      inputs: [0],
      outputs: [1],
    },
  ]);

  beforeAll(async () => {
    await tf.setBackend(BACKEND_NAME);
    gl = sharedContext();
    model = await loadTFLiteModel(negate);
  });

  beforeEach(async () => {
    await tf.setBackend(BACKEND_NAME);
    backend = tf.backend() as TfliteGpuBackend;
  });

  afterAll(() => model.dispose());

  for (const packed of [true, false]) {
    const form = packed ? 'packed' : 'unpacked';
    for (const shape of [[1], [7], [3, 5], [1, 10], [2, 3, 5], [2, 3, 4, 5]]) {
      it(`become dense textures with zeros behind them: ${form} [${shape}]`, () => {
        const size = tf.util.sizeFromShape(shape);
        const [width, height] = [3, Math.ceil(size / 12) + 1];
        const x = counted(shape, packed);
        expect(isOnGpu(x, gl)).toBeTrue();
        const made = toTexture(x, { width, height });
        const found = texels(gl, made.texture, width, height);
        expect(found).toEqual(Array.from({ length: 4 * width * height }, (_, i) => (i < size ? i + 1 : 0)));
        made.release();
        x.dispose();
      });
    }

    it(`go through a model without readback: ${form}`, () => {
      const x = counted([1, 5, 3], packed);
      let y: tf.Tensor | undefined;
      expect(
        readbacks(gl, () => {
          y = model.predict(x) as tf.Tensor;
        }),
      ).toBe(0);
      expect(isOnGpu(y!, gl)).toBeTrue();
      expect(Array.from(y!.dataSync())).toEqual(Array.from({ length: 15 }, (_, i) => -i - 1));
      tf.dispose([x, y!]);
    });
  }

  it('go through a model without readback: a slice', () => {
    const whole = counted([3, 5, 3], true);
    const x = tf.slice(whole, [1, 0, 0], [1, 5, 3]);
    const y = model.predict(x) as tf.Tensor;
    expect(Array.from(y.dataSync())).toEqual(Array.from({ length: 15 }, (_, i) => -i - 16));
    tf.dispose([whole, x, y]);
  });

  it('can be made of a texture', () => {
    const x = counted([2, 3], true);
    const y = fromTexture(
      gl,
      { width: 2, height: 1 },
      ({ texture, width, height }) => {
        gl.bindTexture(gl.TEXTURE_2D, texture);
        gl.texSubImage2D(
          gl.TEXTURE_2D,
          0,
          0,
          0,
          width,
          height,
          gl.RGBA,
          gl.FLOAT,
          Float32Array.of(1, 2, 3, 4, 5, 6, 0, 0),
        );
      },
      [2, 3],
      'float32',
    );
    expect(tf.tidy(() => tf.add(x, y).arraySync() as number[][])).toEqual([
      [2, 4, 6],
      [8, 10, 12],
    ]);
    tf.dispose([x, y]);
  });

  it('flow from tfjs through a model to tfjs', async () => {
    const x = tf.tidy(() => tf.mul(counted([4, 5, 3], true), 2));
    const y = (await model.predictAsync(x)) as tf.Tensor;
    const total = tf.tidy(() => tf.sum(tf.matMul(tf.reshape(y, [20, 3]), tf.ones([3, 2]))).dataSync()[0]);
    expect(total).toBe((-2 * 2 * (60 * 61)) / 2);
    tf.dispose([x, y]);
  });

  it('leave no texture and no tensor', async () => {
    const run = async () => {
      const x = counted([1, 5, 3], true);
      tf.dispose([model.predict(x) as tf.Tensor, (await model.predictAsync(x)) as tf.Tensor, x]);
    };
    await run();
    const before = [
      backend.numDataIds(),
      backend.memory().numBytesInGPU,
      backend.memory().numBytesInGPUAllocated,
      tf.memory().numTensors,
    ];
    for (let i = 0; i < 5; i++) await run();
    expect([
      backend.numDataIds(),
      backend.memory().numBytesInGPU,
      backend.memory().numBytesInGPUAllocated,
      tf.memory().numTensors,
    ]).toEqual(before);
  });

  it('leave no texture where another input is refused', async () => {
    const [x, small] = [counted([1, 2], true), tf.tensor2d([300, 0], [1, 2], 'int32')];
    const tensors = [
      tensor('x', [1, 2]),
      tensor('small', [1, 2], 'INT8'),
      tensor('y', [1, 2]),
      tensor('copy', [1, 2], 'INT8'),
    ];
    const ops: OpRow[] = [
      ['NEG', [0], [2]],
      ['Copy', [1], [3]],
    ];
    const customOps: CustomOps = { Copy: { inferShapes: ([shape]) => [shape!], cpu: ([from]) => [from!.data] } };
    const two = await loadTFLiteModel(modelBytes([{ tensors, ops, inputs: [0, 1], outputs: [2, 3] }]), { customOps });
    const before = tf.memory().numTensors;
    expect(() => two.predict([x, small])).toThrowError(RangeError, /input "small": 300 at 0/);
    await expectAsync(two.predictAsync([x, small])).toBeRejectedWithError(RangeError, /input "small": 300 at 0/);
    expect(tf.memory().numTensors).toBe(before);
    two.dispose();
    tf.dispose([x, small]);
  });

  it('are read where another backend is active', async () => {
    const x = counted([1, 5, 3], true);
    await tf.setBackend('cpu');
    const y = model.predict(x) as tf.Tensor;
    expect(isOnGpu(y, gl)).toBeFalse();
    expect(Array.from(y.dataSync())).toEqual(Array.from({ length: 15 }, (_, i) => -i - 1));
    tf.dispose([x, y]);
  });
});
