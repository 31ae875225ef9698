import { type Shape, sizeOf } from '../ir/shape.js';

/**
 * Where the elements of a tensor are in a 2D-array texture.
 *
 * A tensor is seen as [n, h, w, c]. A texel holds 4 channels of one pixel: a slice. Pixels are interleaved over
 * bx × by planes, and slices over bs, so that one fragment with bx · by · bs render targets writes a block of pixels
 * of a group of slices: each weight it fetches serves all pixels, each input texel all slices. Layer
 * (s % bs) · bx · by + (y % by) · bx + x % bx holds a plane. The texels of one (n, group) form a tile of tileW × tileH;
 * tile n · groups + group stands in a grid of `cols` tiles side by side and `rows` of those.
 */
export interface Layout extends Tiling {
  readonly cols: number;
  readonly rows: number;
  /** Texels in use; the texture may be larger. */
  readonly width: number;
  readonly height: number;
}

/** The part of a layout that does not depend on the width of textures: which texel of which tile holds an element. */
export interface Tiling {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly slices: number;
  readonly bx: number;
  readonly by: number;
  readonly bs: number;
  /** Tiles of an n. */
  readonly groups: number;
  readonly tileW: number;
  readonly tileH: number;
  readonly layers: number;
}

/** Render targets that a fragment writes at most: each holds a pixel of a slice. */
export type RenderTargets = 1 | 4 | 8;

/** What the layouts of a model have in common. */
export interface Grid {
  /** Texels that tiles side by side may take. */
  readonly atlasWidth: number;
  readonly targets: RenderTargets;
}

/** Sizes of a tensor as [n, h, w, c]: aligned right; rank 3 is [n, w, c]; beyond rank 4 the outer dimensions fold into n. */
export function toNHWC(shape: Shape): readonly [n: number, h: number, w: number, c: number] {
  const c = shape.at(-1) ?? 1;
  const w = shape.at(-2) ?? 1;
  if (shape.length <= 3) return [shape.at(-3) ?? 1, 1, w, c];
  return [sizeOf(shape.slice(0, -3)), shape.at(-3)!, w, c];
}

/**
 * Texels that a grid is high where there are tiles enough: GPUs draw 2 × 2 texels at a time, and software ones give each
 * thread two rows.
 */
const LEAST_HEIGHT = 4;

/** The tiles of a shape. */
export function tilingOf(shape: Shape, targets: RenderTargets): Tiling {
  const [n, h, w, c] = toNHWC(shape);
  const slices = Math.ceil(c / 4);
  const [bx, by] = blockOf(h, w, targets);
  // An odd number of slices leaves half of the last group empty: not worth it where there are few.
  const paired = slices % 2 === 0 || slices >= 5;
  const bs = bx * by * 2 <= targets && bx * by > 1 && paired ? 2 : 1;
  const [tileW, tileH] = [Math.ceil(w / bx), Math.ceil(h / by)];
  return { n, h, w, c, slices, bx, by, bs, groups: Math.ceil(slices / bs), tileW, tileH, layers: bx * by * bs };
}

/** The layout of a shape. It may be higher than a device allows: see `layoutProblem`. */
export function layoutOf(shape: Shape, { atlasWidth, targets }: Grid): Layout {
  const tiling = tilingOf(shape, targets);
  const { n, groups, tileW, tileH } = tiling;
  const tiles = n * groups;
  const fitting = Math.max(1, Math.floor(atlasWidth / tileW));
  const most = Math.max(1, Math.min(fitting, Math.ceil((tiles * tileH) / LEAST_HEIGHT)));
  const rows = Math.max(1, Math.ceil(tiles / most));
  const cols = Math.ceil(tiles / rows);
  return { ...tiling, cols, rows, width: cols * tileW, height: rows * tileH };
}

/** The pixels that a fragment writes: a square of an image, a run of a sequence, one where there is but one target. */
function blockOf(h: number, w: number, targets: RenderTargets): readonly [bx: number, by: number] {
  if (targets === 1 || (h === 1 && w === 1)) return [1, 1];
  return h === 1 ? [4, 1] : w === 1 ? [1, 4] : [2, 2];
}

/** Why a device with textures of at most `limit` cannot hold the shape; `undefined` when it can. */
export function layoutProblem(shape: Shape, targets: RenderTargets, limit: number): string | undefined {
  if (sizeOf(shape) === 0) return `[${shape}] is empty`;
  const { width, height } = layoutOf(shape, { atlasWidth: limit, targets });
  if (width > limit || height > limit)
    return `[${shape}] needs a ${width}x${height} texture; this device allows ${limit}x${limit}`;
  return undefined;
}

/** The narrowest common texture width, from `least` up in powers of two, at which no shape is higher than it may be. */
export function atlasWidthFor(shapes: Iterable<Shape>, targets: RenderTargets, limit: number, least = 64): number {
  let width = Math.min(least, limit);
  for (const shape of shapes)
    while (width < limit && layoutOf(shape, { atlasWidth: width, targets }).height > limit)
      width = Math.min(limit, width * 2);
  return width;
}

/** True where element i of one tensor is in the same texel and lane as element i of the other. */
export function sameStorage(a: Tiling, b: Tiling): boolean {
  return a.n === b.n && a.h === b.h && a.w === b.w && a.c === b.c;
}

/**
 * The tile of image 0 at which a tensor of the channels from `channel` on can be a part of another one that has the same
 * pixels; `undefined` where its first or last texels hold channels of others too.
 */
export function tileOfPart(whole: Tiling, part: Tiling, channel: number): number | undefined {
  const perTile = 4 * whole.bs;
  const begins = channel % perTile === 0;
  const ends = part.c % perTile === 0 || channel + part.c === whole.c;
  return whole.n === 1 && part.bs === whole.bs && begins && ends ? channel / perTile : undefined;
}

/** A rectangle of texels. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The texels of `count` tiles from `first` on: rows of the grid, of which the first and the last may be incomplete. */
export function rectsOf({ cols, tileW, tileH }: Layout, first: number, count: number): Rect[] {
  const rects: Rect[] = [];
  for (let [tile, left] = [first, count]; left > 0; ) {
    const col = tile % cols;
    const across = Math.min(cols - col, left);
    const down = across === cols ? Math.floor(left / cols) : 1;
    rects.push({
      x: col * tileW,
      y: Math.floor(tile / cols) * tileH,
      width: across * tileW,
      height: down * tileH,
    });
    tile += across * down;
    left -= across * down;
  }
  return rects;
}

/** Calls `visit(texel offset in floats, element index of lane 0, lanes in use)` for every texel that holds elements. */
export function eachTexel(layout: Layout, visit: (offset: number, element: number, lanes: number) => void): void {
  const { n: N, h, w, c } = layout;
  const ofColumn = columnOffsets(layout);
  for (let n = 0, element = 0; n < N; n++) {
    const ofChannel = channelOffsets(layout, n);
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++, element += c)
        for (let k = 0; k < c; k += 4)
          visit(rowOffset(layout, y) + ofColumn[x]! + ofChannel[k]!, element + k, Math.min(4, c - k));
  }
}

/** Offset in floats of a row of pixels in a tile. */
function rowOffset({ bx, by, width, height }: Layout, y: number): number {
  return ((y % by) * bx * height + Math.floor(y / by)) * width * 4;
}

/** What each pixel of a row adds to that. */
function columnOffsets({ w, bx, width, height }: Layout): Int32Array {
  const offsets = new Int32Array(w);
  for (let x = 0; x < w; x++) offsets[x] = ((x % bx) * width * height + Math.floor(x / bx)) * 4;
  return offsets;
}

/** What each channel of image n adds: its tile, layer and lane. */
function channelOffsets({ c, bx, by, bs, groups, tileW, tileH, cols, width, height }: Layout, n: number): Int32Array {
  const offsets = new Int32Array(c);
  for (let k = 0; k < c; k++) {
    const slice = k >> 2;
    const tile = n * groups + Math.floor(slice / bs);
    const texel = Math.floor(tile / cols) * tileH * width + (tile % cols) * tileW;
    offsets[k] = ((slice % bs) * bx * by * width * height + texel) * 4 + (k & 3);
  }
  return offsets;
}

/** Floats that the used texels of all layers hold. */
export function floatsOf(layout: Layout): number {
  return layout.layers * layout.height * layout.width * 4;
}

/** Writes dense row-major values into texels; padding is left as it is (zero in a new array). */
export function packTexels(values: ArrayLike<number>, layout: Layout, texels: Float32Array): void {
  const { n: N, h, w, c } = layout;
  const ofColumn = columnOffsets(layout);
  for (let n = 0, element = 0; n < N; n++) {
    const ofChannel = channelOffsets(layout, n);
    for (let y = 0; y < h; y++) {
      const row = rowOffset(layout, y);
      for (let x = 0; x < w; x++) {
        const pixel = row + ofColumn[x]!;
        for (let k = 0; k < c; k++) texels[pixel + ofChannel[k]!] = values[element++]!;
      }
    }
  }
}

/** Reads dense row-major values out of texels. */
export function unpackTexels(texels: ArrayLike<number>, layout: Layout, values: { [index: number]: number }): void {
  eachTexel(layout, (offset, element, lanes) => {
    for (let i = 0; i < lanes; i++) values[element + i] = texels[offset + i]!;
  });
}

/** True where the used texels, row by row, are the dense tensor itself (padded to whole texels): images of one pixel. */
export function isLinear({ layers, tileW, tileH, n, c }: Tiling): boolean {
  return layers * tileW * tileH === 1 && (n === 1 || c % 4 === 0);
}
