// Test doubles: a handful of ops, a runner of CPU segments, and a GPU delegate that computes with the same ops.
import {
  type CompileOptions,
  type CpuTensor,
  DeviceError,
  type DeviceStats,
  type DrawTime,
  type Executable,
  type GpuDelegate,
  type Graph,
  type InferInput,
  type InputSource,
  type LinearTexture,
  type Node,
  type NumericData,
  newData,
  type OpSpec,
  sizeOf,
  type TensorData,
  type TensorType,
} from '../../../delegate/index.js';
import type { SegmentRunner } from '../../../src/runtime/execution.js';
import type { Device, SessionContext } from '../../../src/runtime/session.js';

const numbers = (tensor: InferInput | undefined) => Array.from(tensor!.data as ArrayLike<number | bigint>, Number);
const like = ({ shape, dtype }: TensorType) => ({ shape, dtype });

function pointwise(type: string, f: (...x: number[]) => number): OpSpec {
  return {
    type,
    infer: (inputs) => [
      like(
        inputs.reduce((a, b) => (b!.shape.length > a!.shape.length || sizeOf(b!.shape) > sizeOf(a!.shape) ? b : a))!,
      ),
    ],
    cpu(inputs, _attrs, [output]) {
      const data = newData(output!.dtype, sizeOf(output!.shape)) as Float32Array;
      const operands = inputs.map(numbers);
      return [data.map((_, i) => f(...operands.map((values) => values[i % values.length]!)))];
    },
  };
}

/** ABS, NEG, ADD, SHAPE, RESHAPE, COUNT_UP (a variable), NONZERO (its size is known only when it has run), TEXT. */
const specs: readonly OpSpec[] = [
  pointwise('ABS', Math.abs),
  pointwise('NEG', (x) => -x),
  pointwise('ADD', (x, y) => x + y),
  pointwise('CUMSUM', (x) => x),
  {
    type: 'SHAPE',
    infer: ([x]) => [{ shape: [x!.shape.length], dtype: 'int32' }],
    cpu: ([x]) => [Int32Array.from(x!.shape)],
  },
  {
    type: 'RESHAPE',
    infer([x, to]) {
      if (!to!.data) return [undefined];
      const shape = Array.from(to!.data as Int32Array);
      const rest = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
      return [{ shape: shape.map((size) => (size === -1 ? sizeOf(x!.shape) / rest : size)), dtype: x!.dtype }];
    },
    cpu: ([x]) => [x!.data.slice() as TensorData],
  },
  {
    type: 'COUNT_UP',
    infer: ([, state]) => [like(state!)],
    cpu([step, state]) {
      const values = state!.data as Float32Array;
      values.forEach((value, i) => {
        values[i] = value + numbers(step)[0]!;
      });
      return [values.slice()];
    },
  },
  {
    type: 'NONZERO',
    infer: ([x]) => [x!.data ? { shape: [numbers(x).filter(Boolean).length], dtype: x!.dtype } : undefined],
    cpu: ([x]) => [Float32Array.from(numbers(x).filter(Boolean))],
  },
  { type: 'TEXT', infer: ([x]) => [like(x!)], cpu: ([x]) => [[...(x!.data as readonly Uint8Array[])].reverse()] },
];

/** The ops by type. */
export const fakeOps: ReadonlyMap<string, OpSpec> = new Map(specs.map((spec) => [spec.type, spec]));

/** Runs nodes one by one with `fakeOps`, shapes inferred from what is there. */
export const fakeRunner: SegmentRunner = {
  run(graph, inputs) {
    const tensors = new Map(graph.inputs.map((value, i) => [value, inputs[i]!]));
    for (const node of graph.nodes) {
      const read = node.inputs.map((value) => value && (value.data ? (value as CpuTensor) : tensors.get(value)));
      const spec = fakeOps.get(node.type)!;
      const types = spec.infer(read, node.attrs, node.outputs) as TensorType[];
      const data = spec.cpu!(read, node.attrs, types);
      for (const [i, value] of node.outputs.entries()) tensors.set(value, { ...types[i]!, data: data[i]! });
    }
    return graph.outputs.map((value) => tensors.get(value)!);
  },
};

/** A GPU that computes with `fakeRunner`. Counts what a real one would hold. */
export class FakeGpu implements GpuDelegate, Device {
  readonly gl = { isContextLost: () => this.lost } as WebGL2RenderingContext;
  readonly declined: readonly string[];
  /** Types of nodes that compiling fails at. */
  readonly failing: readonly string[];
  compiled = 0;
  /** Whether the last compilation was told to expect other shapes. */
  shapesVary = false;
  blockingReads = 0;
  runs = 0;
  inFlight = 0;
  mostInFlight = 0;
  executables = 0;
  lost = false;
  lossCount = 0;

  constructor({ declined = [], failing = [] }: { declined?: readonly string[]; failing?: readonly string[] } = {}) {
    this.declined = declined;
    this.failing = failing;
  }

  delegate(): GpuDelegate {
    return this;
  }

  isLost(): boolean {
    return this.lost;
  }

  losses(): number {
    return this.lossCount;
  }

  declines(node: Node): string | undefined {
    return this.declined.includes(node.type) ? `the GPU has no ${node.type}` : undefined;
  }

  async compile(graph: Graph, { onProgress, signal, shapesVary }: CompileOptions = {}): Promise<Executable> {
    await later();
    signal?.throwIfAborted();
    onProgress?.(0.5);
    return this.compileSync(graph, shapesVary);
  }

  compileSync(graph: Graph, shapesVary = false): Executable {
    const culprit = graph.nodes.find(({ type }) => this.failing.includes(type));
    if (culprit) throw new DeviceError(`${culprit.type} does not compile`, culprit.id);
    this.compiled++;
    this.shapesVary = shapesVary;
    this.executables++;
    return new FakeExecutable(graph, this);
  }

  stats(): DeviceStats {
    const { executables } = this;
    return {
      textures: executables,
      textureBytes: 16 * executables,
      buffers: 0,
      programs: 0,
      framebuffers: 0,
      executables,
    };
  }
}

class FakeExecutable implements Executable {
  readonly inputs: Graph['inputs'];
  readonly outputs: Graph['outputs'];
  readonly stats = {
    draws: 1,
    programs: 1,
    activationBytes: 16,
    weightBytes: 4,
    lowerBoundBytes: 16,
    precision: 'float32' as const,
    restored: false,
  };
  readonly #graph: Graph;
  readonly #gpu: FakeGpu;
  #results: readonly CpuTensor[] = [];
  #disposed = false;

  constructor(graph: Graph, gpu: FakeGpu) {
    this.#graph = graph;
    this.#gpu = gpu;
    this.inputs = graph.inputs;
    this.outputs = graph.outputs;
  }

  run(inputs: readonly InputSource[], wanted: readonly number[] = []): readonly Promise<NumericData>[] {
    if (this.#disposed) throw new DeviceError('this executable is disposed');
    this.#gpu.runs++;
    this.#results = fakeRunner.run(
      this.#graph,
      this.inputs.map((value, i) => ({ ...value, data: valuesOf(inputs[i]!) })),
    );
    return wanted.map((position) => this.readAsync(position));
  }

  read(position: number): NumericData {
    this.#gpu.blockingReads++;
    return this.#results[position]!.data as NumericData;
  }

  async readAsync(position: number): Promise<NumericData> {
    const { data } = this.#results[position]!;
    this.#gpu.inFlight++;
    this.#gpu.mostInFlight = Math.max(this.#gpu.mostInFlight, this.#gpu.inFlight);
    await later();
    this.#gpu.inFlight--;
    return data as NumericData;
  }

  readTexture(position: number, target: LinearTexture): void {
    Object.assign(target.texture, { values: this.#results[position]!.data });
  }

  linearSize(): { width: number; height: number } {
    return { width: 1, height: 1 };
  }

  async profile(): Promise<readonly DrawTime[]> {
    return this.#graph.nodes.map((node) => ({
      node,
      kernel: 'fake',
      milliseconds: 1,
      multiplyAdds: 0,
      source: 'fence',
    }));
  }

  dispose(): void {
    if (!this.#disposed) this.#gpu.executables--;
    this.#disposed = true;
  }
}

function valuesOf(source: InputSource): NumericData {
  return 'texture' in source
    ? (source.texture as unknown as { values: Float32Array }).values
    : (source.slice() as NumericData);
}

function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** A session's surroundings with the fakes. */
export function fakeContext(device: FakeGpu | undefined, more: Partial<SessionContext> = {}): SessionContext {
  return {
    ops: fakeOps,
    canonicalize: (graph) => graph,
    runner: fakeRunner,
    fallback: 'op',
    maxPartitions: 0,
    experimentalFlags: 1,
    dynamicBatch: false,
    ...(device ? { device } : { whyNoGpu: "delegate is 'cpu'" }),
    ...more,
  };
}
