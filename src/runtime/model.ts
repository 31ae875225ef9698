import type { InferenceModel, ModelTensorInfo, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { Value } from '../../delegate/index.js';
import { listOf, type Model, type SignatureDef } from '../format/model.js';
import type { Environment, LoadOptions } from './load-options.js';
import { LoadedModel, loadFile } from './loaded-model.js';
import { type BoundInputs, bindInputs, type ModelInputs } from './model-inputs.js';
import { type Names, namesOf, positionsOf } from './model-names.js';
import { partOf } from './progress.js';
import { type ModelStats, type OpProfile, profileOf, type Report } from './report.js';
import { Session } from './session.js';
import type { ModelSource } from './sources.js';
import { TensorSession } from './tensor-session.js';
import { tfjsDtype } from './tfjs-values.js';

/** Which part of the model a call runs. */
export interface ExecuteOptions {
  /** A name of `signatures`; without it, the model's main subgraph runs. */
  readonly signature?: string;
}

/** Loads a `.tflite` model and compiles it. Throws ModelError for a bad file. */
export async function loadTFLiteModel(source: ModelSource, options: LoadOptions = {}): Promise<TFLiteModel> {
  const { model: file, environment, onProgress } = await loadFile(source, options);
  let model: TFLiteModel | undefined;
  try {
    model = new TFLiteModel(file, environment);
    await model.compile((fraction) => onProgress(partOf('compile', fraction)), options.signal);
    onProgress(partOf('compile', 1));
    return model;
  } catch (error) {
    if (model) model.dispose();
    else environment.release();
    throw error;
  }
}

/** A loaded model on tfjs tensors. Owns GPU memory until disposed; the tensors it returns are the caller's. */
export class TFLiteModel implements InferenceModel {
  readonly #loaded: LoadedModel<TensorSession>;
  readonly #main: Entry;

  /** Use `loadTFLiteModel`; this takes what it has found. */
  constructor(model: Model, environment: Environment) {
    const { session, gl } = environment;
    this.#loaded = new LoadedModel(model, environment, (file, index) => {
      return new TensorSession(new Session(file, `subgraphs[${index}]`, session), file, gl);
    });
    this.#main = this.#entry();
  }

  /** The inputs with their tfjs types; −1 where a size may be changed. The batch always may. */
  get inputs(): ModelTensorInfo[] {
    return infosOf(this.#main.session.file.inputs, this.#main.inputNames);
  }

  /** The outputs, likewise. */
  get outputs(): ModelTensorInfo[] {
    return infosOf(this.#main.session.file.outputs, this.#main.outputNames);
  }

  /** Names of the model's signatures. */
  get signatures(): string[] {
    return this.#loaded.signatures.map(({ signatureKey = '' }) => signatureKey);
  }

  /** Compiles where that is due: after a batch of another size and after the context was lost. Runs do so themselves. */
  compile(onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<void> {
    const { session } = this.#main.session;
    return session.queue(() => session.compile(onProgress, signal));
  }

  /** Runs the model. One output gives a tensor, several give tensors by name. */
  predict(inputs: ModelInputs): Tensor | NamedTensorMap {
    const { outputOrder } = this.#main;
    return withInputs(this.#bind(inputs, this.#main), (tensors) =>
      byName(this.#main.session.run(tensors, outputOrder), this.#main),
    );
  }

  /** The same without blocking. The inputs may be disposed before it is done. */
  async predictAsync(inputs: ModelInputs): Promise<Tensor | NamedTensorMap> {
    const { outputOrder } = this.#main;
    return withInputs(this.#bind(inputs, this.#main), async (tensors) =>
      byName(await this.#main.session.runAsync(tensors, outputOrder), this.#main),
    );
  }

  /** Runs the model for the named outputs, or for all. One gives a tensor, several a list in the order asked for. */
  execute(inputs: ModelInputs, outputs?: string | readonly string[]): Tensor | Tensor[] {
    const wanted = wantedOf(outputs, this.#main);
    return withInputs(this.#bind(inputs, this.#main), (tensors) => oneOrAll(this.#main.session.run(tensors, wanted)));
  }

  /** The same without blocking, and for any signature. */
  async executeAsync(
    inputs: ModelInputs,
    outputs?: string | readonly string[],
    { signature }: ExecuteOptions = {},
  ): Promise<Tensor | Tensor[]> {
    const entry = signature === undefined ? this.#main : this.#entry(this.#loaded.signature(signature));
    const wanted = wantedOf(outputs, entry);
    return withInputs(this.#bind(inputs, entry), async (tensors) =>
      oneOrAll(await entry.session.runAsync(tensors, wanted)),
    );
  }

  /** Runs once on zeros, so that the first real run is as fast as the next ones. Sets variables to zero. */
  warmup(): Promise<void> {
    return this.#main.session.warmup();
  }

  /** Where every operator runs and why, and what it takes. */
  report(): Report {
    return this.#loaded.report();
  }

  /** Runs once and tells the time of every operator's draws. */
  async profile(inputs: ModelInputs): Promise<OpProfile[]> {
    return withInputs(this.#bind(inputs, this.#main), async (tensors) =>
      profileOf(0, await this.#main.session.profile(tensors)),
    );
  }

  /** Counters of the context's GL objects, and this model's draws. All return to their start after `dispose`. */
  stats(): ModelStats {
    return this.#loaded.stats();
  }

  /** Frees everything. Calling it again does nothing. */
  dispose(): void {
    this.#loaded.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The main subgraph, or a signature. */
  #entry(signature?: SignatureDef): Entry {
    const session = this.#loaded.subgraph(signature?.subgraphIndex ?? 0);
    const main = this.#loaded.signatures.filter(({ subgraphIndex }) => subgraphIndex === 0);
    const aliases = signature ? [signature] : main;
    const aliasesOf = (side: 'inputs' | 'outputs') => aliases.flatMap((alias) => listOf(alias[side]));
    const { inputs, outputs } = session.file;
    return {
      session,
      inputNames: namesOf('input', inputs, aliasesOf('inputs')),
      outputNames: namesOf('output', outputs, aliasesOf('outputs')),
      inputOrder: signature ? positionsOf(inputs, signature.inputs) : [...inputs.keys()],
      outputOrder: signature ? positionsOf(outputs, signature.outputs) : [...outputs.keys()],
    };
  }

  #bind(inputs: ModelInputs, { session, inputOrder, inputNames }: Entry): BoundInputs {
    this.#loaded.expectAlive();
    return bindInputs(inputs, session.session.inputs, inputOrder, inputNames);
  }
}

/** A way into the model: a subgraph, with the names and the order of its inputs and outputs. */
interface Entry {
  readonly session: TensorSession;
  readonly inputNames: Names;
  readonly outputNames: Names;
  readonly inputOrder: readonly number[];
  readonly outputOrder: readonly number[];
}

/** Calls `use`; then disposes the tensors that were made for it, which is early enough also where it is asynchronous. */
function withInputs<T>({ tensors, made }: BoundInputs, use: (tensors: readonly Tensor[]) => T): T {
  try {
    return use(tensors);
  } finally {
    for (const tensor of made) tensor.dispose();
  }
}

function wantedOf(
  outputs: string | readonly string[] | undefined,
  { outputOrder, outputNames }: Entry,
): readonly number[] {
  if (outputs === undefined) return outputOrder;
  return [outputs].flat().map((name) => outputNames.positionOf(name));
}

function byName(tensors: readonly Tensor[], { outputNames }: Entry): Tensor | NamedTensorMap {
  if (tensors.length === 1) return tensors[0]!;
  const map: NamedTensorMap = Object.create(null);
  for (const [i, name] of outputNames.names.entries()) map[name] = tensors[i]!;
  return map;
}

function oneOrAll(tensors: Tensor[]): Tensor | Tensor[] {
  return tensors.length === 1 ? tensors[0]! : tensors;
}

function infosOf(values: readonly Value[], { names }: Names): ModelTensorInfo[] {
  return values.map(({ shape, shapeSignature, dtype }, i) => ({
    name: names[i]!,
    shape: [...(shapeSignature?.length ? shapeSignature : shape)],
    dtype: tfjsDtype(dtype),
  }));
}
