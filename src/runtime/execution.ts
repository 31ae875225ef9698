import type {
  CpuTensor,
  DrawTime,
  Graph,
  InputSource,
  LinearTexture,
  Node,
  NumericData,
  TensorData,
  Value,
} from '../../delegate/index.js';
import type { PlacedSegment, Placement } from './placement.js';
import { drive, driveAsync, type Steps } from './steps.js';
import { Values } from './values.js';

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
type Request =
  | { readonly read: Value }
  | { readonly draw: PlacedSegment; readonly inputs: readonly InputSource[] }
  | { readonly compute: PlacedSegment };
type RunSteps = Steps<Request, void, Values>;

/** What a run starts from, by position; variables are changed in place. */
export interface RunInputs {
  readonly inputs: readonly (InputValue | undefined)[];
  readonly variables: Iterable<readonly [Value, CpuTensor]>;
}

/** Runs a placed graph, segment by segment. Owns the executables. */
export class Execution {
  readonly placement: Placement;
  readonly #graph: Graph;
  readonly #runner: SegmentRunner;
  /** What segments read of each other. */
  readonly #crossing: ReadonlySet<Value>;
  #values = new Values();

  constructor(graph: Graph, placement: Placement, runner: SegmentRunner) {
    this.#graph = graph;
    this.placement = placement;
    this.#runner = runner;
    this.#crossing = new Set(placement.segments.flatMap((segment) => segment.graph.inputs));
  }

  /** Runs; blocks where the CPU needs what the GPU makes. */
  run(from: RunInputs): Values {
    return drive(this.#steps(this.placement.segments, from), (request) => {
      if ('read' in request) this.#values.read(request.read);
      else if ('draw' in request) this.#draw(request.draw, request.inputs);
      else this.#compute(request.compute);
    });
  }

  /**
   * Runs without blocking and asks the GPU for the values wanted. Done, and no promise, once all draws are issued; only
   * segments on the CPU wait for the GPU.
   */
  runAsync(from: RunInputs, wanted: readonly Value[]): Values | Promise<Values> {
    return driveAsync(this.#steps(this.placement.segments, from), (request): void | Promise<void> => {
      if ('read' in request) return this.#values.readAsync(request.read).then(() => undefined);
      if ('draw' in request) this.#draw(request.draw, request.inputs, wanted);
      else this.#compute(request.compute);
    });
  }

  /** Runs with a time per draw, and per node on the CPU. */
  async profile(from: RunInputs): Promise<readonly OpTime[]> {
    const times: OpTime[] = [];
    await driveAsync(this.#steps(this.placement.segments.flatMap(nodeByNode), from), async (request) => {
      if ('read' in request) {
        await this.#values.readAsync(request.read);
      } else if ('draw' in request) {
        this.#draw(request.draw, request.inputs);
        times.push(...(await request.draw.executable!.profile()));
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

  dispose(): void {
    this.#values.supersede();
    for (const { executable } of this.placement.segments) executable?.dispose();
  }

  *#steps(segments: readonly PlacedSegment[], { inputs, variables }: RunInputs): RunSteps {
    this.#values.supersede();
    const values = new Values();
    this.#values = values;
    const textures = new Map<Value, LinearTexture>();
    for (const [i, value] of this.#graph.inputs.entries()) {
      const input = inputs[i];
      if (input && 'texture' in input) textures.set(value, input);
      else if (input) values.set(value, { ...typeOf(value), data: input });
    }
    for (const [value, tensor] of variables) values.set(value, tensor);
    for (const segment of segments) {
      const sources: InputSource[] = [];
      for (const value of segment.graph.inputs) {
        const texture = textures.get(value);
        if (!texture && !values.held(value)) yield { read: value };
        sources.push(texture ?? (values.held(value)!.data as NumericData));
      }
      yield segment.executable ? { draw: segment, inputs: sources } : { compute: segment };
    }
    return values;
  }

  /** Without `wanted` nothing is asked for: a blocking run reads what it needs when it needs it. */
  #draw({ graph, executable }: PlacedSegment, inputs: readonly InputSource[], wanted?: readonly Value[]): void {
    const { outputs } = graph;
    const positions: number[] = [];
    outputs.forEach((value, i) => {
      if (wanted && (wanted.includes(value) || this.#crossing.has(value))) positions.push(i);
    });
    const asked = executable!.run(inputs, positions);
    for (const [i, value] of outputs.entries())
      this.#values.setOnGpu(value, executable!, i, asked[positions.indexOf(i)]);
  }

  #compute({ graph }: PlacedSegment): void {
    const inputs = graph.inputs.map((value) => this.#values.held(value)!);
    const results = this.#runner.run(graph, inputs);
    for (const [i, value] of graph.outputs.entries()) this.#values.set(value, results[i]!);
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
