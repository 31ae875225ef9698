// Converts a tfjs model, runs its files on the CPU path and in TFLite's own interpreter, and compares with tfjs.
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
// For the methods of tensors, which tfjs-layers calls.
import '@tensorflow/tfjs';
import { quantize, TFLiteConverter } from '../../../src/converter/converter.js';
import { verifyModel } from '../../../src/format/verify.js';
import { type Numbers, runInTFLite } from '../../support/litert.js';
import { opsOf, runFile } from '../../support/run-file.js';

/** How far outputs may be from tfjs's, as a part of the largest value: numbers have 7, 3, 2 or 4 decimal digits. */
const TOLERANCE = { float32: 1e-5, float16: 5e-3, dynamic: 5e-2, int8: 1e-1, int16x8: 5e-2 };
const FLAVOURS = Object.keys(TOLERANCE) as Flavour[];
/** Flavours whose ranges are calibrated, and so hold for the sample that they are calibrated with alone. */
const CALIBRATED: ReadonlySet<Flavour> = new Set(['int8', 'int16x8']);

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

/** How a model is held to its original. */
interface Settings {
  /** Inputs are whole numbers under it. */
  readonly below?: number;
  /** Leaves out files with smaller weights. */
  readonly inFloat32Only?: boolean;
}

/** Throws where the converted model does not say what the model says. */
export async function expectAgreement(model: layers.LayersModel, name: string, settings: Settings = {}): Promise<void> {
  await tf.setBackend('cpu');
  setSampleWeights(model);
  const file = await TFLiteConverter.fromLayersModel(model).convert();
  const fixed = TFLiteConverter.fromFunction(
    (...inputs) => model.apply(inputs),
    model.inputs.map(({ shape }) => ({ shape: [1, ...shape.slice(1)] })),
  );
  const reference = (batch: number): Run => {
    const shapes = model.inputs.map(({ shape }) => [batch, ...(shape.slice(1) as number[])]);
    const inputs = shapes.map((shape, i) => sample(shape, i, settings.below));
    return { inputs, outputs: [model.predict(inputs, { batchSize: batch })].flat() };
  };
  await expectSame(file, fixed, name, reference, settings);
}

/** The same for a function of one tensor of [batch, ...shape]. */
export async function expectFunctionAgreement(
  f: (x: tf.Tensor) => tf.Tensor | tf.Tensor[],
  shape: readonly number[],
  name: string,
): Promise<void> {
  const file = await TFLiteConverter.fromFunction(f, [{ shape: [null, ...shape], name: 'x' }]).convert();
  await expectSame(file, TFLiteConverter.fromFunction(f, [{ shape: [1, ...shape] }]), name, (batch) => {
    const x = sample([batch, ...shape], 1);
    return { inputs: [x], outputs: [f(x)].flat() };
  });
}

type Run = { readonly inputs: readonly tf.Tensor[]; readonly outputs: readonly tf.Tensor[] };
type Flavour = keyof typeof TOLERANCE;

/** `fixed` converts for a batch of 1; `reference` gives inputs of a batch and what tfjs makes of them. */
async function expectSame(
  file: Uint8Array,
  fixed: TFLiteConverter,
  name: string,
  reference: (batch: number) => Run,
  { inFloat32Only }: Settings = {},
): Promise<void> {
  const [one, three] = [reference(1), reference(3)];
  // What asks for the size of its batch has outputs of sizes that LiteRT.js does not know.
  const closed = opsOf(file).includes('SHAPE') ? await fixed.convert() : file;
  const flavours = inFloat32Only ? (['float32'] as const) : FLAVOURS;
  for (const flavour of flavours) {
    const tolerance = TOLERANCE[flavour];
    const here = CALIBRATED.has(flavour) ? one : three;
    await expectOutputs(runFile, await stored(file, flavour, one), here, `${name}: ${flavour}`, tolerance);
    const bytes = await stored(closed, flavour, one);
    await expectOutputs(runInTFLite, bytes, one, `${name}: ${flavour} in TFLite`, tolerance);
  }
}

const INT16X8 = ['EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8', 'TFLITE_BUILTINS'];

/** The file with its numbers stored otherwise; the one input is what integers are calibrated with. */
async function stored(float32: Uint8Array, flavour: Flavour, { inputs }: Run): Promise<Uint8Array> {
  const representativeDataset = () => [inputs];
  const options = {
    float16: { targetSpec: { supportedTypes: ['float16'] } },
    dynamic: {},
    int8: { representativeDataset },
    int16x8: { representativeDataset, targetSpec: { supportedOps: INT16X8 } },
  };
  const file = flavour === 'float32' ? float32 : await quantize(float32, options[flavour]);
  verifyModel(file);
  return file;
}

async function expectOutputs(
  run: (file: Uint8Array, inputs: readonly Numbers[]) => Promise<readonly Numbers[]>,
  file: Uint8Array,
  { inputs, outputs }: Run,
  what: string,
  tolerance: number,
): Promise<void> {
  const found = await run(
    file,
    inputs.map((x) => ({ data: x.dataSync() as Float32Array, shape: x.shape })),
  );
  for (const [i, output] of outputs.entries()) expectClose(found[i]!, output, what, tolerance);
}

function expectClose(found: Numbers, expected: tf.Tensor, what: string, tolerance: number): void {
  assert.deepEqual(found.shape, expected.shape, what);
  const values = expected.dataSync();
  const largest = Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = Array.from(found.data).reduce((most, x, i) => Math.max(most, Math.abs(x - values[i]!)), 0);
  assert.ok(worst <= tolerance * Math.max(1, largest), `${what}: differs by ${worst}, where values reach ${largest}`);
}
