import { DeviceError } from '../errors.js';
import { ARENA_WIDTH, arenaRows, groupsPerRow, type WeightBlock } from '../layout/weights.js';
import { type Kernel, UNIFORM_BLOCK_TEXELS } from '../shader/kernel.js';
import { finish, type Pieces } from '../task.js';
import type { Device, OwnedTexture } from './device.js';

/** Rows of one arena texture at most: 64 MiB of float32. */
const MOST_ROWS = 4096;
/** Rows of one upload: 2 MiB of float32, a few milliseconds. */
const BAND = 128;

/** Where a kernel's weights are: an arena texture or a range of the uniform buffer, and the first row or element of each block. */
export type Placement =
  | { readonly kind: 'none' }
  | { readonly kind: 'texture'; readonly page: number; readonly firsts: readonly number[] }
  | { readonly kind: 'uniform'; readonly offset: number; readonly firsts: readonly number[] };

/** Constants of all kernels of an executable: as few textures as possible, each uploaded at once. */
export class Arena {
  readonly pages: OwnedTexture[] = [];
  uniforms: WebGLBuffer | undefined;
  bytes = 0;
  readonly #device: Device;
  readonly #half: boolean;
  readonly #placements = new Map<Kernel, Placement>();
  /** The blocks of each page with their first rows. */
  readonly #blocks: (readonly [WeightBlock, number])[][] = [];

  constructor(device: Device, half: boolean) {
    this.#device = device;
    this.#half = half;
  }

  placementOf(kernel: Kernel): Placement {
    return this.#placements.get(kernel) ?? { kind: 'none' };
  }

  /** Places the blocks of all kernels and makes the textures and buffers they go to, still empty. */
  allocate(kernels: readonly Kernel[]): void {
    const limit = Math.min(this.#device.capabilities.maxTextureSize, MOST_ROWS);
    const rowsOf: number[] = [];
    const uniform = kernels.filter((kernel) => kernel.blocks.length > 0 && kernel.storage === 'uniform');
    for (const kernel of kernels) {
      if (kernel.blocks.length === 0 || kernel.storage === 'uniform') continue;
      const rows = kernel.blocks.reduce((sum, b) => sum + arenaRows(b), 0);
      if (rows > limit)
        throw new DeviceError(
          `kernel ${kernel.name}: weights need ${rows} rows of the arena; this device allows ${limit}`,
        );
      if (!rowsOf.length || rowsOf.at(-1)! + rows > limit) {
        rowsOf.push(0);
        this.#blocks.push([]);
      }
      const page = rowsOf.length - 1;
      const firsts = kernel.blocks.map((block) => {
        const first = rowsOf[page]!;
        rowsOf[page] = first + arenaRows(block);
        this.#blocks[page]!.push([block, first]);
        return first;
      });
      this.#placements.set(kernel, { kind: 'texture', page, firsts });
    }
    const { gl } = this.#device;
    gl.activeTexture(gl.TEXTURE0);
    const [format, texelBytes] = this.#half ? [gl.RGBA16F, 8] : [gl.RGBA32F, 16];
    for (const rows of rowsOf) {
      const texture = this.#device.createTexture(gl.TEXTURE_2D, format, texelBytes, ARENA_WIDTH, rows, 1);
      this.pages.push(texture);
      this.bytes += texture.bytes;
    }
    if (uniform.length) this.#uploadUniforms(uniform);
  }

  /** The texels of each page, made in pieces of work; `upload` puts a band of a page that is complete into its texture. */
  *pack(): Generator<{ upload(): void } | undefined> {
    for (const [page, blocks] of this.#blocks.entries()) {
      const texture = this.pages[page]!;
      const texels = new Float32Array(texture.height * ARENA_WIDTH * 4);
      for (const [block, first] of blocks) {
        const values = yield* asWork(block.texels());
        const rowFloats = groupsPerRow(block.group) * block.group * 4;
        for (let from = 0, row = first; from < values.length; from += rowFloats, row++)
          texels.set(values.subarray(from, from + rowFloats), row * ARENA_WIDTH * 4);
        yield;
      }
      for (let row = 0; row < texture.height; row += BAND) {
        const rows = Math.min(BAND, texture.height - row);
        yield { upload: () => this.#upload(texture, row, rows, texels) };
      }
    }
  }

  #upload({ texture }: OwnedTexture, row: number, rows: number, texels: Float32Array): void {
    const { gl } = this.#device;
    const band = texels.subarray(row * ARENA_WIDTH * 4, (row + rows) * ARENA_WIDTH * 4);
    if (this.#half) roundToHalf(band);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, ARENA_WIDTH, rows, gl.RGBA, gl.FLOAT, band);
  }

  #uploadUniforms(kernels: readonly Kernel[]): void {
    const floats = UNIFORM_BLOCK_TEXELS * 4;
    const data = new Float32Array(kernels.length * floats);
    for (const [i, kernel] of kernels.entries()) {
      let texel = 0;
      const firsts = kernel.blocks.map((block) => {
        const first = texel;
        data.set(finish(block.texels()), i * floats + first * 4);
        texel += block.group * block.groups;
        return first;
      });
      this.#placements.set(kernel, { kind: 'uniform', offset: i * floats * 4, firsts });
    }
    const { gl } = this.#device;
    this.uniforms = this.#device.createBuffer(gl.UNIFORM_BUFFER, data, gl.STATIC_DRAW);
    this.bytes += data.byteLength;
  }

  dispose(): void {
    for (const page of this.pages.splice(0)) this.#device.deleteTexture(page);
    if (this.uniforms) this.#device.deleteBuffer(this.uniforms);
    this.uniforms = undefined;
  }
}

/** Pieces of work without anything to upload. */
function* asWork<Result>(pieces: Pieces<Result>): Generator<undefined, Result> {
  for (;;) {
    const next = pieces.next();
    if (next.done) return next.value;
    yield;
  }
}

/** The nearest halves, as floats: what a driver does to other values (rounding, cutting off, infinities) is its own affair. */
function roundToHalf(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (Math.abs(v) > 65504) values[i] = Math.sign(v) * 65504;
    bits[i] = (bits[i]! + 0xfff + ((bits[i]! >>> 13) & 1)) & 0xffffe000;
  }
}
