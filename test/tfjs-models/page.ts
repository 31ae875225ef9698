// The page half of run.mjs: converts models of TensorFlow.js, compares both on the GPU, and times them in turns.
import * as tf from '@tensorflow/tfjs';
import { Interpreter, Optimize } from 'tflite-gpu';
import { type Original, originals } from './models.js';
import { pictureOf } from './picture.js';

declare global {
  interface Window {
    /** What the runner calls. */
    tfjsModels: typeof tfjsModels;
  }
}

/** A file that was made of a model, beside the model. */
export interface Comparison {
  readonly bytes: number;
  /** Operators that the GPU did not take. */
  readonly onCpu: readonly string[];
  /** Inputs whose largest output is at the same place. */
  readonly sameAnswers: number;
  /** The largest difference of an output, as a share of the range of the outputs. */
  readonly difference: number;
  /** Median milliseconds of a run. */
  readonly time: number;
}

/** What the runner is told of a model. */
export interface Result {
  readonly flavours: Readonly<Record<'float32' | 'float16', Comparison>>;
  readonly inputs: number;
  /** How many of the answers were different. */
  readonly answers: number;
  readonly hasAnswer: boolean;
  readonly tfjsTime: number;
}

const tfjsModels = {
  names: Object.keys(originals),

  /** Compares on `inputs` pictures; then every engine runs `rounds` times, taking turns. */
  async compare(name: string, inputs: number, rounds: number): Promise<Result> {
    tf.env().set('SOFTWARE_WEBGL_ENABLED', true);
    await tf.setBackend('webgl');
    if (tf.getBackend() !== 'webgl') throw new Error(`TensorFlow.js runs on ${tf.getBackend()}, wanted webgl`);
    const original = await originals[name]!();
    const engines = { float32: await engineOf(original, []), float16: await engineOf(original, ['float16']) };
    const tally = { float32: newTally(), float16: newTally() };
    const answers = new Set<number>();
    for (let i = 0; i < inputs; i++) {
      const picture = pictureOf(original.shape, original.brightest, i);
      const expected = await runOriginal(original, picture);
      answers.add(largestOf(expected[0]!));
      for (const flavour of ['float32', 'float16'] as const)
        count(tally[flavour], expected, await engines[flavour].run(picture));
    }
    const picture = pictureOf(original.shape, original.brightest, 0);
    const times: Record<'tfjs' | 'float32' | 'float16', number[]> = { tfjs: [], float32: [], float16: [] };
    for (let round = 0; round < rounds; round++) {
      times.tfjs.push(await timed(() => runOriginal(original, picture)));
      for (const flavour of ['float32', 'float16'] as const)
        times[flavour].push(await timed(() => engines[flavour].run(picture)));
    }
    const result = (flavour: 'float32' | 'float16'): Comparison => {
      const { bytes, onCpu } = engines[flavour];
      return { bytes, onCpu, ...tally[flavour], time: median(times[flavour]) };
    };
    const flavours = { float32: result('float32'), float16: result('float16') };
    for (const engine of Object.values(engines)) engine.dispose();
    return { flavours, inputs, answers: answers.size, hasAnswer: original.hasAnswer, tfjsTime: median(times.tfjs) };
  },
};

interface Engine {
  readonly bytes: number;
  readonly onCpu: readonly string[];
  run(picture: Float32Array): Promise<Float32Array[]>;
  dispose(): void;
}

/** The converted model on the GPU. */
async function engineOf(original: Original, supportedTypes: readonly string[]): Promise<Engine> {
  const converter = original.converter();
  if (supportedTypes.length) converter.optimizations = [Optimize.DEFAULT];
  converter.targetSpec.supportedTypes = supportedTypes;
  const file = await converter.convert();
  const interpreter = await Interpreter.create(file, { delegate: 'gpu' });
  const [input] = interpreter.getInputDetails();
  interpreter.resizeTensorInput(input!.index, original.shape);
  await interpreter.allocateTensors();
  const outputs = interpreter.getOutputDetails().map(({ index }) => index);
  return {
    bytes: file.length,
    onCpu: interpreter
      .report()
      .nodes.flatMap(({ runsOn, op, reason }) => (runsOn === 'cpu' ? [`${op}: ${reason}`] : [])),
    async run(picture) {
      interpreter.setTensor(input!.index, picture);
      await interpreter.invokeAsync();
      return (await Promise.all(outputs.map((index) => interpreter.getTensorAsync(index)))) as Float32Array[];
    },
    dispose: () => interpreter.dispose(),
  };
}

async function runOriginal({ run, shape }: Original, picture: Float32Array): Promise<Float32Array[]> {
  const x = tf.tensor(picture, [...shape]);
  const outputs = tf.tidy(() => run(x));
  const data = await Promise.all(outputs.map((output) => output.data() as Promise<Float32Array>));
  tf.dispose([x, ...outputs]);
  return data;
}

const newTally = () => ({ sameAnswers: 0, difference: 0 });

function count(
  tally: ReturnType<typeof newTally>,
  expected: readonly Float32Array[],
  found: readonly Float32Array[],
): void {
  if (largestOf(found[0]!) === largestOf(expected[0]!)) tally.sameAnswers++;
  for (const [i, values] of expected.entries()) {
    const worst = values.reduce((most, value, k) => Math.max(most, Math.abs(value - found[i]![k]!)), 0);
    const range = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    tally.difference = Math.max(tally.difference, worst / range);
  }
}

const largestOf = (values: Float32Array): number => values.reduce((at, value, i) => (value > values[at]! ? i : at), 0);
const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

window.tfjsModels = tfjsModels;
