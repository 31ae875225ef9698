// Converts a tfjs model, runs the file on the CPU path with a batch of 1 and of 3, and compares with tfjs.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
// For the methods of tensors, which tfjs-layers calls.
import '@tensorflow/tfjs';
import { dequantize, quantize, TFLiteConverter } from '../../../src/converter/converter.js';
import { verifyModel } from '../../../src/format/verify.js';
import { runFile } from './run-file.js';

const folder = process.env.TFLITE_GPU_CONVERTED;

/** Values from −1 to 1, or whole numbers from 0 on, the same in every run. */
export function sample(shape: readonly number[], seed: number, below?: number): tf.Tensor {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    const u = wave - Math.floor(wave);
    return below ? Math.floor(u * below) : 2 * u - 1;
  });
  return tf.tensor(data, [...shape]);
}

/** Gives every weight a value that is the same in every run: tfjs's own are random, zero or one. */
export function setSampleWeights(model: layers.LayersModel): void {
  model.setWeights(
    model.getWeights().map((weight, i) => {
      const isVariance = model.weights[i]!.originalName.endsWith('moving_variance');
      const values = sample(weight.shape, i + 1);
      return isVariance ? tf.add(tf.abs(values), 0.5) : tf.mul(values, 1.5 / Math.sqrt(weight.shape.at(-2) ?? 4));
    }),
  );
}

/** Throws where the converted model does not say what the model says. `below`: inputs are whole numbers under it. */
export async function expectAgreement(model: layers.LayersModel, name: string, below?: number): Promise<Uint8Array> {
  await tf.setBackend('cpu');
  setSampleWeights(model);
  const file = await TFLiteConverter.fromLayersModel(model).convert();
  await expectSame(file, name, (batch) => {
    const inputs = model.inputs.map(({ shape }, i) => sample([batch, ...(shape.slice(1) as number[])], i, below));
    return { inputs, outputs: [model.predict(inputs, { batchSize: batch })].flat() };
  });
  return file;
}

/** The same for a function of one tensor of [batch, ...shape]. */
export async function expectFunctionAgreement(
  f: (x: tf.Tensor) => tf.Tensor | tf.Tensor[],
  shape: readonly number[],
  name: string,
): Promise<void> {
  const file = await TFLiteConverter.fromFunction(f, [{ shape: [null, ...shape], name: 'x' }]).convert();
  await expectSame(file, name, (batch) => {
    const x = sample([batch, ...shape], 1);
    return { inputs: [x], outputs: [f(x)].flat() };
  });
}

type Run = { readonly inputs: readonly tf.Tensor[]; readonly outputs: readonly tf.Tensor[] };

async function expectSame(file: Uint8Array, name: string, reference: (batch: number) => Run): Promise<void> {
  verifyModel(file);
  for (const batch of [1, 3]) {
    const { inputs, outputs } = reference(batch);
    const found = await runFile(
      file,
      inputs.map((x) => ({ data: x.dataSync() as Float32Array, shape: x.shape })),
    );
    if (folder) record(`${folder}/${name.replace(/\W+/g, '_')}_${batch}`, file, inputs, outputs);
    for (const [i, output] of outputs.entries()) expectClose(found[i]!, output, `${name}, batch of ${batch}`, 1e-4);
  }
  await expectNearWithHalves(file, name, reference(2));
  for (const [flavour, target] of Object.entries(integers))
    await expectNearAsIntegers(file, `${name}, ${flavour}`, { supportedOps: target }, reference(2));
}

const integers = {
  int8: ['TFLITE_BUILTINS'],
  int16x8: ['EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8', 'TFLITE_BUILTINS'],
};

/** The integers of a file mean what its floats were; how exact it is to compute with them is TFLite's matter. */
async function expectNearAsIntegers(
  file: Uint8Array,
  name: string,
  targetSpec: { supportedOps: string[] },
  { inputs, outputs }: Run,
): Promise<void> {
  const found = await quantize(file, { targetSpec, representativeDataset: () => [inputs] });
  verifyModel(found);
  if (folder) record(`${folder}/${name.replace(/\W+/g, '_')}`, found, inputs, outputs);
  const floats = await runFile(
    await dequantize(found),
    inputs.map((x) => ({ data: x.dataSync() as Float32Array, shape: x.shape })),
  );
  for (const [i, output] of outputs.entries()) expectClose(floats[i]!, output, name, 5e-2);
}

/** Weights as halves have three decimal digits, which is about what is left of results. */
async function expectNearWithHalves(file: Uint8Array, name: string, { inputs, outputs }: Run): Promise<void> {
  const halves = await quantize(file, { targetSpec: { supportedTypes: ['float16'] } });
  verifyModel(halves);
  const found = await runFile(
    halves,
    inputs.map((x) => ({ data: x.dataSync() as Float32Array, shape: x.shape })),
  );
  if (folder) record(`${folder}/${name.replace(/\W+/g, '_')}_float16`, halves, inputs, outputs);
  for (const [i, output] of outputs.entries()) expectClose(found[i]!, output, `${name}, weights as halves`, 5e-3);
}

function expectClose(
  found: { data: Float32Array; shape: readonly number[] },
  expected: tf.Tensor,
  what: string,
  tolerance: number,
): void {
  assert.deepEqual(found.shape, expected.shape, what);
  const values = expected.dataSync();
  const largest = Math.max(...values.map(Math.abs));
  const worst = Math.max(...found.data.map((x, i) => Math.abs(x - values[i]!)));
  assert.ok(worst <= tolerance * Math.max(1, largest), `${what}: differs by ${worst}, where values reach ${largest}`);
}

/** Keeps a file with its inputs and outputs, for another interpreter to run. */
function record(stem: string, file: Uint8Array, inputs: readonly tf.Tensor[], outputs: readonly tf.Tensor[]): void {
  const lists = (tensors: readonly tf.Tensor[]) =>
    tensors.map((t) => ({ shape: t.shape, data: Array.from(t.dataSync()) }));
  rmSync(`${stem}.tflite`, { force: true });
  writeFileSync(`${stem}.tflite`, file);
  writeFileSync(`${stem}.json`, JSON.stringify({ inputs: lists(inputs), outputs: lists(outputs) }));
}
