import type {
  CpuTensor,
  DrawTime,
  Graph,
  LinearTexture,
  Node,
  NumericData,
  TensorData,
  Value,
} from '../../delegate/index.js';
import { Memory } from './memory.js';
import type { PlacedSegment, Placement } from './placement.js';
import { drive, driveAsync, type Steps } from './steps.js';

/** Runs the nodes of CPU segments. */
export interface SegmentRunner {
  /** Computes the graph's outputs, in order, from tensors of its inputs, in order. */
  run(graph: Graph, inputs: readonly CpuTensor[]): readonly CpuTensor[];
}

/** Time of a draw, or of a node on the CPU. */
export type OpTime =
  | DrawTime
  | {
      readonly node: Node;
      readonly kernel: 'cpu';
      readonly milliseconds: number;
      readonly multiplyAdds: 0;
      readonly source: 'wall';
    };

/** The value of an input: an array, or a texture where `takesTexture` of the session. */
export type InputValue = TensorData | LinearTexture;

/** What a run asks for: a value in plain memory, the draws of a GPU segment, the nodes of a CPU segment. */
type Request = { readonly read: Value } | { readonly draw: PlacedSegment } | { readonly compute: PlacedSegment };
type RunSteps = Steps<Request, void, void>;

/** Runs a placed graph, segment by segment, and holds the values of the last run. Owns the executables. */
export class Execution {
  readonly placement: Placement;
  readonly #graph: Graph;
  readonly #runner: SegmentRunner;
  #memory = new Memory();

  constructor(graph: Graph, placement: Placement, runner: SegmentRunner) {
    this.#graph = graph;
    this.placement = placement;
    this.#runner = runner;
  }

  /** Runs; blocks where the CPU needs what the GPU makes. `variables` are changed in place. */
  run(inputs: readonly (InputValue | undefined)[], variables: Iterable<readonly [Value, CpuTensor]>): void {
    drive(this.#steps(this.placement.segments, inputs, variables), (request) => {
      if ('read' in request) this.#memory.read(request.read);
      else if ('draw' in request) this.#draw(request.draw);
      else this.#compute(request.compute);
    });
  }

  /** Runs without blocking. The GPU may still be at work when it resolves. */
  runAsync(
    inputs: readonly (InputValue | undefined)[],
    variables: Iterable<readonly [Value, CpuTensor]>,
  ): Promise<void> {
    return driveAsync(this.#steps(this.placement.segments, inputs, variables), async (request) => {
      if ('read' in request) await this.#memory.readAsync(request.read);
      else if ('draw' in request) this.#draw(request.draw);
      else this.#compute(request.compute);
    });
  }

  /** Runs with a time per draw, and per node on the CPU. */
  async profile(
    inputs: readonly (InputValue | undefined)[],
    variables: Iterable<readonly [Value, CpuTensor]>,
  ): Promise<readonly OpTime[]> {
    const times: OpTime[] = [];
    await driveAsync(this.#steps(this.placement.segments.flatMap(nodeByNode), inputs, variables), async (request) => {
      if ('read' in request) {
        await this.#memory.readAsync(request.read);
      } else if ('draw' in request) {
        times.push(...(await request.draw.executable!.profile()));
        this.#markDrawn(request.draw);
      } else {
        const start = performance.now();
        this.#compute(request.compute);
        const milliseconds = performance.now() - start;
        times.push({
          node: request.compute.graph.nodes[0]!,
          kernel: 'cpu',
          milliseconds,
          multiplyAdds: 0,
          source: 'wall',
        });
      }
    });
    return times;
  }

  /** A value of the last run; blocks until the GPU is done. */
  read(value: Value): CpuTensor {
    return this.#memory.read(value);
  }

  /** The same, without blocking. */
  readAsync(value: Value): Promise<CpuTensor> {
    return this.#memory.readAsync(value);
  }

  /** The value where plain memory holds it. */
  held(value: Value): CpuTensor | undefined {
    return this.#memory.held(value);
  }

  /** The executable and its output that hold the value, where the GPU does. */
  onGpu(value: Value): ReturnType<Memory['onGpu']> {
    return this.#memory.onGpu(value);
  }

  /** Drops the values of the last run. */
  forget(): void {
    this.#memory = new Memory();
  }

  dispose(): void {
    for (const { executable } of this.placement.segments) executable?.dispose();
  }

  *#steps(
    segments: readonly PlacedSegment[],
    inputs: readonly (InputValue | undefined)[],
    variables: Iterable<readonly [Value, CpuTensor]>,
  ): RunSteps {
    const textures = new Map<Value, LinearTexture>();
    for (const [i, value] of this.#graph.inputs.entries()) {
      const input = inputs[i];
      if (input && 'texture' in input) textures.set(value, input);
      else if (input) this.#memory.set(value, { ...typeOf(value), data: input });
    }
    for (const [value, tensor] of variables) this.#memory.set(value, tensor);
    for (const segment of segments) {
      for (const [i, value] of segment.graph.inputs.entries()) {
        const texture = textures.get(value);
        if (texture) segment.executable!.uploadTexture(i, texture);
        else {
          if (!this.#memory.held(value)) yield { read: value };
          segment.executable?.upload(i, this.#memory.held(value)!.data as NumericData);
        }
      }
      yield segment.executable ? { draw: segment } : { compute: segment };
    }
  }

  #draw(segment: PlacedSegment): void {
    segment.executable!.run();
    this.#markDrawn(segment);
  }

  #markDrawn({ graph, executable }: PlacedSegment): void {
    for (const [i, value] of graph.outputs.entries()) this.#memory.setOnGpu(value, executable!, i);
  }

  #compute({ graph }: PlacedSegment): void {
    const inputs = graph.inputs.map((value) => this.#memory.held(value)!);
    const results = this.#runner.run(graph, inputs);
    for (const [i, value] of graph.outputs.entries()) this.#memory.set(value, results[i]!);
  }
}

function typeOf({ shape, dtype, quantization }: Value): Omit<CpuTensor, 'data'> {
  return quantization ? { shape, dtype, quantization } : { shape, dtype };
}

/** A CPU segment as one segment per node, for timing. */
function nodeByNode(segment: PlacedSegment): PlacedSegment[] {
  if (segment.place === 'gpu') return [segment];
  return segment.graph.nodes.map((node) => {
    const inputs = new Set(node.inputs.filter((value): value is Value => value !== undefined && !value.data));
    return { place: 'cpu', graph: { ...segment.graph, nodes: [node], inputs: [...inputs], outputs: node.outputs } };
  });
}
