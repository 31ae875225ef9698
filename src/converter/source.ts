import type { DataId, Tensor } from '@tensorflow/tfjs-core';
import { UnsupportedError } from '../../delegate/index.js';

/** An input of a model: `null` is a size that is known only while running, of the first dimension alone. */
export interface InputSpec {
  readonly shape: readonly (number | null)[];
  /** Default float32. */
  readonly dtype?: 'float32' | 'int32' | 'bool';
  readonly name?: string;
}

/** What the converter traces. */
export interface ModelFunction {
  readonly inputs: readonly InputSpec[];
  /** Names of the outputs, where the model has them. */
  readonly outputNames?: readonly string[];
  /** Calls the model; `enter` is told the name of each layer that begins, and returns what to call when it ends. */
  call(inputs: readonly Tensor[], enter: (layer: string) => () => void): unknown;
  /** The names of weights by their data. */
  weightNames?(): ReadonlyMap<DataId, string>;
}

/** What the converter needs of a tfjs `LayersModel`. */
export interface LayersModelLike {
  readonly inputs: readonly {
    readonly shape: readonly (number | null)[];
    readonly dtype: string;
    readonly name: string;
  }[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly layers: readonly object[];
  readonly weights: readonly { readonly originalName: string; read(): Tensor }[];
  apply(inputs: Tensor[], options?: object): unknown;
}

/** What the converter needs of a tfjs `GraphModel`. */
export interface GraphModelLike {
  readonly inputs: readonly { readonly name: string; readonly shape?: readonly number[]; readonly dtype: string }[];
  readonly outputs: readonly { readonly name: string }[];
  readonly weights: Readonly<Record<string, readonly Tensor[]>>;
  execute(inputs: Record<string, Tensor>, outputs: string[]): Tensor | Tensor[];
}

interface Layer {
  readonly name?: string;
  readonly stateful?: boolean;
  readonly layers?: readonly object[];
  call?(...args: unknown[]): unknown;
}

/** A layers model as a function of its inputs. Throws UnsupportedError for layers that remember what they were given. */
export function ofLayersModel(model: LayersModelLike): ModelFunction {
  const stateful = nested(model.layers).find((layer) => layer.stateful);
  if (stateful)
    throw new UnsupportedError(
      `TFLiteConverter: layer "${stateful.name}" is stateful; accepted: layers that start anew at each call. ` +
        'Make its state an input (initialState) and an output (returnState) of the model',
    );
  return {
    inputs: model.inputs.map(({ shape, dtype }, i) => ({
      shape,
      dtype: dtype as 'float32',
      name: model.inputNames[i]!,
    })),
    outputNames: model.outputNames,
    call: (inputs, enter) => withLayerNames(model.layers, enter, () => model.apply([...inputs], { training: false })),
    weightNames: () => new Map(model.weights.map((weight) => [weight.read().dataId, weight.originalName])),
  };
}

/** A graph model as a function of its inputs. */
export function ofGraphModel(model: GraphModelLike): ModelFunction {
  const outputNames = model.outputs.map(({ name }) => name);
  return {
    inputs: model.inputs.map(({ shape, dtype, name }) => ({
      shape: (shape ?? []).map((size) => (size < 0 ? null : size)),
      dtype: dtype as 'float32',
      name,
    })),
    outputNames,
    call: (inputs) =>
      model.execute(Object.fromEntries(model.inputs.map(({ name }, i) => [name, inputs[i]!])), outputNames),
    weightNames: () =>
      new Map(
        Object.entries(model.weights).flatMap(([name, tensors]) => tensors.map((t) => [t.dataId, name] as const)),
      ),
  };
}

/** Runs `f` with the `call` of every layer, also of nested models, wrapped to tell its name. */
function withLayerNames<T>(layers: readonly object[], enter: (layer: string) => () => void, f: () => T): T {
  const all = nested(layers);
  for (const layer of all) {
    const call = layer.call?.bind(layer);
    if (!call) continue;
    layer.call = (...args) => {
      const leave = enter(layer.name ?? '');
      try {
        return call(...args);
      } finally {
        leave();
      }
    };
  }
  try {
    return f();
  } finally {
    for (const layer of all) delete layer.call;
  }
}

function nested(layers: readonly object[]): Layer[] {
  return layers.flatMap((layer) => [layer as Layer, ...nested((layer as Layer).layers ?? [])]);
}
