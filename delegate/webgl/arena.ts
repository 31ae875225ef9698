import { DeviceError } from '../errors.js';
import {
  ARENA_WIDTH,
  type ArenaCursor,
  areHalves,
  groupsPerRow,
  placeInArena,
  type WeightBlock,
} from '../layout/weights.js';
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

/** Where a kernel's weights are: an arena texture or a range of the uniform buffer, and the first group or element of each block. */
export type Placement =
  | { readonly kind: 'none' }
  | { readonly kind: 'texture'; readonly page: number; readonly firsts: readonly number[] }
  | { readonly kind: 'uniform'; readonly offset: number; readonly firsts: readonly number[] };

/** One arena texture: its blocks with their first groups. */
interface Page {
  readonly half: boolean;
  readonly blocks: (readonly [WeightBlock, number])[];
  end: ArenaCursor;
}

const rowsOf = ({ end }: Page): number => end.row + 1;

/** Places blocks behind those of a page; `undefined`, and nothing done, where they need rows beyond the limit. */
function place(page: Page, blocks: readonly WeightBlock[], limit: number): number[] | undefined {
  let { end } = page;
  const firsts = blocks.map((block) => {
    const { first, behind } = placeInArena(block, end);
    end = behind;
    return first;
  });
  if (end.row >= limit) return undefined;
  page.end = end;
  page.blocks.push(...blocks.map((block, i) => [block, firsts[i]!] as const));
  return firsts;
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

  /** Rows of an arena texture. */
  heightOf(page: number): number {
    return rowsOf(this.#planned[page]!);
  }

  /** Decides where the blocks of each kernel go, in pieces of work. */
  *place(kernels: readonly Kernel[]): Generator<void> {
    const limit = Math.min(this.#device.capabilities.maxTextureSize, MOST_ROWS);
    for (const kernel of kernels) {
      if (kernel.blocks.length === 0) continue;
      const isUniform = kernel.storage === 'uniform';
      this.#placements.set(kernel, isUniform ? this.#placeInBuffer(kernel) : this.#placeInTexture(kernel, limit));
      yield;
    }
  }

  #placeInTexture(kernel: Kernel, limit: number): Placement {
    const half = this.#isHalf(kernel);
    for (const [page, planned] of this.#planned.entries()) {
      const firsts = planned.half === half && place(planned, kernel.blocks, limit);
      if (firsts) return { kind: 'texture', page, firsts };
    }
    const planned: Page = { half, blocks: [], end: { row: 0, column: 0 } };
    const firsts = place(planned, kernel.blocks, limit);
    if (!firsts)
      throw new DeviceError(
        `kernel ${kernel.name}: its weights need more than the ${limit} rows of the arena that this device allows`,
      );
    return { kind: 'texture', page: this.#planned.push(planned) - 1, firsts };
  }

  #placeInBuffer(kernel: Kernel): Placement {
    const offset = (this.#uniform.push(kernel) - 1) * UNIFORM_BLOCK_TEXELS * 16;
    let texel = 0;
    const firsts = kernel.blocks.map(({ group, groups }) => {
      const first = texel;
      texel += group * groups;
      return first;
    });
    return { kind: 'uniform', offset, firsts };
  }

  #isHalf({ blocks }: Kernel): boolean {
    if (this.#target.precision === 'float16') return true;
    return this.#target.halfWeights && blocks.every(({ constant }) => constant && areHalves(constant));
  }

  /** Makes the textures and buffers of what is placed; the textures are still empty. */
  allocate(): void {
    const { gl } = this.#device;
    for (const page of this.#planned) {
      const size = { width: ARENA_WIDTH, height: rowsOf(page), layers: 1, half: page.half };
      const texture = this.#device.createTexture(size, gl.TEXTURE_2D);
      this.pages.push(texture);
      this.bytes += texture.bytes;
    }
    if (this.#uniform.length) this.#uploadUniforms(this.#uniform);
  }

  /** The texels of each page, made in pieces of work; `upload` puts a band of a page that is complete into its texture. */
  *pack(): Generator<{ upload(): void } | undefined> {
    for (const [i, page] of this.#planned.entries()) {
      const rows = rowsOf(page);
      const texels = new Float32Array(rows * ROW);
      for (const [block, first] of page.blocks) {
        scatter(yield* asWork(block.texels()), block, first, texels);
        yield;
      }
      for (let row = 0; row < rows; row += BAND) {
        const band = Math.min(BAND, rows - row);
        yield {
          upload: () => this.#upload(this.pages[i]!, texels.subarray(row * ROW, (row + band) * ROW), row, page.half),
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
    const data = new Float32Array(kernels.length * UNIFORM_BLOCK_TEXELS * 4);
    for (const [i, kernel] of kernels.entries()) {
      const { firsts } = this.#placements.get(kernel) as Extract<Placement, { kind: 'uniform' }>;
      for (const [b, block] of kernel.blocks.entries())
        data.set(finish(block.texels()), (i * UNIFORM_BLOCK_TEXELS + firsts[b]!) * 4);
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

/** Puts the texels of a block where its groups are, from its first on. */
function scatter(values: Float32Array, { group, groups }: WeightBlock, first: number, texels: Float32Array): void {
  const perRow = groupsPerRow(group);
  const floats = group * 4;
  for (let from = 0; from < groups; ) {
    const [row, column] = [Math.floor((first + from) / perRow), (first + from) % perRow];
    const count = Math.min(groups - from, perRow - column);
    texels.set(values.subarray(from * floats, (from + count) * floats), row * ROW + column * floats);
    from += count;
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
