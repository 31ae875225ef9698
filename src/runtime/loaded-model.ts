/** What the two ways to use a model, `Interpreter` and `TFLiteModel`, have in common. */
import { type Graph, quoted, task } from '../../delegate/index.js';
import { toGraph } from '../format/graph.js';
import { listOf, type Model, type SignatureDef } from '../format/model.js';
import { readModel } from '../format/read.js';
import { loadCompiler } from './context.js';
import { type Environment, environmentOf, type LoadOptions } from './load-options.js';
import { monotone, type Progress, partOf } from './progress.js';
import { drawsOf, type ModelStats, type Report, reportOn } from './report.js';
import type { Session } from './session.js';
import { type ModelSource, readSource } from './sources.js';

/** A file that was read, and what it is to run with. */
export interface LoadedFile {
  readonly model: Model;
  readonly environment: Environment;
  /** For further progress: reports on, in order. */
  readonly onProgress: (progress: Progress) => void;
}

/** Fetches, verifies and reads a model, and finds the GPU. Throws ModelError for a bad file. */
export async function loadFile(source: ModelSource, options: LoadOptions): Promise<LoadedFile> {
  const onProgress = monotone(options.onProgress);
  // Beside the file; whether it comes is seen when it is needed.
  if (options.delegate !== 'cpu') loadCompiler().catch(() => undefined);
  const maxBytes = options.limits?.fileBytes;
  const bytes = await readSource(source, { ...options, onProgress, ...(maxBytes !== undefined && { maxBytes }) });
  onProgress(partOf('verify', 0));
  const model = readModel(bytes, options.limits);
  onProgress(partOf('verify', 1));
  await task();
  return { model, environment: await environmentOf(options), onProgress };
}

/** A loaded subgraph: its graph as it is in the file, and the session that runs it. */
export interface LoadedSubgraph {
  readonly file: Graph;
  readonly session: Session;
}

/** A model and those of its subgraphs that were asked for. Owns what it compiles until disposed. */
export class LoadedModel<Subgraph extends LoadedSubgraph> {
  readonly #model: Model;
  readonly #environment: Environment;
  readonly #make: (file: Graph, index: number) => Subgraph;
  readonly #subgraphs = new Map<number, Subgraph>();
  #disposed = false;

  constructor(model: Model, environment: Environment, make: (file: Graph, index: number) => Subgraph) {
    this.#model = model;
    this.#environment = environment;
    this.#make = make;
  }

  /** The file. */
  get model(): Model {
    this.expectAlive();
    return this.#model;
  }

  get signatures(): readonly SignatureDef[] {
    return listOf(this.model.signatureDefs);
  }

  /** The subgraphs that are loaded, by index. */
  get subgraphs(): ReadonlyMap<number, Subgraph> {
    this.expectAlive();
    return this.#subgraphs;
  }

  /** A subgraph, which is loaded where it is not yet. */
  subgraph(index: number): Subgraph {
    const known = this.subgraphs.get(index) ?? this.#make(toGraph(this.#model, index), index);
    this.#subgraphs.set(index, known);
    return known;
  }

  /** The signature of this name. Throws RangeError where there is none. */
  signature(key: string | undefined): SignatureDef {
    const found = this.signatures.find(({ signatureKey = '' }) => signatureKey === key);
    if (found) return found;
    const accepted = this.signatures.map(({ signatureKey }) => quoted(signatureKey)).join(', ');
    const wrong = key === undefined ? 'a signature has to be named' : `there is no signature ${quoted(key)}`;
    throw new RangeError(`${wrong}; accepted: ${accepted || 'none, the model has no signatures'}`);
  }

  /** Where every operator of the compiled subgraphs runs and why, and what it takes. */
  report(): Report {
    const compiled = [...this.subgraphs].filter(([, { session }]) => session.placement);
    if (compiled.length === 0) throw new Error('nothing is compiled yet; call allocateTensors first');
    const { gpu, session } = this.#environment;
    const subgraphs = compiled.map(([index, { file, session }]) => ({ index, file, session }));
    return reportOn(subgraphs, gpu.precision, session.device !== undefined);
  }

  /** Counters of the context's GL objects, and this model's draws. All return to their start after `dispose`. */
  stats(): ModelStats {
    const none = { textures: 0, textureBytes: 0, buffers: 0, programs: 0, framebuffers: 0, executables: 0 };
    const { session, models } = this.#environment;
    const draws = [...this.#subgraphs.values()].reduce((sum, { session }) => sum + drawsOf(session), 0);
    return { ...(session.device?.delegate().stats() ?? none), draws, models: models() };
  }

  /** Frees everything. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { session } of this.#subgraphs.values()) session.dispose();
    this.#environment.release();
  }

  /** Throws after `dispose`. */
  expectAlive(): void {
    if (this.#disposed) throw new Error('the model is disposed; load it again');
  }
}
