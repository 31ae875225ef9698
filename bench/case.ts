// A model under test: its bytes, its inputs, and what its outputs must be.
import { Interpreter } from 'tflite-gpu';
import { type Golden, makeInput } from '../test/conformance/golden.js';
import { numbersOf } from '../test/conformance/values.js';
import type { Input, Values } from './peers.js';

/** What the runner asks for; `golden` is a URL, `picture` the size of a picture that takes its place. */
export interface Files {
  readonly model: string;
  readonly golden?: string;
  readonly picture?: { readonly width: number; readonly height: number };
}

/** Every `every`-th value of an output, and the range of them all. */
interface Expected {
  readonly values: ArrayLike<number>;
  readonly every: number;
  readonly range: number;
}

export interface Case {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inputs: readonly Input[];
  /** The largest difference from what the outputs must be, as a share of each output's range. */
  difference(outputs: readonly Values[]): number;
}

/** Fetches a model with its inputs and expected outputs. */
export async function fetchCase(files: Files): Promise<Case> {
  const bytes = await fetchBytes(files.model);
  const golden = files.golden && ((await (await fetch(files.golden)).json()) as Golden);
  const inputs = golden ? goldenInputs(golden) : [pictureInput(files.picture!)];
  const expected = golden ? goldenOutputs(golden) : await outputsOnCpu(bytes, inputs);
  return { bytes, inputs, difference: (outputs) => differenceFrom(expected, outputs) };
}

async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  const isPacked = url.endsWith('.gz');
  const body = isPacked ? new Response(response.body!.pipeThrough(new DecompressionStream('gzip'))) : response;
  return new Uint8Array(await body.arrayBuffer());
}

function goldenInputs(golden: Golden): Input[] {
  const { inputs, runs } = golden.cases[0]!;
  return inputs.map((spec) => ({
    data: makeInput(spec, runs[0]!.seed) as Values,
    shape: [...spec.shape],
    dtype: spec.dtype as Input['dtype'],
  }));
}

function goldenOutputs(golden: Golden): Expected[] {
  return golden.cases[0]!.runs[0]!.outputs.map(({ dtype, data, every = 1, stats }) => {
    const values = Array.from(numbersOf(dtype, data!), Number);
    return { values, every, range: stats ? stats.max - stats.min : rangeOf(values) };
  });
}

/** A picture of many coloured blocks; its values are 0 … 1. */
function pictureInput({ width, height }: { width: number; height: number }): Input {
  const picture = Object.assign(document.createElement('canvas'), { width, height });
  const context = picture.getContext('2d', { willReadFrequently: true })!;
  for (let i = 0; i < 400; i++) {
    context.fillStyle = `hsl(${(i * 37) % 360}, 60%, 50%)`;
    context.fillRect((i * 53) % width, (i * 31) % height, 40, 30);
  }
  return {
    shape: [1, height, width, 3],
    dtype: 'float32',
    picture,
    get data() {
      const rgba = context.getImageData(0, 0, width, height).data;
      const values = new Float32Array(height * width * 3);
      for (let i = 0, j = 0; i < rgba.length; i += 4, j += 3)
        for (let channel = 0; channel < 3; channel++) values[j + channel] = rgba[i + channel]! / 255;
      return values;
    },
  };
}

async function outputsOnCpu(bytes: Uint8Array, inputs: readonly Input[]): Promise<Expected[]> {
  const interpreter = await Interpreter.create(bytes, { delegate: 'cpu' });
  await interpreter.allocateTensors();
  for (const [k, { index }] of interpreter.getInputDetails().entries()) interpreter.setTensor(index, inputs[k]!.data);
  await interpreter.invokeAsync();
  const outputs = interpreter.getOutputDetails().map(({ index }) => interpreter.getTensor(index) as Float32Array);
  interpreter.dispose();
  return outputs.map((values) => ({ values, every: 1, range: rangeOf(values) }));
}

function rangeOf(values: ArrayLike<number>): number {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return high - low;
}

function differenceFrom(expected: readonly Expected[], outputs: readonly Values[]): number {
  let worst = 0;
  for (const [k, { values, every, range }] of expected.entries()) {
    for (let i = 0; i < values.length; i++) {
      const difference = Math.abs(Number(outputs[k]![i * every]) - values[i]!) / (range || 1);
      if (!(difference <= worst)) worst = difference;
    }
  }
  return worst;
}
