import type { NumericData } from './ir/dtype.js';
import type { Graph, Node, Value } from './ir/graph.js';

/** Figures of one compiled graph; bytes are of texture memory. */
export interface ExecutableStats {
  readonly draws: number;
  readonly programs: number;
  readonly activationBytes: number;
  readonly weightBytes: number;
  /** The shared-objects lower bound of `activationBytes`. */
  readonly lowerBoundBytes: number;
  /** What is in force after limits of the device: half-float textures may be absent. */
  readonly precision: 'float32' | 'float16';
  /** The plan and the packed weights were kept from an earlier visit (ENABLE_SERIALIZATION). */
  readonly restored: boolean;
}

/** Live GL objects of a delegate. All return to their start when every executable is disposed. */
export interface DeviceStats {
  readonly textures: number;
  readonly textureBytes: number;
  readonly buffers: number;
  /** Those in use. Some others are kept while any is. */
  readonly programs: number;
  readonly framebuffers: number;
  readonly executables: number;
}

/** Time of one draw of `Executable.profile`. */
export interface DrawTime {
  readonly node: Node;
  readonly kernel: string;
  readonly milliseconds: number;
  readonly multiplyAdds: number;
  /** `timer`: GPU timer query; `fence`: wall time around a fence. */
  readonly source: 'timer' | 'fence';
}

/** A dense RGBA float texture: element i of the tensor is channel i % 4 of texel ⌊i / 4⌋, row by row. */
export interface LinearTexture {
  readonly texture: WebGLTexture;
  readonly width: number;
  readonly height: number;
}

/** What fills an input: its dtype's typed array (at least as many as its elements), or a linear texture of the same context. */
export type InputSource = NumericData | LinearTexture;

/** One compiled graph: a static list of draws. Owns its textures until disposed. */
export interface Executable {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly stats: ExecutableStats;
  /** Size of the linear texture that an input takes and that `readTexture` fills for an output. */
  linearSize(kind: 'input' | 'output', position: number): { readonly width: number; readonly height: number };
  /**
   * Copies the inputs, issues all draws, and asks for the outputs at `wanted`. Returns before the GPU is done; a later
   * run does not change what was asked for. The promises resolve in order of runs and reject with ContextLostError.
   * Throws DeviceError for a texture of another size than `linearSize`.
   */
  run(inputs: readonly InputSource[], wanted?: readonly number[]): readonly Promise<NumericData>[];
  /** Reads output `position` of the last run; blocks until the GPU is done. */
  read(position: number): NumericData;
  /** Asks for output `position` of the last run, as `run` does. */
  readAsync(position: number): Promise<NumericData>;
  /** Copies output `position` into a linear float32 texture that the caller owns. Throws DeviceError for another size. */
  readTexture(position: number, target: LinearTexture): void;
  /** Runs once with a time per draw. */
  profile(): Promise<readonly DrawTime[]>;
  dispose(): void;
}

export interface CompileOptions {
  /** Gets 0 … 1. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The same model was and will be compiled with other shapes: programs that do for all take longer to compile once. */
  readonly shapesVary?: boolean;
}

/** Compiles graphs for one WebGL2 context. */
export interface GpuDelegate {
  readonly gl: WebGL2RenderingContext;
  /** Why the GPU cannot take this node; `undefined` when it can. */
  declines(node: Node): string | undefined;
  /** Compiles without blocking the page: programs are compiled in parallel. */
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  /** The same, blocking. */
  compileSync(graph: Graph, shapesVary?: boolean): Executable;
  stats(): DeviceStats;
}
