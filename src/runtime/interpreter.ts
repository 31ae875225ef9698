import type { TensorData } from '../../delegate/index.js';
import { tensorValue } from '../format/graph.js';
import { listOf, type Model } from '../format/model.js';
import type { Environment, LoadOptions } from './load-options.js';
import { LoadedModel, loadFile } from './loaded-model.js';
import { monotone, partOf } from './progress.js';
import { type ModelStats, type OpProfile, profileOf, type Report } from './report.js';
import { type SignatureRunner, signatureRunner } from './signature-runner.js';
import type { ModelSource } from './sources.js';
import { Subgraph } from './subgraph.js';
import { detailsOf, type TensorDetails } from './tensor-details.js';
import { copyValues, type InputData } from './tensor-values.js';

/** Names of a signature's inputs and outputs. */
export interface SignatureNames {
  readonly inputs: string[];
  readonly outputs: string[];
}

/**
 * Runs a `.tflite` model tensor by tensor, as Python's `Interpreter` does. Tensors are named by their index in the
 * file. Owns GPU memory until disposed.
 */
export class Interpreter {
  readonly #loaded: LoadedModel<Subgraph>;
  readonly #options: LoadOptions;

  /** Use `Interpreter.create`; this takes what it has found. */
  constructor(model: Model, environment: Environment, options: LoadOptions = {}) {
    this.#loaded = new LoadedModel(model, environment, (file, index) => new Subgraph(file, index, environment.session));
    this.#options = { ...options, onProgress: monotone(options.onProgress) };
    this.#loaded.subgraph(0);
  }

  /** Verifies and reads a model. Throws ModelError for a bad file. Compiling waits for `allocateTensors`. */
  static async create(source: ModelSource, options: LoadOptions = {}): Promise<Interpreter> {
    const { model, environment, onProgress } = await loadFile(source, options);
    try {
      return new Interpreter(model, environment, { ...options, onProgress });
    } catch (error) {
      environment.release();
      throw error;
    }
  }

  /** Puts the inputs' shapes in force and compiles. To be called before the first `invoke` and after a resize. */
  async allocateTensors(): Promise<void> {
    const { onProgress, signal } = this.#options;
    await this.#main.allocate((fraction) => onProgress?.(partOf('compile', fraction)), signal);
    onProgress?.(partOf('compile', 1));
  }

  getInputDetails(): TensorDetails[] {
    return this.#main.inputs.map(detailsOf);
  }

  getOutputDetails(): TensorDetails[] {
    return this.#main.outputs.map(detailsOf);
  }

  /** All tensors of a subgraph, by index. */
  getTensorDetails(subgraph = 0): TensorDetails[] {
    const { model, subgraphs } = this.#loaded;
    const tensors = model.subgraphs?.[subgraph]?.tensors;
    if (!tensors) throw new RangeError(`subgraph ${subgraph}; accepted: 0 to ${listOf(model.subgraphs).length - 1}`);
    const loaded = subgraphs.get(subgraph);
    const current = new Map(loaded && [...loaded.inputs, ...loaded.outputs].map((value) => [value.id, value]));
    return tensors.map((tensor, index) => {
      const { sparsity } = tensor;
      return detailsOf(current.get(index) ?? { ...tensorValue(tensor, index), ...(sparsity && { sparsity }) });
    });
  }

  /** Copies values into an input: the typed array of its element type, or strings. */
  setTensor(index: number, data: InputData): void {
    this.#main.expectAllocated();
    for (const position of this.#inputsAt(index)) this.#main.set(position, data);
  }

  /** Asks for another shape of an input. `strict`: only sizes that the signature leaves open may change. */
  resizeTensorInput(index: number, shape: readonly number[], { strict = false }: { strict?: boolean } = {}): void {
    for (const position of this.#inputsAt(index)) this.#main.resize(position, shape, strict);
  }

  /** Sets the variables of all subgraphs to zero. */
  resetAllVariables(): void {
    for (const { session } of this.#loaded.subgraphs.values()) session.resetVariables();
  }

  /** Runs the model. Returns before the GPU is done where only the GPU has work. */
  invoke(): void {
    this.#main.expectAllocated();
    this.#main.session.run();
  }

  /**
   * Runs the model and brings its outputs to plain memory, without blocking. Where the model is compiled, the inputs may
   * be set again and the next call made at once; `getTensor` gives the outputs of the call that was done last.
   */
  async invokeAsync(): Promise<void> {
    this.#main.expectAllocated();
    await this.#main.invokeAsync();
  }

  /** A copy of a tensor's values; blocks until the GPU is done. */
  getTensor(index: number): TensorData {
    return copyValues(this.#main.read(index).data);
  }

  /** A copy of a tensor's values, without blocking. */
  async getTensorAsync(index: number): Promise<TensorData> {
    return copyValues((await this.#main.readAsync(index)).data);
  }

  /** Names of inputs and outputs by signature key. */
  getSignatureList(): Record<string, SignatureNames> {
    const list: Record<string, SignatureNames> = Object.create(null);
    for (const { signatureKey = '', inputs, outputs } of this.#loaded.signatures) {
      const names = (maps: typeof inputs) => listOf(maps).map(({ name = '' }) => name);
      list[signatureKey] = { inputs: names(inputs), outputs: names(outputs) };
    }
    return list;
  }

  /** The signature as a function of named inputs; `key` may be left out where there is only one. */
  getSignatureRunner(key?: string): SignatureRunner {
    const { signatures } = this.#loaded;
    const only = key === undefined && signatures.length === 1 ? signatures[0]?.signatureKey : key;
    const found = this.#loaded.signature(only);
    return signatureRunner(found, this.#loaded.subgraph(found.subgraphIndex));
  }

  /** Where every operator of the compiled subgraphs runs and why, and what it takes. */
  report(): Report {
    return this.#loaded.report();
  }

  /** Runs once and tells the time of every operator's draws. */
  async profile(): Promise<OpProfile[]> {
    this.#main.expectAllocated();
    const { session } = this.#main;
    return profileOf(0, await session.queue(() => session.profile()));
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

  get #main(): Subgraph {
    return this.#loaded.subgraph(0);
  }

  #inputsAt(index: number): number[] {
    const { inputs } = this.#main;
    const positions = inputs.flatMap(({ id }, position) => (id === index ? [position] : []));
    if (positions.length > 0) return positions;
    throw new RangeError(
      `tensor ${index} is no input; accepted: ${inputs.map(({ id }) => id).join(', ') || 'none, there are no inputs'}`,
    );
  }
}
