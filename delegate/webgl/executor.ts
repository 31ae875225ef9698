import { DeviceError } from '../errors.js';
import type { DrawTime, Executable, ExecutableStats, InputSource, LinearTexture } from '../executable.js';
import type { DType, NumericData } from '../ir/dtype.js';
import type { Value } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import { floatsOf, type Layout, packTexels, type Rect } from '../layout/layout.js';
import { areHalves } from '../layout/weights.js';
import type { Plan } from '../plan/plan.js';
import { type Kernel, type Shader, UNIFORM_BLOCK_TEXELS } from '../shader/kernel.js';
import { Arena } from './arena.js';
import { type Command, linkCommands, packParams, placedShaders, type Resources } from './commands.js';
import { fromFloats, toFloats } from './convert.js';
import type { Device, OwnedTexture } from './device.js';
import { isPassed, Pace } from './fence.js';
import { Import } from './import.js';
import type { ProgramCache } from './program.js';

const NONE: readonly Promise<NumericData>[] = [];

/** Milliseconds between questions whether the driver has compiled: each takes a while. */
const ASKING = 8;

/** What a draw of the warm-up covers. */
const ONE_PIXEL: readonly Rect[] = [{ x: 0, y: 0, width: 1, height: 1 }];

/** How an input is uploaded, made when it first is. */
interface Upload {
  readonly texture: WebGLTexture;
  readonly layout: Layout;
  readonly dtype: DType;
  readonly texels: Float32Array;
}

/** The dense form of an output: the texels to read, and how many of their floats count. */
interface Readable {
  readonly value: Value;
  readonly width: number;
  readonly height: number;
  readonly size: number;
}

/** A plan linked to a device: textures, programs and the static list of commands. */
export class Executor implements Executable {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly #device: Device;
  readonly #programs: ProgramCache;
  readonly plan: Plan;
  readonly #arena: Arena;
  readonly #textures: OwnedTexture[] = [];
  /** By texture and layers: a value may take fewer layers than its texture has. */
  readonly #framebuffers = new Map<string, WebGLFramebuffer>();
  /** The same by value, for every run. */
  readonly #framebufferOfValue = new Map<Value, WebGLFramebuffer>();
  readonly #constants = new Map<Value, OwnedTexture>();
  readonly #kernels: readonly Kernel[];
  /** What the kernels run, once their weights are placed. */
  #shaders: readonly Shader[] = [];
  readonly #uploads: Upload[] = [];
  readonly #readables: readonly Readable[];
  /** Pixel buffers that wait for the next read, by output. */
  readonly #packs: WebGLBuffer[][] = [];
  readonly #imports = new Map<number, Import>();
  readonly #pace = new Pace();
  #commands: readonly Command[] = [];
  #params: WebGLBuffer | undefined;
  #acquired = 0;
  /** Passed once the draws of the warm-up are done. */
  #warm: WebGLSync | null = null;
  /** Aborted by `dispose`. */
  readonly #life = new AbortController();
  #afterAnswer: ((life: AbortSignal) => void) | undefined;

  constructor(device: Device, programs: ProgramCache, plan: Plan) {
    this.#device = device;
    this.#programs = programs;
    this.plan = plan;
    this.#arena = new Arena(device, plan.target);
    this.#kernels = plan.draws.map((d) => d.kernel);
    this.inputs = plan.inputs;
    this.outputs = plan.outputs;
    this.#readables = plan.readable.map((value, i) => {
      const { width, height } = plan.layoutOf(value);
      return { value, width, height, size: sizeOf(this.outputs[i]!.shape) };
    });
    device.count('executables', 1);
  }

  get stats(): ExecutableStats {
    return {
      draws: this.#kernels.length,
      programs: new Set(this.#shaders.map(({ source }) => source)).size,
      activationBytes: this.plan.activationBytes,
      weightBytes: this.#arena.bytes + [...this.#constants.values()].reduce((sum, t) => sum + t.bytes, 0),
      lowerBoundBytes: this.plan.lowerBoundBytes,
      precision: this.plan.precision,
      restored: this.plan.restored,
    };
  }

  /**
   * Builds everything; yields between pieces of work, `'wait'` while the driver compiles. On failure nothing is left
   * behind. `blocking` is for callers who never give the page a turn.
   */
  *link(blocking = false): Generator<'work' | 'wait'> {
    try {
      yield* this.#link(blocking);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  *#link(blocking: boolean): Generator<'work' | 'wait'> {
    for (const _ of this.#arena.place(this.#kernels)) yield 'work';
    this.#shaders = placedShaders(this.plan, this.#kernels, (v) => this.#sizeOf(v), this.#arena);
    for (const shader of this.#shaders) {
      this.#programs.acquire(shader);
      this.#acquired++;
      yield 'work';
    }
    this.#guarded(() => this.#arena.allocate());
    yield 'work';
    for (const value of this.plan.constants) {
      this.#guarded(() => this.#constants.set(value, this.#allocateConstant(value)));
      yield 'work';
    }
    yield* this.#allocate(blocking);
    let asked = 0;
    for (const piece of this.#makeConstants()) {
      if (!blocking && !this.#params && performance.now() - asked > ASKING) {
        if (this.#programs.areReady(this.#shaders)) yield* this.#warmUp();
        asked = performance.now();
      }
      // An upload behind draws that still compile would block the page until they are done.
      while (piece && this.#warm && !isPassed(this.#device, this.#warm)) yield 'wait';
      if (piece) this.#guarded(() => piece.upload());
      yield 'work';
    }
    while (!this.#programs.areReady(this.#shaders)) yield 'wait';
    if (blocking) this.#resolve();
    else if (!this.#params) yield* this.#warmUp();
    while (this.#warm && !isPassed(this.#device, this.#warm)) yield 'wait';
    this.#device.check('compile');
  }

  /**
   * Runs every draw on one pixel: drivers make a program's machine code when it is first drawn with, which takes longer
   * than all else, and which the GPU process can do while weights are packed here.
   */
  *#warmUp(): Generator<'work' | 'wait'> {
    const { gl } = this.#device;
    yield* this.#idle();
    for (const { source } of this.#shaders) if (this.#programs.link(source)) yield 'work';
    this.#resolve();
    yield 'work';
    const ofOnePixel = this.#commands.map((command) => ({ ...command, rects: ONE_PIXEL }));
    this.#guarded(() => this.#draw(ofOnePixel, this.#params!));
    this.#warm = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
  }

  /** Waits until the GPU process has done its work: what asks it something would block the page until then. */
  *#idle(): Generator<'wait'> {
    const { gl } = this.#device;
    const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!sync) return;
    gl.flush();
    do yield 'wait';
    while (!isPassed(this.#device, sync));
    gl.deleteSync(sync);
  }

  /** Resolves the draws to commands. */
  #resolve(): void {
    const { gl } = this.#device;
    const resources: Resources = {
      textureOf: (v) => this.#textureOf(v),
      framebufferOf: (v) => this.#framebufferOf(v),
      programOf: ({ source }) => this.#programs.get(source),
      arena: this.#arena,
    };
    const { data, offsets } = packParams(this.#shaders, this.#device.capabilities.uniformAlignment);
    this.#params = this.#guarded(() => this.#device.createBuffer(gl.UNIFORM_BUFFER, data, gl.STATIC_DRAW));
    this.#commands = linkCommands(this.plan, this.#shaders, offsets, this.#device, resources);
  }

  /** Calls back once, after an output was read for the first time, with a signal that is aborted by `dispose`. */
  afterFirstAnswer(then: (life: AbortSignal) => void): void {
    this.#afterAnswer = then;
  }

  #answered(): void {
    const then = this.#afterAnswer;
    this.#afterAnswer = undefined;
    then?.(this.#life.signal);
  }

  get #disposed(): boolean {
    return this.#life.signal.aborted;
  }

  /** Every piece of work that is issued goes through here. */
  #guarded<T>(body: () => T): T {
    this.#device.fences.expectMore();
    return this.#device.guard.run(body);
  }

  #framebufferOf(value: Value): WebGLFramebuffer {
    const known = this.#framebufferOfValue.get(value);
    if (known) return known;
    const { layers } = this.plan.layoutOf(value);
    const key = `${this.plan.textureOf.get(value)}:${layers}`;
    let framebuffer = this.#framebuffers.get(key);
    if (!framebuffer) {
      framebuffer = this.#device.createFramebuffer({ ...this.#textureOf(value), layers });
      this.#framebuffers.set(key, framebuffer);
    }
    this.#framebufferOfValue.set(value, framebuffer);
    return framebuffer;
  }

  /** The size of a value's texture, which need not be there yet. */
  #sizeOf(value: Value): { readonly width: number; readonly height: number } {
    const texture = this.plan.textureOf.get(value);
    return texture === undefined ? this.plan.layoutOf(value) : this.plan.textures[texture]!;
  }

  #textureOf(value: Value): OwnedTexture {
    const texture = this.#constants.get(value) ?? this.#textures[this.plan.textureOf.get(value)!];
    if (!texture) throw new DeviceError(`"${value.name}" has no texture in this plan`);
    return texture;
  }

  *#allocate(blocking: boolean): Generator<'work' | 'wait'> {
    const { gl } = this.#device;
    for (const texture of this.plan.textures) {
      this.#guarded(() => this.#textures.push(this.#device.createTexture(texture)));
      yield 'work';
    }
    for (const { kernel } of this.plan.draws) {
      if (this.#framebufferOfValue.has(kernel.output)) continue;
      this.#guarded(() => this.#framebufferOf(kernel.output));
      yield 'work';
    }
    // Before anything uses what was allocated: errors that follow from it would be told first.
    if (!blocking) yield* this.#idle();
    if (gl.getError() === gl.OUT_OF_MEMORY)
      throw new DeviceError(
        `out of GPU memory: this model needs ${this.plan.activationBytes + this.#arena.bytes} bytes of textures; dispose other models or use precisionLossAllowed`,
      );
  }

  /** The texture of a constant, still empty. */
  #allocateConstant(value: Value): OwnedTexture {
    const half = this.plan.target.halfWeights && areHalves(toFloats(value.data as NumericData, value.dtype));
    return this.#device.createTexture({ ...this.plan.layoutOf(value), half });
  }

  /** The texels of all constants, made in pieces of work; `upload` puts what is complete into its texture. */
  *#makeConstants(): Generator<{ upload(): void } | undefined> {
    yield* this.#arena.pack();
    for (const [value, { texture }] of this.#constants) {
      const layout = this.plan.layoutOf(value);
      const texels = new Float32Array(floatsOf(layout));
      packTexels(toFloats(value.data as NumericData, value.dtype), layout, texels);
      yield { upload: () => this.#uploadTexels(texture, layout, texels) };
    }
  }

  run(inputs: readonly InputSource[], wanted: readonly number[] = []): readonly Promise<NumericData>[] {
    this.#expectAlive();
    this.#device.check('run');
    return this.#guarded(() => {
      for (let i = 0; i < inputs.length; i++) this.#fill(i, inputs[i]!);
      this.#draw(this.#commands, this.#params!);
      return this.#ask(wanted);
    });
  }

  #fill(position: number, source: InputSource): void {
    if ('texture' in source) {
      const made = this.#import(position);
      made.copy(source);
      if (made.params) this.#draw(made.commands, made.params);
    } else this.#upload(position, source);
  }

  /** The texels are copied to the browser's own transfer memory: another copy to a pixel buffer would save no wait. */
  #upload(position: number, data: NumericData): void {
    this.#uploads[position] ??= this.#uploadOf(position);
    const { texture, layout, dtype, texels } = this.#uploads[position]!;
    packTexels(toFloats(data, dtype), layout, texels);
    this.#uploadTexels(texture, layout, texels);
  }

  #uploadTexels(texture: WebGLTexture, { width, height, layers }: Layout, texels: Float32Array): void {
    const { gl } = this.#device;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, 0, width, height, layers, gl.RGBA, gl.FLOAT, texels);
  }

  #uploadOf(position: number): Upload {
    const value = this.#input(position);
    const layout = this.plan.layoutOf(value);
    const { texture } = this.#textureOf(value);
    return { texture, layout, dtype: value.dtype, texels: new Float32Array(floatsOf(layout)) };
  }

  #input(position: number): Value {
    this.#expectAlive();
    const value = this.inputs[position];
    if (!value) throw new RangeError(`input ${position}: this executable has ${this.inputs.length}`);
    return value;
  }

  #expectAlive(): void {
    if (this.#disposed) throw new DeviceError('this executable is disposed');
  }

  /** Counts with indices: iterators would be garbage of every draw. */
  #draw(commands: readonly Command[], params: WebGLBuffer): void {
    const { gl } = this.#device;
    gl.bindVertexArray(this.#device.vertexArray);
    for (let i = 0; i < commands.length; i++) {
      const c = commands[i]!;
      if (c.program) gl.useProgram(c.program);
      gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, c.framebuffer);
      for (let k = 0; k < c.binds.length; k++) {
        gl.activeTexture(c.binds[k]!.unit);
        gl.bindTexture(c.binds[k]!.target, c.binds[k]!.texture);
      }
      for (let k = 0; k < c.samplers.length; k++) gl.uniform1i(c.samplers[k]!.location, c.samplers[k]!.unit);
      gl.bindBufferRange(gl.UNIFORM_BUFFER, 0, params, c.paramOffset, c.paramBytes);
      if (c.weightsOffset >= 0)
        gl.bindBufferRange(gl.UNIFORM_BUFFER, 1, this.#arena.uniforms!, c.weightsOffset, UNIFORM_BLOCK_TEXELS * 16);
      for (let k = 0; k < c.rects.length; k++) {
        const { x, y, width, height } = c.rects[k]!;
        if (k > 0 && c.isLong) gl.flush();
        gl.viewport(x, y, width, height);
        gl.drawArrays(gl.TRIANGLES, 0, 3);
      }
    }
  }

  #readable(position: number): Readable {
    this.#expectAlive();
    const readable = this.#readables[position];
    if (!readable) throw new RangeError(`output ${position}: this executable has ${this.outputs.length}`);
    return readable;
  }

  #bindForRead(value: Value): void {
    const { gl } = this.#device;
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.#framebufferOf(value));
    gl.readBuffer(gl.COLOR_ATTACHMENT0);
  }

  read(position: number): NumericData {
    const { value, width, height, size } = this.#readable(position);
    const { gl } = this.#device;
    const texels = new Float32Array(width * height * 4);
    this.#guarded(() => {
      this.#bindForRead(value);
      gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, texels);
    });
    this.#device.check('read');
    this.#answered();
    return fromFloats(texels, size, value.dtype);
  }

  readAsync(position: number): Promise<NumericData> {
    return this.#guarded(() => this.#ask([position]))[0]!;
  }

  /** Queues copies of outputs to pixel buffers, behind the draws so far, and fetches them once a fence behind them is passed. */
  #ask(positions: readonly number[]): readonly Promise<NumericData>[] {
    if (positions.length === 0) return NONE;
    const buffers = positions.map((position) => this.#copyOut(position));
    const passed = this.#device.fences.set('readAsync', this.#pace);
    return positions.map((position, i) => this.#fetch(position, this.#readable(position), buffers[i]!, passed));
  }

  #copyOut(position: number): WebGLBuffer {
    const { value, width, height } = this.#readable(position);
    const { gl } = this.#device;
    const free = this.#packs[position]?.pop();
    // Without new storage Chromium warns at every run that it discards what it kept of the last one.
    const buffer = this.#device.createBuffer(gl.PIXEL_PACK_BUFFER, width * height * 16, gl.STREAM_READ, free);
    this.#bindForRead(value);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, 0);
    return buffer;
  }

  async #fetch(
    position: number,
    { value, width, height, size }: Readable,
    buffer: WebGLBuffer,
    passed: Promise<void>,
  ): Promise<NumericData> {
    const { gl } = this.#device;
    try {
      await passed;
      const texels = new Float32Array(width * height * 4);
      const bound = gl.getParameter(gl.PIXEL_PACK_BUFFER_BINDING) as WebGLBuffer | null;
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, texels);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, bound);
      this.#device.check('readAsync');
      this.#answered();
      return fromFloats(texels, size, value.dtype);
    } finally {
      if (this.#disposed) this.#device.deleteBuffer(buffer);
      else (this.#packs[position] ??= []).push(buffer);
    }
  }

  linearSize(kind: 'input' | 'output', position: number): { width: number; height: number } {
    if (kind === 'output') return this.#readable(position);
    const { width, height } = this.#import(position).layout;
    return { width, height };
  }

  readTexture(position: number, target: LinearTexture): void {
    const { value, width, height } = this.#readable(position);
    if (target.width !== width || target.height < height)
      throw new DeviceError(
        `readTexture: the target is ${target.width}x${target.height}; output ${position} fills ${width}x${height} (linearSize)`,
      );
    const { gl } = this.#device;
    this.#guarded(() => {
      this.#bindForRead(value);
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, target.texture);
      gl.copyTexSubImage2D(gl.TEXTURE_2D, 0, 0, 0, 0, 0, width, height);
    });
  }

  #import(position: number): Import {
    const value = this.#input(position);
    let made = this.#imports.get(position);
    if (!made) {
      made = this.#guarded(
        () =>
          new Import(
            this.#device,
            this.#programs,
            this.plan,
            this.plan.storedAs(value),
            this.#textureOf(value),
            this.#framebufferOf(value),
          ),
      );
      this.#imports.set(position, made);
    }
    return made;
  }

  async profile(): Promise<readonly DrawTime[]> {
    const { gl } = this.#device;
    const times: DrawTime[] = [];
    // What was issued before is not the first draw's.
    await this.#device.fences.set('profile');
    this.#guarded(() => {
      this.plan.draws.forEach(({ node, kernel }, i) => {
        const start = performance.now();
        this.#draw([this.#commands[i]!], this.#params!);
        gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.#commands[i]!.framebuffer);
        gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.FLOAT, new Float32Array(4));
        times.push({
          node,
          kernel: kernel.name,
          milliseconds: performance.now() - start,
          multiplyAdds: kernel.multiplyAdds,
          source: 'fence',
        });
      });
    });
    return times;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#life.abort();
    for (const made of this.#imports.values()) made.dispose();
    for (const framebuffer of this.#framebuffers.values()) this.#device.deleteFramebuffer(framebuffer);
    for (const texture of [...this.#textures, ...this.#constants.values()]) this.#device.deleteTexture(texture);
    for (const buffer of this.#packs.flat()) this.#device.deleteBuffer(buffer);
    if (this.#params) this.#device.deleteBuffer(this.#params);
    this.#arena.dispose();
    this.#device.gl.deleteSync(this.#warm);
    for (const { source } of this.#shaders.slice(0, this.#acquired)) this.#programs.release(source);
    this.#device.count('executables', -1);
  }
}
