import { task, UnsupportedError } from '../../delegate/index.js';
import { listOf, type Model, type SignatureDef, type SubGraph } from '../format/model.js';
import { Interpreter } from '../runtime/interpreter.js';
import { environmentOf } from '../runtime/load-options.js';
import { type Range, rangeOf } from './affine.js';
import { runSample } from './samples.js';
import type { ConversionSettings, ConvertOptions } from './settings.js';

/** Ranges of float inputs and activations: by subgraph, then by tensor. Only what a sample ran is there. */
export type Ranges = ReadonlyMap<number, ReadonlyMap<number, Range>>;

/**
 * Runs a float model on samples, on the CPU, and notes what every activation reaches. Between samples the page has a
 * turn. Throws UnsupportedError where there are no samples or an op does not run here, TypeError or RangeError for a
 * sample that does not fit.
 */
export async function calibrate(
  model: Model,
  dataset: NonNullable<ConversionSettings['representativeDataset']>,
  { onProgress, signal }: ConvertOptions,
): Promise<Ranges> {
  const samples = expectIterable(dataset());
  const total = Array.isArray(samples) ? samples.length : 0;
  const entries = entriesOf(model);
  const interpreter = new Interpreter(withEntries(model, entries), await environmentOf({ delegate: 'cpu' }));
  const runners = entries.map(({ signatureKey }) => interpreter.getSignatureRunner(signatureKey));
  const ranges = new Map(entries.map(({ subgraphIndex }) => [subgraphIndex, new Map<number, Range>()]));
  let loaded = 0;
  try {
    for await (const sample of samples) {
      signal?.throwIfAborted();
      const { key, values } = await runSample(sample, runners, loaded);
      const { subgraphIndex } = entries.find(({ signatureKey }) => signatureKey === key)!;
      const known = ranges.get(subgraphIndex)!;
      for (const [tensor, data] of values)
        if (data instanceof Float32Array) known.set(tensor, rangeOf(data, known.get(tensor)));
      loaded++;
      onProgress?.({ phase: 'calibrate', loaded, total, fraction: total ? loaded / total : 0 });
      await task();
    }
  } finally {
    interpreter.dispose();
  }
  if (!loaded)
    throw new UnsupportedError('TFLiteConverter: the representativeDataset has no samples; accepted: one or more');
  onProgress?.({ phase: 'calibrate', loaded, total: loaded, fraction: 1 });
  return ranges;
}

/** Throws TypeError for what `for await` cannot go through. */
function expectIterable<T extends object>(samples: T): T {
  if (Symbol.asyncIterator in Object(samples) || Symbol.iterator in Object(samples)) return samples;
  throw new TypeError(`representativeDataset gave ${typeof samples}; accepted: an iterable of samples, async or not`);
}

/** The model's signatures, or one of its first subgraph, with all activations as outputs, named by their indices. */
function entriesOf(model: Model): SignatureDef[] {
  const signatures = model.signatureDefs?.length ? model.signatureDefs : [{ signatureKey: '', subgraphIndex: 0 }];
  return signatures.map(({ signatureKey = '', subgraphIndex, inputs }: SignatureDef) => {
    const subgraph = model.subgraphs![subgraphIndex]!;
    const nameOf = (index: number) => inputs?.find(({ tensorIndex }) => tensorIndex === index)?.name;
    return {
      signatureKey,
      subgraphIndex,
      inputs: listOf(subgraph.inputs).map((tensorIndex) => ({
        name: nameOf(tensorIndex) ?? subgraph.tensors![tensorIndex]!.name ?? '',
        tensorIndex,
      })),
      outputs: activationsOf(subgraph).map((tensorIndex) => ({ name: String(tensorIndex), tensorIndex })),
    };
  });
}

/** Float tensors that depend on the inputs. */
function activationsOf({ tensors, inputs, operators }: SubGraph): number[] {
  const reached = new Set(listOf(inputs));
  const made = listOf(operators).flatMap((operator) => {
    if (!listOf(operator.inputs).some((index) => reached.has(index))) return [];
    for (const index of listOf(operator.outputs)) reached.add(index);
    return listOf(operator.outputs);
  });
  return made.filter((index) => tensors![index]!.type === 'FLOAT32');
}

function withEntries(model: Model, entries: readonly SignatureDef[]): Model {
  const subgraphs = listOf(model.subgraphs).map((subgraph, i) => {
    const entry = entries.find(({ subgraphIndex }) => subgraphIndex === i);
    return entry ? { ...subgraph, outputs: entry.outputs!.map(({ tensorIndex }) => tensorIndex) } : subgraph;
  });
  return { ...model, subgraphs, signatureDefs: entries };
}
