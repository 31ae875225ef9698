import '../../src/tfjs/backend.js';
import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '../../delegate/index.js';
import type { CustomOps } from '../../src/runtime/custom-ops.js';
import { loadTFLiteModel, type TFLiteModel } from '../../src/runtime/model.js';
import type { Progress } from '../../src/runtime/progress.js';
import { modelBytes, tensor } from './support/models.js';

const MNIST = '/base/examples/mnist/mnist_model.tflite';

/** Copies its input; runs on the CPU and takes every type. */
const customOps: CustomOps = {
  Copy: { inferShapes: ([shape]) => [shape!], cpu: ([x]) => [x!.data] },
  Wide: {
    inferShapes: ([shape]) => [shape!],
    cpu: ([x]) => [BigInt64Array.from(x!.data as Int32Array, (v) => BigInt(v) * 4n)],
  },
};

/** One input and one output of a type. */
function copyOf(type: string): Uint8Array {
  const tensors = [tensor('x:0', [-1, 2], type), tensor('y:0', [-1, 2], type)];
  return modelBytes([{ tensors, ops: [['Copy', [0], [1]]], inputs: [0], outputs: [1] }]);
}

/** sum = a + b and negative = −a, with a signature. */
const twoInTwoOut = modelBytes(
  [
    {
      tensors: ['serving_default_a:0', 'b:0', 'StatefulPartitionedCall:0', 'negative'].map((name) =>
        tensor(name, [-1, 2]),
      ),
      ops: [
        ['ADD', [0, 1], [2]],
        ['NEG', [0], [3]],
      ],
      inputs: [0, 1],
      outputs: [2, 3],
    },
  ],
  [
    {
      signatureKey: 'serving_default',
      subgraphIndex: 0,
      inputs: [
        { name: 'second', tensorIndex: 1 },
        { name: 'first', tensorIndex: 0 },
      ],
      outputs: [{ name: 'sum', tensorIndex: 2 }],
    },
  ],
);

const negate = modelBytes([
  { tensors: [tensor('x', [-1, 3]), tensor('y', [-1, 3])], ops: [['NEG', [0], [1]]], inputs: [0], outputs: [1] },
]);

const open: TFLiteModel[] = [];

async function load(source: string | Uint8Array, options = {}): Promise<TFLiteModel> {
  const model = await loadTFLiteModel(source, options);
  open.push(model);
  return model;
}

function digits(count: number): tf.Tensor {
  const pixels = Float32Array.from({ length: count * 784 }, (_, i) => Math.abs(Math.sin(i * 0.37)));
  return tf.tensor(pixels, [count, 28, 28]);
}

function values(result: tf.Tensor | tf.Tensor[] | tf.NamedTensorMap): number[] {
  return Array.from((result as tf.Tensor).dataSync());
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  expect(Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-4);
}

/** 1 where two vectors point the same way: the measure for half-float storage. */
function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

for (const backend of ['tflite-gpu', 'cpu']) {
  describe(`TFLiteModel beside the ${backend} backend`, () => {
    let tensors: number;

    beforeEach(async () => {
      expect(await tf.setBackend(backend)).toBeTrue();
      tensors = tf.memory().numTensors;
    });

    afterEach(() => {
      for (const model of open.splice(0)) model.dispose();
      expect(tf.memory().numTensors).toBe(tensors);
    });

    it('gives on the GPU what it gives on the CPU', async () => {
      const [gpu, cpu] = [await load(MNIST), await load(MNIST, { delegate: 'cpu' })];
      const found = tf.tidy(() => [gpu, cpu].map((model) => values(model.predict(digits(1)))));
      expect(found[0]!.length).toBe(10);
      expectClose(found[0]!, found[1]!);
      expect(gpu.report().partitions.gpu).toBe(1);
      expect(cpu.report().partitions.gpu).toBe(0);
    });

    it('gives the same without blocking, also when the input is gone by then', async () => {
      const model = await load(MNIST);
      const x = digits(1);
      const expected = tf.tidy(() => values(model.predict(x)));
      const result = model.predictAsync(x);
      x.dispose();
      const y = (await result) as tf.Tensor;
      expect(Array.from(await y.data())).toEqual(expected);
      y.dispose();
    });

    it('takes any batch', async () => {
      const model = await load(MNIST);
      const rows = tf.tidy(() => values(model.predict(digits(3))));
      const first = tf.tidy(() => values(model.predict(digits(1))));
      expect(rows.length).toBe(30);
      expectClose(rows.slice(0, 10), first);
    });

    it('gives every pending call its own result', async () => {
      const model = await load(negate);
      const results: Promise<unknown>[] = [];
      tf.tidy(() => {
        for (const rows of [1, 2, 3]) results.push(model.predictAsync(tf.fill([rows, 3], rows)));
      });
      const all = (await Promise.all(results)) as tf.Tensor[];
      expect(all.map(({ shape }) => shape)).toEqual([
        [1, 3],
        [2, 3],
        [3, 3],
      ]);
      expect(all.map((y) => values(y).every((v) => v === -y.shape[0]!))).toEqual([true, true, true]);
      tf.dispose(all);
    });

    it('takes any batch without compiling again where that is asked for', async () => {
      const model = await load(MNIST, { gpu: { compileOptions: { dynamicBatchEnabled: 1 } } });
      const { programs, executables } = model.stats();
      const rows = tf.tidy(() => values(model.predict(digits(3))));
      expectClose(
        rows.slice(0, 10),
        tf.tidy(() => values(model.predict(digits(1)))),
      );
      expect(model.stats()).toEqual(jasmine.objectContaining({ programs, executables }));
    });

    it('gives float32 from half-float textures', async () => {
      const exact = await load(MNIST);
      const model = await load(MNIST, { gpu: { compileOptions: { precisionLossAllowed: 1 } } });
      expect(model.report().precision).toBe('float16');
      tf.tidy(() => {
        const x = digits(1);
        const [found, expected] = [values(model.predict(x)), values(exact.predict(x))];
        expect(cosine(found, expected)).toBeGreaterThan(0.999);
        expect(found.indexOf(Math.max(...found))).toBe(expected.indexOf(Math.max(...expected)));
        expect(values(model.predict(tf.add(x, 0)))).toEqual(found);
      });
    });

    it('says which shapes and types it takes', async () => {
      const model = await load(negate);
      tf.tidy(() => {
        expect(() => model.predict(tf.zeros([2, 4]))).toThrowError(
          RangeError,
          'input "x": shape [2,4]; accepted: [-1,3], any size for -1',
        );
        expect(() => model.predict(tf.zeros([3]))).toThrowError(/shape \[3\]/);
        expect(() => model.predict(tf.zeros([1, 3], 'int32'))).toThrowError(
          TypeError,
          'input "x": the tensor is int32; accepted: float32',
        );
        expect(() => model.predict([])).toThrowError(TypeError, '0 inputs are given; the model takes 1: "x"');
        expect(() => model.predict({ z: tf.zeros([1, 3]) })).toThrowError(
          RangeError,
          'there is no input "z"; accepted: "x"',
        );
        expect(() => model.predict(5 as never)).toThrowError(TypeError, /inputs: Number/);
        expect(values(model.predict(tf.ones([1, 3])))).toEqual([-1, -1, -1]);
      });
    });

    it('finds inputs by the names of the file and of signatures', async () => {
      const model = await load(twoInTwoOut);
      expect(model.inputs).toEqual([
        { name: 'serving_default_a:0', shape: [-1, 2], dtype: 'float32' },
        { name: 'b:0', shape: [-1, 2], dtype: 'float32' },
      ]);
      expect(model.signatures).toEqual(['serving_default']);
      const names = [
        ['serving_default_a:0', 'b:0'],
        ['serving_default_a', 'b'],
        ['first', 'second'],
        ['first:0', 'b'],
      ];
      tf.tidy(() => {
        const [a, b] = [tf.tensor2d([1, 2], [1, 2]), tf.tensor2d([10, 20], [1, 2])];
        for (const [first, second] of names) {
          const map = model.predict({ [second!]: b, [first!]: a }) as tf.NamedTensorMap;
          expect(Object.keys(map)).toEqual(['StatefulPartitionedCall:0', 'negative']);
          expect(values(map['StatefulPartitionedCall:0']!)).toEqual([11, 22]);
          expect(values(map.negative!)).toEqual([-1, -2]);
        }
        expect(() => model.predict({ first: a, serving_default_a: a, second: b })).toThrowError(/given twice/);
        expect(() => model.predict({ first: a })).toThrowError('input "b:0": missing; accepted: a tensor or a picture');
      });
    });

    it('gives the outputs that are asked for, in that order', async () => {
      const model = await load(twoInTwoOut);
      tf.tidy(() => {
        const x = [tf.tensor2d([1, 2], [1, 2]), tf.tensor2d([10, 20], [1, 2])];
        expect((model.execute(x, ['negative', 'StatefulPartitionedCall']) as tf.Tensor[]).map(values)).toEqual([
          [-1, -2],
          [11, 22],
        ]);
        expect(values(model.execute(x, 'sum'))).toEqual([11, 22]);
        expect(() => model.execute(x, 'other')).toThrowError(
          /there is no output "other"; accepted: "StatefulPartitionedCall:0"/,
        );
      });
    });

    it('runs a signature, whose inputs have an order of their own', async () => {
      const model = await load(twoInTwoOut);
      const x = [tf.tensor2d([10, 20], [1, 2]), tf.tensor2d([1, 2], [1, 2])];
      const y = await model.executeAsync(x, undefined, { signature: 'serving_default' });
      expect(values(y)).toEqual([11, 22]);
      await expectAsync(model.executeAsync(x, undefined, { signature: 'other' })).toBeRejectedWithError(
        RangeError,
        'there is no signature "other"; accepted: "serving_default"',
      );
      tf.dispose([...x, y as tf.Tensor]);
    });

    const types: [string, DType, tf.DataType, number[]][] = [
      ['INT8', 'int8', 'int32', [-128, 127]],
      ['UINT8', 'uint8', 'int32', [0, 255]],
      ['INT16', 'int16', 'int32', [-32768, 32767]],
      ['INT32', 'int32', 'int32', [-5, 123456789]],
      ['INT64', 'int64', 'int32', [-(2 ** 31), 2 ** 31 - 1]],
      ['UINT32', 'uint32', 'int32', [0, 2 ** 31 - 1]],
      ['FLOAT16', 'float16', 'float32', [0.5, -1024]],
      ['FLOAT64', 'float64', 'float32', [0.25, -3]],
      ['BOOL', 'bool', 'bool', [0, 1]],
    ];
    for (const [type, dtype, tfjs, sample] of types) {
      it(`takes and gives ${dtype} as ${tfjs}`, async () => {
        const model = await load(copyOf(type), { customOps });
        expect([model.inputs[0]!.dtype, model.outputs[0]!.dtype]).toEqual([tfjs as 'int32', tfjs as 'int32']);
        tf.tidy(() => {
          const y = model.predict(tf.tensor(sample, [1, 2], tfjs)) as tf.Tensor;
          expect(y.dtype).toBe(tfjs);
          expect(values(y)).toEqual(sample);
        });
      });
    }

    it('takes and gives strings and complex numbers', async () => {
      const [text, wave] = [
        await load(copyOf('STRING'), { customOps }),
        await load(copyOf('COMPLEX64'), { customOps }),
      ];
      const x = tf.tensor(['grüß', ''], [1, 2], 'string');
      const y = (await text.predictAsync(x)) as tf.Tensor;
      expect(y.dataSync() as unknown).toEqual(['grüß', '']);
      tf.dispose([x, y]);
      tf.tidy(() => {
        const z = wave.predict(tf.complex([[1, 2]], [[3, 4]])) as tf.Tensor;
        expect(Array.from(tf.real(z).dataSync())).toEqual([1, 2]);
        expect(Array.from(tf.imag(z).dataSync())).toEqual([3, 4]);
      });
    });

    it('refuses integers that do not fit', async () => {
      const small = await load(copyOf('INT8'), { customOps });
      const tensors = [tensor('x', [1, 2], 'INT32'), tensor('y', [1, 2], 'INT64')];
      const wide = await load(modelBytes([{ tensors, ops: [['Wide', [0], [1]]], inputs: [0], outputs: [1] }]), {
        customOps,
      });
      tf.tidy(() => {
        expect(() => small.predict(tf.tensor2d([0, 128], [1, 2], 'int32'))).toThrowError(
          RangeError,
          'input "x:0": 128 at 1; accepted: -128 to 127 (int8)',
        );
        const x = tf.tensor2d([1, 2 ** 30], [1, 2], 'int32');
        expect(() => wide.predict(x)).toThrowError(
          RangeError,
          /output "y": 4294967296 at 1 \(int64\) is beyond tfjs's int32/,
        );
      });
    });

    it('takes a picture where the input is one', async () => {
      const tensors = [tensor('picture', [1, 2, 2, 3]), tensor('y', [1, 2, 2, 3])];
      const model = await load(modelBytes([{ tensors, ops: [['NEG', [0], [1]]], inputs: [0], outputs: [1] }]));
      const red = new ImageData(
        new Uint8ClampedArray(4 * 4 * 4).map((_, i) => (i % 4 === 0 || i % 4 === 3 ? 255 : 7)),
        4,
        4,
      );
      const canvas = new OffscreenCanvas(4, 4);
      canvas.getContext('2d')!.putImageData(red, 0, 0);
      for (const picture of [red, canvas, await createImageBitmap(red)]) {
        const y = (await model.predictAsync(picture)) as tf.Tensor;
        expect(values(y)).toEqual([1, 2, 3, 4].flatMap(() => [-255, -7, -7]));
        y.dispose();
      }
    });

    it('refuses a picture where the input is none', async () => {
      const model = await load(negate);
      expect(() => model.predict(new ImageData(2, 2))).toThrowError(/input "x" is float32 \[1,3\]; a picture fits/);
    });

    it('tells what it does: progress, report, profile', async () => {
      const seen: Progress[] = [];
      const model = await load(MNIST, { onProgress: (progress: Progress) => seen.push(progress) });
      const phases = [...new Set(seen.map(({ phase }) => phase))];
      expect(phases).toEqual(['download', 'verify', 'compile']);
      expect(seen.at(-1)!.fraction).toBe(1);
      await model.warmup();
      const x = digits(1);
      const times = await model.profile(x);
      x.dispose();
      const { nodes, draws } = model.report();
      expect(nodes.some(({ op }) => op === 'CONV_2D')).toBeTrue();
      expect(times.length).toBe(draws);
    });

    it('leaves nothing behind', async () => {
      const keeper = await load(negate);
      const before = keeper.stats();
      for (let i = 0; i < 3; i++) {
        const model = await loadTFLiteModel(MNIST);
        const x = digits(2);
        for (const y of [model.predict(x), await model.predictAsync(x)]) tf.dispose(y);
        expect(keeper.stats().textures).toBeGreaterThan(before.textures);
        expect(model.stats().models).toBe(2);
        model.dispose();
        model.dispose();
        expect(() => model.predict(x)).toThrowError('the model is disposed; load it again');
        await expectAsync(model.predictAsync(x)).toBeRejectedWithError('the model is disposed; load it again');
        x.dispose();
      }
      expect(keeper.stats()).toEqual(before);
    });

    it('leaves nothing behind when loading is given up', async () => {
      const keeper = await load(negate);
      const before = keeper.stats();
      const abort = new AbortController();
      const onProgress = ({ phase }: Progress) => phase === 'verify' && abort.abort();
      await expectAsync(loadTFLiteModel(MNIST, { signal: abort.signal, onProgress })).toBeRejected();
      expect(keeper.stats()).toEqual(before);
    });
  });
}
