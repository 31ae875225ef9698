import {
  ContextLostError,
  type CpuTensor,
  type GpuDelegate,
  type Graph,
  type Shape,
  sameShape,
  type TensorData,
  task,
  type Value,
} from '../../delegate/index.js';
import { type BatchPlan, imageOf, joinImages, planBatch } from './dynamic-batch.js';
import { Execution, type InputValue, type OpTime, type RunInputs, type SegmentRunner } from './execution.js';
import { type Placement, type PlacementContext, place } from './placement.js';
import { type PrepareContext, prepare } from './prepare.js';
import { contradictions } from './shapes.js';
import { drive, driveAsync } from './steps.js';
import { Outputs, Values } from './values.js';
import { Variables } from './variables.js';

/** The GPU as a session sees it. */
export interface Device {
  /** The delegate of the context as it is now; another one after a loss. */
  delegate(): GpuDelegate;
  /** True while the context is lost. */
  isLost(): boolean;
  /** How often the context was lost so far. */
  losses(): number;
}

/** What a session works with. */
export interface SessionContext extends PrepareContext, PlacementContext {
  /** Absent: everything runs on the CPU, for the reason `whyNoGpu`. */
  readonly device?: Device;
  readonly runner: SegmentRunner;
  readonly dynamicBatch: boolean;
}

/** Runs whose results are still to come; the next call waits for the oldest, so that the GPU's queue stays short. */
const MOST_IN_FLIGHT = 4;

const NOTHING = (): void => undefined;

/** An asynchronous run. */
export interface Call<T> {
  /** Done at the beginning of the turn; may `change` the session. */
  readonly prepare?: () => void | Promise<void>;
  /** The outputs to bring to plain memory, by position; asked once the session is compiled. */
  readonly wanted: () => readonly number[];
  /** Makes the result. Called once all draws are issued; what it waits for then holds up no later call. */
  readonly take: (outputs: Outputs) => T | Promise<T>;
}

/**
 * One subgraph, loaded: its shapes, where its nodes run, its inputs and the values of the last run. Inputs and outputs
 * are named by position. Owns what it compiles until disposed.
 */
export class Session {
  readonly #file: Graph;
  readonly #context: SessionContext;
  readonly #variables = new Variables();
  #shapes: readonly Shape[];
  /** Undefined until shapes were inferred. */
  #graph: Graph | undefined;
  #batch: BatchPlan | undefined;
  #contradictions: readonly string[] = [];
  #batchNotes: readonly string[] = [];
  #execution: Execution | undefined;
  /** What was compiled once got other shapes. */
  #shapesVary = false;
  #losses = 0;
  #inputs: (InputValue | undefined)[];
  /** Of the last run that is over. */
  #outputs: Outputs | undefined;
  /** Of the last call that has not had its turn. */
  #turn: Promise<void> | undefined;
  #changing = false;
  /** Calls whose results are still to come, oldest first; they never reject. */
  readonly #flights: Promise<void>[] = [];
  #disposed = false;

  /** `path` is where the subgraph is in the file, for errors; those come when it is compiled or resized. */
  constructor(file: Graph, path: string, context: SessionContext) {
    this.#file = file;
    this.#context = { ...context, path };
    this.#shapes = file.inputs.map(({ shape }) => shape);
    this.#inputs = file.inputs.map(() => undefined);
  }

  /** The inputs as they are now. */
  get inputs(): readonly Value[] {
    return this.#file.inputs.map((value, i) => ({ ...value, shape: this.#shapes[i]! }));
  }

  /** The outputs as they are now; a size that only running tells is −1 until then. */
  get outputs(): readonly Value[] {
    return this.graph.outputs.map((value, i) => {
      const tensor = this.#outputs?.held(i);
      const images = this.#batch?.outputs[i] ? this.#batch.images : 1;
      const [rows = 0, ...rest] = value.shape;
      return { ...value, shape: tensor?.shape ?? (images === 1 ? value.shape : [rows * images, ...rest]) };
    });
  }

  /** Canonical, with the shapes in force (of one image where batches run image by image); before that, the file's. */
  get graph(): Graph {
    return this.#graph ?? this.#file;
  }

  /** Where every node runs; `undefined` before compiling. */
  get placement(): Placement | undefined {
    return this.#execution?.placement;
  }

  /** Remarks for the report. */
  get notes(): readonly string[] {
    return [...this.#batchNotes, ...this.#contradictions.slice(0, 10)];
  }

  /** False before `compile`, after a resize that needs it again, and after the context was lost. */
  get ready(): boolean {
    return this.#execution !== undefined && (this.#context.device?.losses() ?? 0) === this.#losses;
  }

  /** Gives the inputs other shapes; compiles nothing. Where a shape does not fit, throws and stays as it was. */
  resize(shapes: readonly Shape[]): void {
    this.#expectIdle('resized');
    this.#infer(shapes);
    this.#inputs = this.#inputs.map((input, i) => (sameShape(shapes[i]!, this.#shapes[i]!) ? input : undefined));
    this.#shapes = shapes;
    this.#outputs = undefined;
  }

  /** Places the nodes and compiles the GPU's, without blocking: between the phases the page has a turn. `onProgress` gets 0 … 1. */
  async compile(onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<void> {
    if (this.ready) return;
    const delegate = this.#startCompiling();
    const { graph } = this;
    await task();
    const placement = await driveAsync(place(graph, delegate, this.#context), (part) =>
      delegate!.compile(part, { onProgress, signal, shapesVary: this.#shapesVary }),
    );
    const execution = new Execution(graph, placement, this.#context.runner);
    const obsolete = this.#disposed || graph !== this.graph || this.#execution !== undefined;
    if (obsolete) execution.dispose();
    else this.#execution = execution;
    this.#expectAlive();
  }

  /** The same, blocking. */
  compileSync(): void {
    if (this.ready) return;
    const delegate = this.#startCompiling();
    const placement = drive(place(this.graph, delegate, this.#context), (part) =>
      delegate!.compileSync(part, this.#shapesVary),
    );
    this.#execution = new Execution(this.graph, placement, this.#context.runner);
  }

  /** Takes the value of an input. It is not copied: it must stay as it is until the run is over. */
  setInput(position: number, input: InputValue): void {
    this.#expectIdle('given inputs');
    this.#inputs[position] = input;
  }

  /** True where only the GPU reads the input, so that a texture can be its value. */
  takesTexture(position: number): boolean {
    const value = this.graph.inputs[position]!;
    if (this.#batch || this.graph.outputs.includes(value)) return false;
    return (this.placement?.segments ?? []).every(
      ({ place, graph }) => place === 'gpu' || !graph.inputs.includes(value),
    );
  }

  /** Runs; blocks where the CPU needs what the GPU makes. Compiles first where that is due. */
  run(): void {
    this.#expectIdle('run');
    this.compileSync();
    const { outputs } = this.graph;
    const parts = this.#images().map((from) => {
      const values = this.#begin().run(from);
      return this.#batch ? outputs.map((value) => values.read(value)) : values;
    });
    this.#outputs = this.#outputsOf(parts);
  }

  /** Runs without blocking, in its turn. Results come in the order of calls; a later call may be at work meanwhile. */
  invoke<T>({ prepare, wanted, take }: Call<T>): Promise<T> {
    return this.queue(async (next) => {
      if (prepare) await prepare();
      if (!this.ready) await this.compile();
      if (this.#flights.length >= MOST_IN_FLIGHT) await this.#flights[0];
      const begun = this.#batch ? this.#runImages() : this.#runOnce(wanted());
      const outputs = begun instanceof Promise ? await begun : begun;
      const shapes = this.#shapes;
      const result = Promise.all([take(outputs), this.#flights.at(-1)]);
      // In a task of its own, so that whoever waits for this result is done with it before the next one comes.
      const flight = result.then(task, task);
      this.#flights.push(flight);
      next();
      try {
        const [taken] = await result;
        if (shapes === this.#shapes && !this.#disposed) this.#outputs = outputs;
        return taken;
      } finally {
        this.#flights.splice(this.#flights.indexOf(flight), 1);
      }
    });
  }

  /** Runs once (one image of a batch) with a time per draw and per node on the CPU. To be called inside `queue`. */
  async profile(): Promise<readonly OpTime[]> {
    await this.compile();
    return this.#begin().profile(this.#images()[0]!);
  }

  /**
   * Does asynchronous work when it is its turn: at once where no call waits. The turn is over when the work is done, or
   * before that when it calls `next`. Calls that would disturb it fail meanwhile.
   */
  async queue<T>(work: (next: () => void) => Promise<T>): Promise<T> {
    this.#expectAlive();
    const before = this.#turn;
    let end = NOTHING;
    const turn = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#turn = turn;
    const next = () => {
      if (this.#turn === turn) this.#turn = undefined;
      end();
    };
    try {
      if (before) await before;
      this.#expectAlive();
      return await work(next);
    } finally {
      next();
    }
  }

  /** Resizes and sets inputs on behalf of the call that has its turn. */
  change(what: () => void): void {
    this.#changing = true;
    try {
      what();
    } finally {
      this.#changing = false;
    }
  }

  /** The outputs of the last run that is over. */
  get results(): Outputs {
    this.#expectAlive();
    if (!this.#outputs) throw new Error('there is no result yet; invoke first');
    return this.#outputs;
  }

  /** A value by id, wherever in the graph, where plain memory holds it. */
  held(id: number): CpuTensor | undefined {
    this.#expectAlive();
    for (const { inputs, outputs } of this.graph.nodes) {
      const value = [...inputs, ...outputs].find((candidate) => candidate?.id === id);
      if (value) return value.data ? (value as CpuTensor) : this.#outputs?.values.held(value);
    }
    return undefined;
  }

  /** Sets the variable tensors to zero. */
  resetVariables(): void {
    this.#expectIdle('reset');
    this.#variables.reset();
  }

  /** Frees all that was compiled. Calling it again does nothing. */
  dispose(): void {
    this.#disposed = true;
    this.#release();
    this.#inputs = [];
    this.#outputs = undefined;
  }

  /** What each image of the batch runs on; without a batch, the only run. */
  #images(): readonly RunInputs[] {
    const batch = this.#batch;
    const variables = this.#variables.of(this.graph);
    if (!batch) return [{ inputs: this.#inputs, variables }];
    return Array.from({ length: batch.images }, (_, image) => ({
      inputs: this.#inputs.map((input, i) =>
        input && batch.inputs[i] ? imageOf(input as TensorData, image, batch.images) : input,
      ),
      variables,
    }));
  }

  #runOnce(wanted: readonly number[]): Outputs | Promise<Outputs> {
    const { outputs } = this.graph;
    const values = this.#begin().runAsync(
      this.#images()[0]!,
      wanted.map((position) => outputs[position]!),
    );
    return values instanceof Promise ? values.then((done) => this.#outputsOf([done])) : this.#outputsOf([values]);
  }

  async #runImages(): Promise<Outputs> {
    const { outputs } = this.graph;
    const parts: CpuTensor[][] = [];
    for (const from of this.#images()) {
      const values = await this.#begin().runAsync(from, outputs);
      parts.push(await Promise.all(outputs.map((value) => values.readAsync(value))));
    }
    return this.#outputsOf(parts);
  }

  /** The outputs of a run, or of the images of a batch, which are joined. */
  #outputsOf(parts: readonly (Values | readonly CpuTensor[])[]): Outputs {
    const { outputs } = this.graph;
    const [first] = parts;
    if (first instanceof Values) return new Outputs(outputs, first);
    const values = new Values();
    const images = parts as readonly (readonly CpuTensor[])[];
    for (const [i, value] of outputs.entries()) {
      const tensors = images.map((image) => image[i]!);
      values.set(value, this.#batch?.outputs[i] ? joinImages(tensors) : tensors[0]!);
    }
    return new Outputs(outputs, values);
  }

  #infer(shapes: readonly Shape[]): void {
    const plan = this.#context.dynamicBatch ? planBatch(this.#file, shapes, this.#context) : undefined;
    const batch = plan && 'images' in plan ? plan : undefined;
    const compiled = batch?.shapes ?? shapes;
    const fits = ({ inputs }: Graph) => inputs.every(({ shape }, i) => sameShape(shape, compiled[i]!));
    if (!this.#graph || !fits(this.#graph)) {
      const { shaped, graph } = prepare(this.#file, compiled, this.#context);
      this.#shapesVary ||= this.#execution !== undefined;
      this.#release();
      this.#graph = graph;
      this.#contradictions = fits(this.#file) ? contradictions(this.#file, shaped) : [];
    }
    this.#batch = batch;
    this.#batchNotes =
      plan && 'declined' in plan
        ? [`dynamicBatchEnabled has no effect: ${plan.declined}; another batch compiles again`]
        : [];
  }

  #startCompiling(): GpuDelegate | undefined {
    this.#expectAlive();
    this.#expectContext('compile');
    if (!this.#graph) this.#infer(this.#shapes);
    this.#release();
    const { device } = this.#context;
    this.#losses = device?.losses() ?? 0;
    return device?.delegate();
  }

  /** The execution, about to run. */
  #begin(): Execution {
    this.#expectAlive();
    this.#expectContext('run');
    return this.#execution!;
  }

  #release(): void {
    this.#execution?.dispose();
    this.#execution = undefined;
  }

  #expectContext(during: string): void {
    if (this.#context.device?.isLost()) throw new ContextLostError(during);
  }

  #expectAlive(): void {
    if (this.#disposed) throw new Error('the model is disposed; load it again');
  }

  #expectIdle(what: string): void {
    this.#expectAlive();
    if (this.#turn && !this.#changing) {
      throw new Error(`the model cannot be ${what} while an asynchronous call is pending; await it first`);
    }
  }
}
