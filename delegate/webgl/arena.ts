import { DeviceError } from '../errors.js';
import { ARENA_WIDTH, areHalves, arenaRows, groupsPerRow, type WeightBlock } from '../layout/weights.js';
import { type Kernel, UNIFORM_BLOCK_TEXELS } from '../shader/kernel.js';
import type { Target } from '../shader/target.js';
import { finish, type Pieces } from '../task.js';
import type { Device, OwnedTexture } from './device.js';

/** Rows of one arena texture at most: 64 MiB of float32. */
const MOST_ROWS = 4096;
/** Rows of one upload: 2 MiB of float32, a few milliseconds. */
const BAND = 128;
/** Floats of a row. */
const ROW = ARENA_WIDTH * 4;

/** Where a kernel's weights are: an arena texture or a range of the uniform buffer, and the first row or element of each block. */
export type Placement =
  | { readonly kind: 'none' }
  | { readonly kind: 'texture'; readonly page: number; readonly firsts: readonly number[] }
  | { readonly kind: 'uniform'; readonly offset: number; readonly firsts: readonly number[] };

/** One arena texture: its blocks with their first rows. */
interface Page {
  readonly half: boolean;
  readonly blocks: (readonly [WeightBlock, number])[];
  rows: number;
}

/**
 * Constants of all kernels of an executable: as few textures as possible, each uploaded at once. Those of a kernel that
 * are to be half floats, and those that are not, are on pages apart.
 */
export class Arena {
  readonly pages: OwnedTexture[] = [];
  uniforms: WebGLBuffer | undefined;
  bytes = 0;
  readonly #device: Device;
  readonly #target: Pick<Target, 'precision' | 'halfWeights'>;
  readonly #placements = new Map<Kernel, Placement>();
  readonly #planned: Page[] = [];
  readonly #uniform: Kernel[] = [];

  constructor(device: Device, target: Pick<Target, 'precision' | 'halfWeights'>) {
    this.#device = device;
    this.#target = target;
  }

  placementOf(kernel: Kernel): Placement {
    return this.#placements.get(kernel) ?? { kind: 'none' };
  }

  /** Decides where the blocks of each kernel go, in pieces of work. */
  *place(kernels: readonly Kernel[]): Generator<void> {
    const limit = Math.min(this.#device.capabilities.maxTextureSize, MOST_ROWS);
    for (const kernel of kernels) {
      if (kernel.blocks.length === 0) continue;
      if (kernel.storage === 'uniform') this.#uniform.push(kernel);
      else this.#placements.set(kernel, this.#placeInTexture(kernel, limit));
      yield;
    }
  }

  #placeInTexture(kernel: Kernel, limit: number): Placement {
    const needed = kernel.blocks.reduce((sum, b) => sum + arenaRows(b), 0);
    if (needed > limit)
      throw new DeviceError(
        `kernel ${kernel.name}: weights need ${needed} rows of the arena; this device allows ${limit}`,
      );
    const half = this.#isHalf(kernel);
    const found = this.#planned.findIndex((known) => known.half === half && known.rows + needed <= limit);
    const page = found < 0 ? this.#planned.push({ half, blocks: [], rows: 0 }) - 1 : found;
    const planned = this.#planned[page]!;
    const firsts = kernel.blocks.map((block) => {
      const first = planned.rows;
      planned.rows += arenaRows(block);
      planned.blocks.push([block, first]);
      return first;
    });
    return { kind: 'texture', page, firsts };
  }

  #isHalf({ blocks }: Kernel): boolean {
    if (this.#target.precision === 'float16') return true;
    return this.#target.halfWeights && blocks.every(({ constant }) => constant && areHalves(constant));
  }

  /** Makes the textures and buffers of what is placed; the textures are still empty. */
  allocate(): void {
    const { gl } = this.#device;
    for (const { half, rows } of this.#planned) {
      const texture = this.#device.createTexture({ width: ARENA_WIDTH, height: rows, layers: 1, half }, gl.TEXTURE_2D);
      this.pages.push(texture);
      this.bytes += texture.bytes;
    }
    if (this.#uniform.length) this.#uploadUniforms(this.#uniform);
  }

  /** The texels of each page, made in pieces of work; `upload` puts a band of a page that is complete into its texture. */
  *pack(): Generator<{ upload(): void } | undefined> {
    for (const [page, { half, rows, blocks }] of this.#planned.entries()) {
      const texels = new Float32Array(rows * ROW);
      for (const [block, first] of blocks) {
        const values = yield* asWork(block.texels());
        const rowFloats = groupsPerRow(block.group) * block.group * 4;
        for (let from = 0, row = first; from < values.length; from += rowFloats, row++)
          texels.set(values.subarray(from, from + rowFloats), row * ROW);
        yield;
      }
      for (let row = 0; row < rows; row += BAND) {
        const band = Math.min(BAND, rows - row);
        yield {
          upload: () => this.#upload(this.pages[page]!, texels.subarray(row * ROW, (row + band) * ROW), row, half),
        };
      }
    }
  }

  /** Puts texels into a texture from a row on. */
  #upload({ texture }: OwnedTexture, texels: Float32Array, row: number, half: boolean): void {
    const { gl } = this.#device;
    if (half) roundToHalf(texels);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, ARENA_WIDTH, texels.length / ROW, gl.RGBA, gl.FLOAT, texels);
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
