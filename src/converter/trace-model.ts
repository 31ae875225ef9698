import { engine, getBackend, registerBackend, removeBackend, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { type Graph, UnsupportedError, type Value } from '../../delegate/index.js';
import { withDynamicBatch } from './dynamic-batch.js';
import { isTensor } from './is-tensor.js';
import { reshaped } from './legalize/legalization.js';
import type { InputSpec, ModelFunction } from './source.js';
import { Trace } from './trace.js';
import { registerTracingKernels, TRACING, TracingBackend } from './tracing-backend.js';

/** A traced model: its graph, and the names that its signature has. */
export interface Traced {
  readonly graph: Graph;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/**
 * Writes down what a model does. Where the batch is open, the model is traced with two sizes: what differs depends on the
 * batch. Throws UnsupportedError for ops that TFLite does not have, all of them at once.
 */
export function traceModel(model: ModelFunction): Traced {
  for (const { shape, name } of model.inputs)
    if (shape.slice(1).includes(null))
      throw new UnsupportedError(
        `TFLiteConverter: input "${name}" is [${shape}]; accepted: sizes known but for the first. ` +
          'Give them with fromFunction(x => model.apply(x), [{shape}])',
      );
  const one = traceWith(model, 1);
  const isOpen = model.inputs.some(({ shape }) => shape[0] === null);
  return isOpen ? { ...one, graph: withDynamicBatch(one.graph, traceWith(model, 2).graph) } : one;
}

function traceWith(model: ModelFunction, batch: number): Traced {
  const trace = new Trace();
  const names = model.weightNames?.();
  const backend = new TracingBackend(trace, (dataId) => names?.get(dataId));
  const inputNames = model.inputs.map(({ name }, i) => name ?? `input_${i}`);
  let traced: Traced | undefined;
  onBackend(backend, () =>
    // What a tidy returns is searched for tensors, weights and all: nothing is returned.
    tidy(() => {
      const inputs = model.inputs.map(({ shape, dtype = 'float32' }: InputSpec, i) =>
        trace.value(inputNames[i]!, { shape: shape.map((size) => size ?? batch), dtype }),
      );
      const tensors = inputs.map((value) => engine().makeTensorFromTensorInfo(backend.tensorOf(value)));
      const results = named(
        model.call(tensors, (layer) => enter(trace, layer)),
        model.outputNames,
      );
      const outputs = withCopies(
        trace,
        inputs,
        results.map(([, tensor]) => backend.valueFor(tensor)),
      );
      traced = {
        graph: trace.graph(inputs, outputs),
        inputNames,
        outputNames: distinct(results.map(([name]) => name)),
      };
    }),
  );
  return traced!;
}

/** The outputs, each a tensor of its own: what is an input, a constant or another output is copied, since interpreters want it so. */
function withCopies(trace: Trace, inputs: readonly Value[], outputs: readonly Value[]): readonly Value[] {
  return outputs.map((value, i) => {
    const isOwn = !value.data && !inputs.includes(value) && outputs.indexOf(value) === i;
    return isOwn ? value : reshaped(trace.call(value.name, {}), value, value.shape);
  });
}

/** What a call of a layer makes has that layer's name. */
function enter(trace: Trace, layer: string): () => void {
  const outer = trace.layer;
  trace.layer = layer;
  return () => {
    trace.layer = outer;
  };
}

/** Runs `f` with the backend in force, and puts the one before back. Nothing else runs meanwhile: all is synchronous. */
function onBackend<T>(backend: TracingBackend, f: () => T): T {
  const before = getBackend();
  registerBackend(TRACING, () => backend, 0);
  registerTracingKernels();
  try {
    void engine().setBackend(TRACING);
    return f();
  } finally {
    if (before) void engine().setBackend(before);
    removeBackend(TRACING);
  }
}

/** The outputs with their names: those of the model, the keys of a map, or output_0, output_1, … */
function named(result: unknown, names?: readonly string[]): [string, Tensor][] {
  if (isTensor(result)) return [[names?.[0] ?? 'output_0', result]];
  if (Array.isArray(result)) return result.map((tensor: Tensor, i) => [names?.[i] ?? `output_${i}`, tensor]);
  const map = Object.entries((result ?? {}) as Record<string, Tensor>);
  if (map.length && map.every(([, tensor]) => isTensor(tensor))) return map;
  throw new TypeError(`TFLiteConverter: the model returned ${result}; accepted: a tensor, a list of them, or a map`);
}

/** Names that a signature can tell apart: a layer of several outputs has one name for all. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let [own, count] = [name, 0];
    while (taken.has(own)) own = `${name}_${++count}`;
    taken.add(own);
    return own;
  });
}
