import { ContextLostError, DeviceError } from '../errors.js';
import type { DeviceStats } from '../executable.js';
import type { RenderTargets } from '../layout/layout.js';
import { bytesOf } from '../plan/memory.js';
import type { PlannedTexture } from '../plan/plan.js';
import type { Target } from '../shader/target.js';
import { Fences } from './fence.js';
import { Guard } from './guard.js';

/** What a context can do, asked once. */
export interface Capabilities
  extends Pick<Target, 'maxTextureSize' | 'targets' | 'fetch' | 'varyings' | 'narrowest' | 'halfWeights'> {
  /** What the driver calls itself; browsers may hide it. */
  readonly renderer: string;
  /** Whether the GPU is emulated on the page's own processor. */
  readonly isSoftware: boolean;
  readonly textureUnits: number;
  readonly uniformAlignment: number;
  readonly float32Targets: boolean;
  readonly float16Targets: boolean;
  readonly parallelCompile: boolean;
  /**
   * Multiply-adds of a model from which minimal filtering is worth its three programs more. On llvmpipe models of 300 to 350 M
   * run no faster with it and load 1.1 to 1.2 times as long, and from 700 M on run 1.2 times as fast.
   */
  readonly filteringFrom: number;
  /**
   * Those from which parameters reach the fragments as varyings. SwiftShader takes a tenth to a fifth longer to compile them,
   * and runs are 2 % faster.
   */
  readonly varyingsFrom: number;
}

type Kind = 'textures' | 'buffers' | 'programs' | 'framebuffers' | 'executables';

/** A WebGL2 context, its capabilities, and counters of everything made on it. */
export class Device {
  readonly gl: WebGL2RenderingContext;
  readonly capabilities: Capabilities;
  /** Without attributes: vertices come from gl_VertexID. Lives as long as the context. */
  readonly vertexArray: WebGLVertexArrayObject | null;
  readonly guard: Guard;
  readonly fences = new Fences(this);
  readonly #counts: Record<Kind, number> = { textures: 0, buffers: 0, programs: 0, framebuffers: 0, executables: 0 };
  #textureBytes = 0;
  /**
   * Layers with which a framebuffer was found complete, by the bytes of a texel: asking waits for the GPU process and what
   * it compiles, and with fewer or smaller layers it is complete too.
   */
  readonly #complete = new Map<number, number>();

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    const probed = probe(gl);
    this.guard = new Guard(gl);
    this.vertexArray = gl.createVertexArray();
    if (!probed.float16Targets)
      throw new DeviceError(
        'this WebGL2 context renders to no float texture (EXT_color_buffer_float and EXT_color_buffer_half_float are absent)',
      );
    this.capabilities = {
      ...probed,
      targets: this.guard.run(() => this.#mostTargets(probed)),
    };
  }

  count(kind: Kind, change: 1 | -1): void {
    this.#counts[kind] += change;
  }

  stats(): DeviceStats {
    return { ...this.#counts, textureBytes: this.#textureBytes };
  }

  /** Throws ContextLostError when the context is lost. `during` names the call for the message. */
  check(during: string): void {
    if (this.gl.isContextLost()) throw new ContextLostError(during);
  }

  /** A texture with storage and nearest sampling, bound to unit 0. */
  createTexture(size: PlannedTexture, target: GLenum = this.gl.TEXTURE_2D_ARRAY): OwnedTexture {
    const { gl } = this;
    const { width, height, layers, half } = size;
    const texture = gl.createTexture();
    if (!texture)
      throw gl.isContextLost() ? new ContextLostError('createTexture') : new DeviceError('the context gave no texture');
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(target, texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, name, gl.NEAREST);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
    const format = half ? gl.RGBA16F : gl.RGBA32F;
    if (target === gl.TEXTURE_2D) gl.texStorage2D(target, 1, format, width, height);
    else gl.texStorage3D(target, 1, format, width, height, layers);
    const bytes = bytesOf(size);
    this.#textureBytes += bytes;
    this.count('textures', 1);
    return { texture, target, width, height, layers, bytes };
  }

  deleteTexture({ texture, bytes }: OwnedTexture): void {
    this.gl.deleteTexture(texture);
    this.#textureBytes -= bytes;
    this.count('textures', -1);
  }

  /** A buffer with these contents or of this many bytes, bound. `used`: one to take in place of a new one. */
  createBuffer(target: GLenum, data: ArrayBufferView | number, usage: GLenum, used?: WebGLBuffer): WebGLBuffer {
    const { gl } = this;
    const buffer = used ?? gl.createBuffer();
    if (!buffer)
      throw gl.isContextLost() ? new ContextLostError('createBuffer') : new DeviceError('the context gave no buffer');
    gl.bindBuffer(target, buffer);
    if (typeof data === 'number') gl.bufferData(target, data, usage);
    else gl.bufferData(target, data, usage);
    if (!used) this.count('buffers', 1);
    return buffer;
  }

  deleteBuffer(buffer: WebGLBuffer): void {
    this.gl.deleteBuffer(buffer);
    this.count('buffers', -1);
  }

  /** A framebuffer whose colour attachments are the layers of a texture; throws DeviceError where it is not complete. */
  createFramebuffer({ texture, width, height, layers, bytes }: OwnedTexture): WebGLFramebuffer {
    const { gl } = this;
    const framebuffer = gl.createFramebuffer();
    if (!framebuffer)
      throw gl.isContextLost()
        ? new ContextLostError('createFramebuffer')
        : new DeviceError('the context gave no framebuffer');
    this.count('framebuffers', 1);
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    const attachments = Array.from({ length: layers }, (_, i) => gl.COLOR_ATTACHMENT0 + i);
    for (const [layer, attachment] of attachments.entries()) {
      gl.framebufferTextureLayer(gl.FRAMEBUFFER, attachment, texture, 0, layer);
    }
    gl.drawBuffers(attachments);
    const texel = bytes / (width * height * layers);
    const isKnown = [...this.#complete].some(([size, most]) => size >= texel && most >= layers);
    const status = isKnown ? gl.FRAMEBUFFER_COMPLETE : gl.checkFramebufferStatus(gl.FRAMEBUFFER);
    if (status !== gl.FRAMEBUFFER_COMPLETE) {
      this.deleteFramebuffer(framebuffer);
      this.check('createFramebuffer');
      throw new DeviceError(
        `framebuffer of ${layers} layers is not complete (status 0x${status.toString(16)}); the device may allow fewer or smaller colour targets`,
      );
    }
    if (!isKnown) this.#complete.set(texel, layers);
    return framebuffer;
  }

  /** As many render targets, up to `targets`, as a framebuffer of the widest format may have: phones limit their bytes a pixel. */
  #mostTargets({ targets, float32Targets }: Pick<Capabilities, 'targets' | 'float32Targets'>): RenderTargets {
    const fitting = ([8, 4] as const).filter((layers) => layers <= targets);
    return fitting.find((layers) => this.#isWritable(!float32Targets, layers)) ?? 1;
  }

  #isWritable(half: boolean, layers: number): boolean {
    const texture = this.createTexture({ width: 1, height: 1, layers, half });
    try {
      this.deleteFramebuffer(this.createFramebuffer(texture));
      return true;
    } catch (error) {
      if (error instanceof ContextLostError) throw error;
      return false;
    } finally {
      this.deleteTexture(texture);
    }
  }

  deleteFramebuffer(framebuffer: WebGLFramebuffer): void {
    this.gl.deleteFramebuffer(framebuffer);
    this.count('framebuffers', -1);
  }
}

/** A texture and what it takes to bind and to free it. */
export interface OwnedTexture {
  readonly texture: WebGLTexture;
  readonly target: GLenum;
  readonly width: number;
  readonly height: number;
  readonly layers: number;
  readonly bytes: number;
}

function probe(gl: WebGL2RenderingContext): Capabilities {
  const float32Targets = gl.getExtension('EXT_color_buffer_float') !== null;
  const float16Targets = float32Targets || gl.getExtension('EXT_color_buffer_half_float') !== null;
  const unmasked = gl.getExtension('WEBGL_debug_renderer_info');
  const drawBuffers = Math.min(gl.getParameter(gl.MAX_DRAW_BUFFERS), gl.getParameter(gl.MAX_COLOR_ATTACHMENTS));
  const renderer = String(gl.getParameter(unmasked ? unmasked.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  const isSwiftShader = /swiftshader/i.test(renderer);
  const isSoftware = /swiftshader|llvmpipe|softpipe|software/i.test(renderer);
  return {
    renderer,
    isSoftware,
    maxTextureSize: gl.getParameter(gl.MAX_TEXTURE_SIZE) as number,
    textureUnits: gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS) as number,
    targets: isSoftware && drawBuffers >= 8 ? 8 : 4,
    // gl_FragCoord is one of them.
    varyings: isSoftware ? (gl.getParameter(gl.MAX_VARYING_VECTORS) as number) - 1 : 0,
    narrowest: isSwiftShader ? 32 : isSoftware ? 128 : 64,
    filteringFrom: isSoftware && !isSwiftShader ? 400e6 : 0,
    varyingsFrom: isSwiftShader ? 30e6 : 0,
    uniformAlignment: gl.getParameter(gl.UNIFORM_BUFFER_OFFSET_ALIGNMENT) as number,
    float32Targets,
    float16Targets,
    parallelCompile: gl.getExtension('KHR_parallel_shader_compile') !== null,
    fetch: isSoftware ? 'texture' : 'texelFetch',
    // Software GLs convert halves at each fetch, which takes 1.5 to 2 times as long.
    halfWeights: !isSoftware,
  };
}
