import { DeviceError } from '../errors.js';
import type { LinearTexture } from '../executable.js';
import { type Node, quoted, type Value } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import { forms } from '../kernels/index.js';
import { isLinear, type Layout } from '../layout/layout.js';
import type { Plan } from '../plan/plan.js';
import type { Shader } from '../shader/kernel.js';
import { Arena } from './arena.js';
import { type Command, linkCommands, packParams, placedShaders } from './commands.js';
import type { Device, OwnedTexture } from './device.js';
import type { ProgramCache } from './program.js';

/** Fills one input of an executable from a dense texture on the GPU: a copy, and a draw where layouts differ. Made on first use. */
export class Import {
  /** The dense form: what a LinearTexture must have as its size. */
  readonly layout: Layout;
  readonly commands: readonly Command[] = [];
  readonly params: WebGLBuffer | undefined;
  readonly #name: string;
  readonly #device: Device;
  readonly #programs: ProgramCache;
  readonly #shaders: readonly Shader[] = [];
  readonly #linear: OwnedTexture;
  readonly #owned: boolean;
  readonly #source: WebGLFramebuffer;

  constructor(
    device: Device,
    programs: ProgramCache,
    plan: Plan,
    value: Value,
    texture: OwnedTexture,
    framebuffer: WebGLFramebuffer,
  ) {
    const { gl } = device;
    this.#name = value.name;
    this.#device = device;
    this.#programs = programs;
    const flat: Value = { id: -1, name: value.name, shape: [sizeOf(value.shape)], dtype: value.dtype };
    this.layout = plan.layoutOf(flat);
    this.#source = gl.createFramebuffer()!;
    device.count('framebuffers', 1);
    this.#owned = !isLinear(plan.layoutOf(value));
    this.#linear = texture;
    if (!this.#owned) return;
    this.#linear = device.createTexture({ ...this.layout, layers: 1, half: false });
    const node: Node = { id: -1, type: 'RESHAPE', attrs: {}, inputs: [flat], outputs: [value] };
    const kernels = forms.get('RESHAPE')!.build(node, { target: plan.target, scratch: () => flat });
    const textureOf = (v: Value) => (v === flat ? this.#linear : texture);
    const arena = new Arena(device, plan.target);
    this.#shaders = placedShaders(plan, kernels, textureOf, arena);
    for (const shader of this.#shaders) programs.acquire(shader);
    const programOf = (shader: Shader) => programs.get(shader.source);
    const { data, offsets } = packParams(this.#shaders, device.capabilities.uniformAlignment);
    this.params = device.createBuffer(gl.UNIFORM_BUFFER, data, gl.STATIC_DRAW);
    const resources = { textureOf, framebufferOf: () => framebuffer, programOf, arena };
    this.commands = linkCommands(plan, this.#shaders, offsets, device, resources);
  }

  /** Copies the source into the dense texture; the caller then issues `commands`. */
  copy({ texture, width, height }: LinearTexture): void {
    const { gl } = this.#device;
    if (width !== this.layout.width || height < this.layout.height)
      throw new DeviceError(
        `the texture is ${width}x${height}; input ${quoted(this.#name)} takes ${this.layout.width}x${this.layout.height} (linearSize)`,
      );
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.#source);
    gl.framebufferTexture2D(gl.READ_FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    gl.readBuffer(gl.COLOR_ATTACHMENT0);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#linear.texture);
    gl.copyTexSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, 0, 0, 0, this.layout.width, this.layout.height);
    gl.framebufferTexture2D(gl.READ_FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, null, 0);
  }

  dispose(): void {
    this.#device.deleteFramebuffer(this.#source);
    if (this.params) this.#device.deleteBuffer(this.params);
    for (const { source } of this.#shaders) this.#programs.release(source);
    if (this.#owned) this.#device.deleteTexture(this.#linear);
  }
}
