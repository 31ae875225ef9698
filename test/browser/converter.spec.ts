// A model that lives on the GPU, converted and run on the GPU again.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { Interpreter, Optimize, TFLiteConverter } from 'tflite-gpu';

function network() {
  return sequential({
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, inputShape: [16, 16, 3], useBias: false }),
      layers.batchNormalization(),
      layers.reLU({ maxValue: 6 }),
      layers.separableConv2d({ filters: 12, kernelSize: 3, padding: 'same', activation: 'elu' }),
      layers.globalAveragePooling2d({} as never),
      layers.dense({ units: 5, activation: 'softmax' }),
    ],
  });
}

async function runOnGpu(file: Uint8Array, x: tf.Tensor): Promise<Float32Array> {
  const interpreter = await Interpreter.create(file, { delegate: 'gpu' });
  try {
    const input = interpreter.getInputDetails()[0]!.index;
    interpreter.resizeTensorInput(input, x.shape, { strict: true });
    await interpreter.allocateTensors();
    expect(interpreter.report().nodes.every(({ runsOn }) => runsOn === 'gpu')).toBeTrue();
    interpreter.setTensor(input, (await x.data()) as Float32Array);
    await interpreter.invokeAsync();
    return interpreter.getTensor(interpreter.getOutputDetails()[0]!.index) as Float32Array;
  } finally {
    interpreter.dispose();
  }
}

describe('a converted model', () => {
  beforeEach(async () => {
    expect(await tf.setBackend('tflite-gpu')).toBeTrue();
  });

  for (const [name, supportedTypes, tolerance] of [
    ['float32', [], 1e-5],
    ['float16', ['float16'], 1e-3],
  ] as const)
    it(`says on the GPU what the model said there, in ${name}`, async () => {
      const model = network();
      const x = tf.randomUniform([2, 16, 16, 3], -1, 1, 'float32', 7);
      const expected = await (model.predict(x) as tf.Tensor).data();
      const converter = TFLiteConverter.fromLayersModel(model);
      converter.optimizations = supportedTypes.length ? [Optimize.DEFAULT] : [];
      converter.targetSpec.supportedTypes = supportedTypes;
      const buffers = tf.memory().numDataBuffers;
      const file = await converter.convert();
      expect(tf.getBackend()).toBe('tflite-gpu');
      expect(tf.memory().numDataBuffers).toBe(buffers);
      const found = await runOnGpu(file, x);
      const worst = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
      expect(found.length).toBe(10);
      expect(worst).toBeLessThan(tolerance);
      model.dispose();
      x.dispose();
    });
});
