import { debug } from '../debug.js';
import { DeviceError } from '../errors.js';
import type { Kernel, Shader } from '../shader/kernel.js';
import type { Device } from './device.js';

const COMPLETION_STATUS_KHR = 0x91b1;

/** How many programs that no executable uses are kept while others are in use: a model loaded again starts at once. */
const MOST_IDLE = 64;

/** A linked program and where its samplers are. */
export interface Program {
  readonly program: WebGLProgram;
  /** Location of x0, x1, …; the sampler of the arena is last where the kernel has one. */
  readonly samplers: readonly (WebGLUniformLocation | null)[];
}

interface Entry {
  readonly program: WebGLProgram;
  readonly fragment: WebGLShader;
  readonly inputs: number;
  readonly storage: Kernel['storage'];
  readonly name: string;
  uses: number;
  ready?: boolean;
  linked?: Program;
}

/** Programs of one device by shader text, shared between executables and counted. */
export class ProgramCache {
  readonly #device: Device;
  readonly #entries = new Map<string, Entry>();
  /** Texts of programs without use, the one that has been for longest first. */
  readonly #idle = new Set<string>();
  /** By text; there are a handful. */
  readonly #vertices = new Map<string, WebGLShader>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** Starts compiling; asks the driver nothing. Each call is one use, given back by `release`. */
  acquire({ kernel, source, vertex: vertexSource }: Shader): void {
    const { name, inputs, storage } = kernel;
    const known = this.#entries.get(source);
    if (known) {
      known.uses++;
      if (this.#idle.delete(source)) this.#device.count('programs', 1);
      return;
    }
    const { gl } = this.#device;
    debug(3, () => `${name}\n${numbered(source)}`);
    const vertex = this.#vertices.get(vertexSource) ?? compile(gl, gl.VERTEX_SHADER, vertexSource);
    this.#vertices.set(vertexSource, vertex);
    const fragment = compile(gl, gl.FRAGMENT_SHADER, source);
    const program = gl.createProgram();
    if (!program) {
      this.#device.check('createProgram');
      throw new DeviceError('the context gave no program');
    }
    gl.attachShader(program, vertex);
    gl.attachShader(program, fragment);
    gl.linkProgram(program);
    this.#device.count('programs', 1);
    this.#entries.set(source, { program, fragment, uses: 1, inputs: inputs.length, storage, name });
  }

  /** Whether the driver has finished all of them; true where it cannot tell, and then `get` blocks. */
  areReady(shaders: readonly Shader[]): boolean {
    const { gl, capabilities } = this.#device;
    return shaders.every(({ source }) => {
      const entry = this.#entries.get(source);
      if (!entry || entry.ready || !capabilities.parallelCompile || gl.isContextLost()) return true;
      entry.ready = Boolean(gl.getProgramParameter(entry.program, COMPLETION_STATUS_KHR));
      return entry.ready;
    });
  }

  /** Asks the driver for what `get` gives; false where it was asked before. */
  link(source: string): boolean {
    if (this.#entries.get(source)!.linked) return false;
    this.get(source);
    return true;
  }

  /** The linked program. Throws DeviceError with the numbered source when the driver refuses it. */
  get(source: string): Program {
    const entry = this.#entries.get(source)!;
    entry.linked ??= this.#link(source, entry);
    return entry.linked;
  }

  #link(source: string, { program, fragment, inputs, storage, name }: Entry): Program {
    const { gl } = this.#device;
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      this.#device.check('linkProgram');
      const log = [gl.getShaderInfoLog(fragment), gl.getProgramInfoLog(program)].filter(Boolean).join('\n');
      throw new DeviceError(`kernel ${name} does not compile: ${log}\n${numbered(source)}`);
    }
    // Parameters are at the first binding point as all blocks are by default: to ask for their index would cost another answer.
    if (storage === 'uniform') gl.uniformBlockBinding(program, gl.getUniformBlockIndex(program, 'Weights'), 1);
    const names = [...Array.from({ length: inputs }, (_, i) => `x${i}`), 'weights'];
    return { program, samplers: names.map((n) => gl.getUniformLocation(program, n)) };
  }

  /** Gives one use back. Programs without use are kept while there are others in use, and deleted with the last of them. */
  release(source: string): void {
    const entry = this.#entries.get(source);
    if (!entry || --entry.uses > 0) return;
    this.#idle.add(source);
    this.#device.count('programs', -1);
    const kept = this.#idle.size < this.#entries.size ? MOST_IDLE : 0;
    for (const oldest of this.#idle) {
      if (this.#idle.size <= kept) return;
      this.#delete(oldest);
    }
    const { gl } = this.#device;
    for (const vertex of this.#vertices.values()) gl.deleteShader(vertex);
    this.#vertices.clear();
  }

  #delete(source: string): void {
    const { gl } = this.#device;
    const { program, fragment } = this.#entries.get(source)!;
    gl.deleteProgram(program);
    gl.deleteShader(fragment);
    this.#entries.delete(source);
    this.#idle.delete(source);
  }
}

function compile(gl: WebGL2RenderingContext, type: GLenum, source: string): WebGLShader {
  const shader = gl.createShader(type);
  if (!shader) throw new DeviceError('the context gave no shader');
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  return shader;
}

function numbered(source: string): string {
  return source
    .split('\n')
    .map((line, i) => `${String(i + 1).padStart(3)} ${line}`)
    .join('\n');
}
