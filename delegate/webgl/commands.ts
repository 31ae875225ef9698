import type { Value } from '../ir/graph.js';
import type { Rect } from '../layout/layout.js';
import { ARENA_WIDTH } from '../layout/weights.js';
import type { Plan } from '../plan/plan.js';
import type { Kernel, Shader } from '../shader/kernel.js';
import { shadersOf } from '../shader/literals.js';
import type { Arena } from './arena.js';
import type { Device, OwnedTexture } from './device.js';
import type { Program } from './program.js';

/** One draw, resolved: whatever the previous draw already set is left out. */
export interface Command {
  readonly program: WebGLProgram | undefined;
  readonly framebuffer: WebGLFramebuffer;
  /** What is drawn at once: all texels of the output, or those of a band, or of a row of tiles. */
  readonly rects: readonly Rect[];
  /** Too long to be issued at once. */
  readonly isLong: boolean;
  readonly binds: readonly { readonly unit: GLenum; readonly target: GLenum; readonly texture: WebGLTexture }[];
  readonly samplers: readonly { readonly location: WebGLUniformLocation; readonly unit: number }[];
  readonly paramOffset: number;
  readonly paramBytes: number;
  /** Offset of the weights in the uniform buffer; negative where the kernel has none there. */
  readonly weightsOffset: number;
}

/** What commands refer to. */
export interface Resources {
  readonly textureOf: (value: Value) => OwnedTexture;
  readonly framebufferOf: (value: Value) => WebGLFramebuffer;
  readonly programOf: (shader: Shader) => Program;
  readonly arena: Arena;
}

/** What kernels run, once their weights are placed: `sizeOf` gives the texture of a value, which need not be there yet. */
export function placedShaders(
  { layoutOf, target }: Pick<Plan, 'layoutOf' | 'target'>,
  kernels: readonly Kernel[],
  sizeOf: (value: Value) => Pick<OwnedTexture, 'width' | 'height'>,
  arena: Arena,
): Shader[] {
  const numbers = kernels.map((kernel) => numbersOf(kernel, layoutOf, sizeOf, arena));
  return shadersOf(kernels, numbers, target);
}

/** The numbers of a kernel's parameters. */
function numbersOf(
  kernel: Kernel,
  layoutOf: Plan['layoutOf'],
  sizeOf: (value: Value) => Pick<OwnedTexture, 'width' | 'height'>,
  arena: Arena,
): number[] {
  const placement = arena.placementOf(kernel);
  return kernel.params.map((param) => {
    if ('value' in param) return param.value;
    if (param.kind === 'cols' || param.kind === 'cols-inverse') {
      const { cols } = layoutOf(param.of === 'output' ? kernel.output : kernel.inputs[param.of]!);
      return param.kind === 'cols' ? cols : 1 / cols;
    }
    if (param.kind === 'inverse') {
      const texture = sizeOf(kernel.inputs[param.input]!);
      return 1 / (param.axis === 0 ? texture.width : texture.height);
    }
    if (placement.kind === 'none') return 0;
    if (param.kind === 'block') return placement.firsts[param.block]!;
    return placement.kind === 'texture' ? 1 / arena.heightOf(placement.page) : 1 / ARENA_WIDTH;
  });
}

/** The numbers of all draws in one buffer, each at an offset that `bindBufferRange` accepts. */
export function packParams(shaders: readonly Shader[], alignment: number): { data: Float32Array; offsets: number[] } {
  const step = Math.max(alignment, 16) / 4;
  const offsets: number[] = [];
  let size = 0;
  for (const shader of shaders) {
    offsets.push(size * 4);
    size += Math.ceil((vec4sOf(shader) * 4) / step) * step;
  }
  const data = new Float32Array(size);
  for (const [i, { numbers }] of shaders.entries()) data.set(numbers, offsets[i]! / 4);
  return { data, offsets };
}

/** Resolves draws to commands. Which texture is on which unit is simulated, so that only changes are issued. */
export function linkCommands(
  plan: Plan,
  shaders: readonly Shader[],
  offsets: readonly number[],
  device: Device,
  resources: Resources,
): Command[] {
  const { gl, capabilities } = device;
  const units: (WebGLTexture | undefined)[] = new Array(Math.min(16, capabilities.textureUnits)).fill(undefined);
  const lastUse = new Array<number>(units.length).fill(-1);
  const samplerOf = new Map<WebGLUniformLocation, number>();
  let current: WebGLProgram | undefined;
  return shaders.map((shader, step) => {
    const { kernel } = shader;
    const { program, samplers } = resources.programOf(shader);
    const placement = resources.arena.placementOf(kernel);
    const reads: [OwnedTexture, WebGLUniformLocation | null][] = kernel.inputs.map((v, i) => [
      resources.textureOf(v),
      samplers[i] ?? null,
    ]);
    if (placement.kind === 'texture') reads.push([resources.arena.pages[placement.page]!, samplers.at(-1) ?? null]);
    const binds: { unit: GLenum; target: GLenum; texture: WebGLTexture }[] = [];
    const sets: { location: WebGLUniformLocation; unit: number }[] = [];
    for (const [{ texture, target }, location] of reads) {
      if (!location) continue;
      let unit = units.indexOf(texture);
      if (unit < 0) {
        unit = leastRecent(lastUse, step);
        units[unit] = texture;
        binds.push({ unit: gl.TEXTURE0 + unit, target, texture });
      }
      lastUse[unit] = step;
      if (samplerOf.get(location) !== unit) sets.push({ location, unit });
      samplerOf.set(location, unit);
    }
    const bands = Math.ceil(Math.max(1, kernel.multiplyAdds) / plan.target.largestDraw);
    const command: Command = {
      program: program === current ? undefined : program,
      framebuffer: resources.framebufferOf(kernel.output),
      rects: plan.rectsOf(kernel.output).flatMap((rect) => inBands(rect, bands)),
      isLong: bands > 1,
      binds,
      samplers: sets,
      paramOffset: offsets[step]!,
      paramBytes: vec4sOf(shader) * 16,
      weightsOffset: placement.kind === 'uniform' ? placement.offset : -1,
    };
    current = program;
    return command;
  });
}

/** A rectangle cut into so many, or as many as it has rows. */
function inBands({ x, y, width, height }: Rect, bands: number): Rect[] {
  const most = Math.ceil(height / bands);
  const rects: Rect[] = [];
  for (let done = 0; done < height; done += most)
    rects.push({ x, y: y + done, width, height: Math.min(most, height - done) });
  return rects;
}

function leastRecent(lastUse: readonly number[], step: number): number {
  let best = 0;
  lastUse.forEach((used, unit) => {
    if (used < lastUse[best]! && used < step) best = unit;
  });
  return best;
}

function vec4sOf({ numbers }: Shader): number {
  return Math.max(1, Math.ceil(numbers.length / 4));
}
