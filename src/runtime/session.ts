import {
  ContextLostError,
  type CpuTensor,
  type GpuDelegate,
  type Graph,
  type LinearTexture,
  type Shape,
  sameShape,
  type TensorData,
  type Value,
} from '../../delegate/index.js';
import { type BatchPlan, imageOf, joinImages, planBatch } from './dynamic-batch.js';
import { Execution, type InputValue, type OpTime, type SegmentRunner } from './execution.js';
import { type Placement, type PlacementContext, place } from './placement.js';
import { type PrepareContext, prepare } from './prepare.js';
import { contradictions } from './shapes.js';
import { drive, driveAsync } from './steps.js';
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
  #losses = 0;
  #inputs: (InputValue | undefined)[];
  #joined: readonly CpuTensor[] | undefined;
  #pending = 0;
  #preparing = false;
  #turn: Promise<unknown> = Promise.resolve();
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
      const tensor = this.#joined?.[i] ?? (this.#batch ? undefined : this.#execution?.held(value));
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
    this.#joined = undefined;
    this.#execution?.forget();
  }

  /** Places the nodes and compiles the GPU's, without blocking. `onProgress` gets 0 … 1. */
  async compile(onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<void> {
    if (this.ready) return;
    const delegate = this.#startCompiling();
    const { graph } = this;
    const placement = await driveAsync(place(graph, delegate, this.#context), (part) =>
      delegate!.compile(part, onProgress, signal),
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
    const placement = drive(place(this.graph, delegate, this.#context), (part) => delegate!.compileSync(part));
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
    this.#joined = undefined;
    const images: CpuTensor[][] = [];
    for (let image = 0; image < (this.#batch?.images ?? 1); image++) {
      this.#begin().run(this.#inputsOf(image), this.#variables.of(this.graph));
      if (this.#batch) images.push(this.graph.outputs.map((value) => this.#ran().read(value)));
    }
    this.#join(images);
  }

  /** Runs without blocking; the outputs may still be on the GPU when it resolves. To be called inside `queue`. */
  async runAsync(): Promise<void> {
    await this.compile();
    this.#joined = undefined;
    const images: CpuTensor[][] = [];
    for (let image = 0; image < (this.#batch?.images ?? 1); image++) {
      await this.#begin().runAsync(this.#inputsOf(image), this.#variables.of(this.graph));
      if (this.#batch) images.push(await Promise.all(this.graph.outputs.map((value) => this.#ran().readAsync(value))));
    }
    this.#join(images);
  }

  /** Runs once (one image of a batch) with a time per draw and per node on the CPU. To be called inside `queue`. */
  async profile(): Promise<readonly OpTime[]> {
    await this.compile();
    this.#joined = undefined;
    return this.#begin().profile(this.#inputsOf(0), this.#variables.of(this.graph));
  }

  /**
   * Does asynchronous work when all earlier such work is done; calls that would disturb it fail meanwhile. `prepare`
   * is done at the beginning of the turn, and may resize and set inputs.
   */
  queue<T>(work: () => Promise<T>, prepare?: () => void): Promise<T> {
    this.#expectAlive();
    this.#pending++;
    const result = this.#turn.then(() => {
      this.#expectAlive();
      this.#preparing = true;
      try {
        prepare?.();
      } finally {
        this.#preparing = false;
      }
      return work();
    });
    const done = () => {
      this.#pending--;
    };
    this.#turn = result.then(done, done);
    return result;
  }

  /** An output of the last run in plain memory; blocks until the GPU is done. */
  output(position: number): CpuTensor {
    return this.#joined?.[position] ?? this.#ran().read(this.graph.outputs[position]!);
  }

  /** The same, without blocking. */
  async outputAsync(position: number): Promise<CpuTensor> {
    return this.#joined?.[position] ?? this.#ran().readAsync(this.graph.outputs[position]!);
  }

  /** Size of the linear texture that holds an output on the GPU; `undefined` where plain memory holds it. */
  outputSize(position: number): { readonly width: number; readonly height: number } | undefined {
    const found = this.#joined ? undefined : this.#ran().onGpu(this.graph.outputs[position]!);
    return found?.executable.linearSize('output', found.position);
  }

  /** Draws an output that is on the GPU into a linear texture of the caller. */
  outputTexture(position: number, target: LinearTexture): void {
    const found = this.#ran().onGpu(this.graph.outputs[position]!);
    if (!found) throw new Error(`output ${position} is in plain memory; read it with output or outputAsync`);
    found.executable.readTexture(found.position, target);
  }

  /** A value by id, wherever in the graph, where plain memory holds it. */
  held(id: number): CpuTensor | undefined {
    this.#expectAlive();
    for (const { inputs, outputs } of this.graph.nodes) {
      const value = [...inputs, ...outputs].find((candidate) => candidate?.id === id);
      if (value) return value.data ? (value as CpuTensor) : this.#execution?.held(value);
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
    this.#joined = undefined;
  }

  #inputsOf(image: number): (InputValue | undefined)[] {
    const batch = this.#batch;
    if (!batch) return this.#inputs;
    return this.#inputs.map((input, i) =>
      input && batch.inputs[i] ? imageOf(input as TensorData, image, batch.images) : input,
    );
  }

  #join(images: readonly (readonly CpuTensor[])[]): void {
    const batched = this.#batch?.outputs;
    this.#joined = images[0]?.map((tensor, i) =>
      batched?.[i] ? joinImages(images.map((parts) => parts[i]!)) : tensor,
    );
  }

  #infer(shapes: readonly Shape[]): void {
    const plan = this.#context.dynamicBatch ? planBatch(this.#file, shapes, this.#context) : undefined;
    const batch = plan && 'images' in plan ? plan : undefined;
    const compiled = batch?.shapes ?? shapes;
    const fits = ({ inputs }: Graph) => inputs.every(({ shape }, i) => sameShape(shape, compiled[i]!));
    if (!this.#graph || !fits(this.#graph)) {
      const { shaped, graph } = prepare(this.#file, compiled, this.#context);
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

  /** The execution, to read from. */
  #ran(): Execution {
    this.#expectAlive();
    if (!this.#execution) throw new Error('there is no result yet; invoke first');
    return this.#execution;
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
    if (this.#pending > 0 && !this.#preparing) {
      throw new Error(`the model cannot be ${what} while an asynchronous call is pending; await it first`);
    }
  }
}
