import { quoted } from '../../delegate/index.js';
import type { NamedInput, SignatureRunner } from '../runtime/signature-runner.js';
import type { TensorDetails } from '../runtime/tensor-details.js';
import { toInput, valuesAsync } from '../runtime/tfjs-values.js';
import { isTensor } from './is-tensor.js';
import type { Sample, SampleInput, SampleInputs } from './settings.js';

/** What one run took and made, by the tensors' indices. */
export interface SampleRun {
  /** Of the signature that was run. */
  readonly key: string;
  readonly values: readonly (readonly [tensor: number, data: unknown])[];
}

/** Runs the signature that a sample is for, whose outputs are named by indices. Errors say which sample it is, from 0. */
export async function runSample(
  sample: Sample,
  runners: readonly SignatureRunner[],
  position: number,
): Promise<SampleRun> {
  try {
    const [key, given] = partsOf(sample);
    const runner = runnerOf(key, runners);
    const details = runner.getInputDetails();
    const inputs = new Map<string, NamedInput>();
    for (const [name, input] of named(given, Object.keys(details)))
      inputs.set(name, await numbersOf(input, name, details[name]));
    const outputs = await runner(Object.fromEntries(inputs));
    const taken = [...inputs].map(([name, input]) => [details[name]!.index, dataOf(input)] as const);
    const made = Object.entries(outputs).map(([index, data]) => [Number(index), data] as const);
    return { key: runner.key, values: [...taken, ...made] };
  } catch (error) {
    throw located(error, position);
  }
}

function partsOf(sample: Sample): readonly [key: string | undefined, inputs: SampleInputs] {
  return isKeyed(sample) ? sample : [undefined, sample];
}

function isKeyed(sample: Sample): sample is readonly [string, SampleInputs] {
  return Array.isArray(sample) && typeof sample[0] === 'string';
}

function runnerOf(key: string | undefined, runners: readonly SignatureRunner[]): SignatureRunner {
  const runner = key === undefined && runners.length === 1 ? runners[0] : runners.find((r) => r.key === key);
  if (runner) return runner;
  const accepted = runners.map((r) => `[${quoted(r.key)}, inputs]`).join(', ');
  throw new TypeError(`${key === undefined ? 'no signature' : `signature ${quoted(key)}`}; accepted: ${accepted}`);
}

/** The inputs by name. Those that have to be there are checked where they are run. */
function named(given: SampleInputs, names: readonly string[]): (readonly [string, SampleInput])[] {
  if (typeof given !== 'object' || given === null || ArrayBuffer.isView(given) || isTensor(given))
    throw new TypeError(`${kindOf(given)}; accepted: a list of inputs, or an object of inputs by name`);
  if (!Array.isArray(given)) return Object.entries(given);
  if (given.length === names.length) return names.map((name, i) => [name, given[i] as SampleInput]);
  throw new TypeError(`${given.length} inputs; accepted: ${names.length}: ${names.map((n) => quoted(n)).join(', ')}`);
}

/** Reads a tensor. What has a shape has to fit; an input that the model does not have is for the runner to refuse. */
async function numbersOf(input: SampleInput, name: string, details: TensorDetails | undefined): Promise<NamedInput> {
  if (!details || !hasShape(input)) return input as NamedInput;
  const { shape } = input;
  const { shapeSignature, dtype } = details;
  const fits = shape.length === shapeSignature.length && shapeSignature.every((d, i) => d === -1 || d === shape[i]);
  if (!fits)
    throw new RangeError(`input ${quoted(name)}: shape [${shape}]; accepted: [${shapeSignature}], any size for -1`);
  return isTensor(input) ? { data: toInput({ id: 0, name, shape, dtype }, await valuesAsync(input)), shape } : input;
}

function hasShape(input: SampleInput): input is Extract<SampleInput, { shape: unknown }> {
  return 'shape' in Object(input);
}

function dataOf(input: NamedInput): unknown {
  return 'data' in input ? input.data : input;
}

function kindOf(x: unknown): string {
  return Object.prototype.toString.call(x).slice(8, -1);
}

function located(error: unknown, position: number): unknown {
  const Kind = [TypeError, RangeError].find((kind) => error instanceof kind);
  if (!Kind) return error;
  return new Kind(`representativeDataset: sample ${position}: ${(error as Error).message}`, { cause: error });
}
