import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs';
import { TFLiteConverter } from '../../../src/converter/converter.js';
import { readModel } from '../../../src/format/read.js';
import { verifyModel } from '../../../src/format/verify.js';
import { opsOf } from '../../support/run-file.js';
import { expectFunctionAgreement, sample } from './agree.js';

/** Functions of one tensor of [batch, 4, 6]. */
const functions: Record<string, (x: tf.Tensor) => tf.Tensor | tf.Tensor[]> = {
  'strided slice': (x) => tf.stridedSlice(x, [0, 3, 1], [9, 0, 5], [1, -2, 2]),
  'strided slice that drops and adds axes': (x) => tf.stridedSlice(x, [0, 1, 0], [0, 2, 4], [1, 1, 1], 1, 1, 0, 0, 2),
  'slice of the middle': (x) => tf.slice(x, [0, 1, 2], [-1, 2, 3]),
  'split in equal and in other parts': (x) => [...tf.split(x, 3, 2), ...tf.split(x, [1, 3], 1)],
  'unstack and stack': (x) => tf.stack(tf.unstack(x, 1).reverse(), 2),
  'tile of rows': (x) => tf.tile(x, [1, 2, 3]),
  'tile of a row that is there once for each of the batch': (x) => {
    const row = tf.tile(tf.tensor([1, 2, 3], [1, 3]), [x.shape[0]!, 1]);
    return tf.concat([tf.sum(x, 1), row], 1);
  },
  'reverse of two axes': (x) => tf.reverse(x, [1, 2]),
  'padding with a value and with a mirror': (x) =>
    tf.mirrorPad(
      tf.pad(
        x,
        [
          [0, 0],
          [1, 0],
          [0, 2],
        ],
        0.5,
      ),
      [
        [0, 0],
        [2, 1],
        [1, 0],
      ],
      'reflect',
    ),
  'gather of rows': (x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32'), 1),
  'one hot of the largest': (x) => tf.oneHot(tf.argMax(x, 2) as tf.Tensor2D, 6),
  'cumulative sum': (x) => tf.cumsum(x, 1, true, true),
  'selection by comparison': (x) => tf.where(tf.greater(x, 0.25), x, tf.mul(x, tf.scalar(-2))),
  logic: (x) => tf.cast(tf.logicalXor(tf.less(x, 0), tf.logicalNot(tf.lessEqual(x, 0.5))), 'float32'),
  reductions: (x) => [tf.mean(x, 1), tf.max(x, 2, true), tf.min(x, [1, 2]), tf.prod(x, 1), tf.sum(x, -1)],
  moments: (x) => Object.values(tf.moments(x, [1, 2])),
  'products of matrices': (x) => [tf.matMul(x, x, false, true), tf.matMul(x, x, true, false)],
  'a constant on the left': (x) => tf.matMul(tf.broadcastTo(sample([1, 3, 4], 5), [x.shape[0]!, 3, 4]), x),
  attention: (x) => {
    const [q, k, v] = [7, 8, 9].map((seed) => {
      const rows = tf.matMul(tf.reshape(x, [-1, 6]), sample([6, 6], seed) as tf.Tensor2D);
      return tf.reshape(rows, [-1, 4, 6]);
    });
    return tf.matMul(tf.softmax(tf.div(tf.matMul(q!, k!, false, true), Math.sqrt(6))), v!);
  },
  'sums of products by equation': (x) => {
    const projected = tf.einsum('abc,cde->abde', x, sample([6, 2, 3], 3));
    const scores = tf.einsum('aecd,abcd->acbe', projected, projected);
    return tf.einsum('acbe,aecd->abcd', scores, projected);
  },
  resizing: (x) => tf.image.resizeBilinear(tf.expandDims(x, 3) as tf.Tensor4D, [7, 9], false, true),
  'spaces and batches': (x) => {
    const image = tf.reshape(x, [-1, 4, 6, 1]) as tf.Tensor4D;
    return tf.depthToSpace(tf.tile(image, [1, 1, 1, 4]), 2);
  },
  'powers and logarithms': (x) => tf.pow(tf.add(tf.abs(x), 1), tf.log1p(tf.square(x))),
  rounding: (x) => tf.addN([tf.floor(tf.mul(x, 3)), tf.ceil(x), tf.round(tf.mul(x, 5)), tf.sign(x)]),
  'the rest of elementary functions': (x) =>
    tf.addN([
      tf.erf(x),
      tf.expm1(x),
      tf.sinh(x),
      tf.cosh(x),
      tf.tan(x),
      tf.softplus(x),
      tf.reciprocal(tf.add(x, 3)),
      tf.step(x, 0.5),
    ]),
  'local response normalisation': (x) =>
    tf.localResponseNormalization(tf.expandDims(x, 1) as tf.Tensor4D, 2, 1, 0.5, 0.75),
};

describe('functions, converted', () => {
  beforeEach(() => tf.setBackend('cpu'));

  for (const [name, f] of Object.entries(functions))
    it(name, async () => {
      await expectFunctionAgreement(f, [4, 6], name);
    });

  it('has the names of a map, and of its inputs', async () => {
    const f = (a: tf.Tensor, b: tf.Tensor) => ({ sum: tf.add(a, b), same: a });
    const inputs = [
      { shape: [2], name: 'a' },
      { shape: [2], name: 'b' },
    ];
    const [signature] = readModel(await TFLiteConverter.fromFunction(f, inputs).convert()).signatureDefs!;
    assert.deepEqual(
      signature!.inputs!.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.deepEqual(
      signature!.outputs!.map(({ name }) => name),
      ['sum', 'same'],
    );
  });

  it('takes int32 and bool inputs', async () => {
    const f = (x: tf.Tensor, mask: tf.Tensor) => tf.where(mask, x, tf.zerosLike(x));
    const inputs = [
      { shape: [null, 3], dtype: 'int32' },
      { shape: [null, 3], dtype: 'bool' },
    ] as const;
    const file = await TFLiteConverter.fromFunction(f, inputs).convert();
    verifyModel(file);
    assert.deepEqual(
      readModel(file)
        .subgraphs![0]!.tensors!.slice(0, 2)
        .map(({ type }) => type),
      ['INT32', 'BOOL'],
    );
  });

  it('computes what constants alone make', async () => {
    const f = (x: tf.Tensor) => tf.add(x, tf.concat([tf.linspace(0, 1, 2), tf.stack([tf.scalar(2), tf.scalar(3)])]));
    assert.deepEqual(opsOf(await TFLiteConverter.fromFunction(f, [{ shape: [1, 4] }]).convert()), ['ADD']);
  });

  for (const [op, formula, f] of [
    [
      'GELU',
      'half of a sum, times x',
      (x: tf.Tensor) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.SQRT2))))),
    ],
    [
      'GELU',
      'half of x, times a sum',
      (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
    ],
    ['HARD_SWISH', 'a gate divided by 6, times x', (x: tf.Tensor) => tf.mul(tf.div(tf.relu6(tf.add(x, 3)), 6), x)],
    ['HARD_SWISH', 'x times a gate, times 1/6', (x: tf.Tensor) => tf.mul(tf.mul(x, tf.relu6(tf.add(x, 3))), 1 / 6)],
  ] as const)
    it(`knows ${op} as ${formula}`, async () => {
      assert.deepEqual(opsOf(await TFLiteConverter.fromFunction(f, [{ shape: [null, 4] }]).convert()), [op]);
      await expectFunctionAgreement(f, [4], op);
    });

  it('takes a product of other factors for what it is', async () => {
    const f = (x: tf.Tensor) => tf.mul(tf.mul(x, tf.relu6(tf.add(x, 3))), 0.5);
    assert.deepEqual(opsOf(await TFLiteConverter.fromFunction(f, [{ shape: [4] }]).convert()), ['ADD', 'MUL', 'MUL']);
  });

  it('stores equal constants once', async () => {
    const weights = () => sample([32, 32], 1) as tf.Tensor2D;
    const f = (x: tf.Tensor) => tf.add(tf.matMul(x, weights()), tf.matMul(tf.relu(x), weights()));
    const file = await TFLiteConverter.fromFunction(f, [{ shape: [1, 32] }]).convert();
    assert.ok(file.length < 2 * 32 * 32 * 4, `${file.length} bytes`);
  });

  it('leaves backend, weights and memory as they were', async () => {
    const w = sample([4, 4], 1) as tf.Tensor2D;
    const before = tf.memory();
    await TFLiteConverter.fromFunction((x) => tf.matMul(x, w), [{ shape: [null, 4] }]).convert();
    assert.equal(tf.getBackend(), 'cpu');
    assert.deepEqual([tf.memory().numTensors, tf.memory().numDataBuffers], [before.numTensors, before.numDataBuffers]);
    assert.equal(w.dataSync().length, 16);
  });
});

describe('what cannot be converted', () => {
  beforeEach(() => tf.setBackend('cpu'));

  it('is named all at once, with the layers', async () => {
    const model = sequential({
      layers: [
        layers.inputLayer({ inputShape: [6, 6, 6, 2] }),
        layers.conv3d({ filters: 2, kernelSize: 1, strides: 2, padding: 'same', name: 'volume' }),
        layers.maxPooling3d({ poolSize: 1, strides: 3, padding: 'same', name: 'smaller' }),
      ],
    });
    await assert.rejects(
      TFLiteConverter.fromLayersModel(model).convert(),
      /no TFLite operator for Conv3D in layer "volume": pad same .*; MaxPool3D in layer "smaller": pad same /,
    );
    assert.equal(tf.getBackend(), 'cpu');
  });

  it('says why where an operator does only some of what a kernel does', async () => {
    const f = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, 2, 1, 1);
    await assert.rejects(
      TFLiteConverter.fromFunction(f, [{ shape: [1, 4, 4, 1] }]).convert(),
      /AvgPool: padding of an average by numbers; accepted: same, valid/,
    );
  });

  it('says which values a function reads', async () => {
    const f = (x: tf.Tensor) => tf.mul(x, tf.sum(tf.relu(x)).dataSync()[0]!);
    await assert.rejects(
      TFLiteConverter.fromFunction(f, [{ shape: [3], name: 'x' }]).convert(),
      /reads the values of Sum \(float32 \[\]\) while it runs/,
    );
  });

  it('says where an open batch is not possible, and that a fixed one is', async () => {
    const f = (x: tf.Tensor) => tf.stack(tf.unstack(x).map((row) => tf.relu(row)));
    await assert.rejects(
      TFLiteConverter.fromFunction(f, [{ shape: [null, 3] }]).convert(),
      /Give the inputs a fixed batch/,
    );
    const file = await TFLiteConverter.fromFunction(f, [{ shape: [2, 3] }]).convert();
    assert.deepEqual(opsOf(file), ['UNPACK', 'RELU', 'RELU', 'PACK']);
  });

  it('asks for sizes that a model leaves open', async () => {
    const model = sequential({ layers: [layers.conv2d({ filters: 1, kernelSize: 1, inputShape: [null, null, 3] })] });
    await assert.rejects(TFLiteConverter.fromLayersModel(model).convert(), /sizes known but for the first/);
  });
});
