import { windowOutput } from '../ir/shape.js';
import type { Padding } from '../ir/vocabulary.js';
import { type InputAccess, type Plane, plus, type ShaderBuilder } from '../shader/builder.js';
import { bitsOf, float, masked, range } from '../shader/glsl.js';

/** A sliding window: sizes in pixels, [vertical, horizontal]. */
export interface Window {
  readonly filter: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Rows above and columns left of the input. */
  readonly before: readonly [number, number];
  /** What the channels of pixels outside the input are, up to 4; zero where absent. */
  readonly outside?: readonly number[];
}

/** Attributes that make a window; `pads` (above, below, left, right) is what `fold-pad` leaves and beats `padding`. */
export interface WindowAttrs {
  readonly padding: Padding;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationHFactor?: number;
  readonly dilationWFactor?: number;
  readonly pads?: readonly number[];
  /** What pixels outside the input are for a pool, where they take part in it. */
  readonly padValue?: number;
  /** What the channels of pixels outside the input are for a convolution, where that is not zero. */
  readonly padValues?: readonly number[];
}

/** The window of a node whose input is h × w. */
export function windowOf(a: WindowAttrs, filter: readonly [number, number], h: number, w: number): Window {
  const dilation = [a.dilationHFactor ?? 1, a.dilationWFactor ?? 1] as const;
  const before = a.pads
    ? ([a.pads[0]!, a.pads[2]!] as const)
    : ([
        windowOutput(h, filter[0], a.strideH, dilation[0], a.padding).before,
        windowOutput(w, filter[1], a.strideW, dilation[1], a.padding).before,
      ] as const);
  const outside = a.padValues && { outside: a.padValues };
  return { filter, stride: [a.strideH, a.strideW], dilation, before, ...outside };
}

/** The input pixels that a fragment's block of outputs reads, each fetched once. */
export interface Patch {
  /** Statements before any loop: masks of columns and rows outside the input. */
  readonly before: string;
  /** Statements that fetch every pixel of the patch; the vec2 variable `position` is the texel centre of the block's origin. */
  fetch(position: string, slice: string, layer: string | number): string;
  /** The variable with the pixel that tap (ky, kx) reads for a plane; `ky` is 0 in the patch of a row of taps. */
  at(plane: Plane, ky: number, kx: number): string;
  /** The texel, relative to its tile, of the block's origin: two GLSL floats. */
  readonly originX: string;
  readonly originY: string;
  /** Whether anything can be outside. */
  readonly masked: boolean;
}

/** Where the taps of a block of outputs are, from its origin in the input; without the rows of a loop. */
function offsetsOf(k: ShaderBuilder, { filter, stride, dilation, before }: Window, row?: string) {
  const rowOf = ({ py }: Plane, ky: number) => py * stride[0] + ky * dilation[0] - before[0];
  const colOf = ({ px }: Plane, kx: number) => px * stride[1] + kx * dilation[1] - before[1];
  const distinct = (taps: number, offset: typeof rowOf) =>
    [...new Set(k.pixels.flatMap((p) => range(taps).map((tap) => offset(p, tap))))].sort((a, b) => a - b);
  return { rowOf, colOf, rows: distinct(row ? 1 : filter[0], rowOf), cols: distinct(filter[1], colOf) };
}

/**
 * Input pixels under all taps that stay in registers: more are fetched by rows of taps, which share nearly as many. What
 * drivers take to compile grows faster than the patch (5x5 of stride 2, 49 pixels: 0.2 s on SwiftShader).
 */
const LARGEST_PATCH = 16;
/** Those under a row of taps. */
const LARGEST_ROW = 36;

/** How a kernel goes through the taps of a window. */
export interface Turns {
  /** The GLSL float that counts rows of taps; `undefined` where one turn takes all. */
  readonly row?: string;
  /** What stands before the braces of a turn. */
  readonly loop: string;
  /** Taps of a turn. */
  readonly taps: number;
  /** What is under them. */
  readonly patch: Patch;
}

/** All taps at once, or a row of them at a time; `undefined` where even that holds too many pixels. */
export function turnsOf(k: ShaderBuilder, x: InputAccess, w: Window, fill?: string): Turns | undefined {
  const [kh, kw] = w.filter;
  if (pixelsUnder(k, w) <= LARGEST_PATCH) return { loop: '', taps: kh * kw, patch: patchOf(k, x, w, fill) };
  const row = 'ky';
  if (pixelsUnder(k, w, row) > LARGEST_ROW) return undefined;
  const loop = `for (float ${row} = 0.0; ${row} < ${float(kh)}; ${row}++) `;
  return { row, loop, taps: kw, patch: patchOf(k, x, w, fill, row) };
}

/** How many pixels the patch under a window holds: see `patchOf`. */
export function pixelsUnder(k: ShaderBuilder, w: Window, row?: string): number {
  const { rows, cols } = offsetsOf(k, w, row);
  return rows.length * cols.length;
}

/** How the text of a patch finds its rows, by their offsets from the block's origin. */
interface Rows {
  /** Declarations before any loop, and at the begin of each turn. */
  readonly before: readonly string[];
  readonly turn: readonly string[];
  /** Declarations of the coordinates of texels, where planes are known. */
  coordinates(position: string): readonly string[];
  /** The variable that tells whether a row is inside the input; nothing where all of it always is. */
  mask(d: number): string;
  /** The offset in GLSL. */
  offset(d: number): string;
  /** The coordinate, and what the plane adds to the layer. */
  place(d: number): readonly [coordinate: string, layer: number | string];
}

/**
 * The distinct input offsets of a block, at most one fetch each; pixels outside the input are `fill`, a GLSL vec4,
 * or zero. With `row`, a GLSL float that counts rows of taps in a loop, those under that row alone.
 */
export function patchOf(k: ShaderBuilder, x: InputAccess, w: Window, fill?: string, row?: string): Patch {
  const { bx, by } = k.out;
  const { rowOf, colOf, rows, cols } = offsetsOf(k, w, row);
  const beyond = [reachesBeyond(w, 0, k.out.h, x.layout.h), reachesBeyond(w, 1, k.out.w, x.layout.w)] as const;
  const lastBlock = [Math.floor((k.out.h - 1) / by) * by, Math.floor((k.out.w - 1) / bx) * bx] as const;
  const sizes = [x.layout.h, x.layout.w] as const;
  const low = (axis: 0 | 1, d: number) => d < 0 && w.before[axis] > 0;
  const high = (axis: 0 | 1, d: number) =>
    beyond[axis] && (d > 0 || lastBlock[axis] * w.stride[axis] + d >= sizes[axis]);
  const outside = (axis: 0 | 1, d: number) => low(axis, d) || high(axis, d);
  const within = (axis: 0 | 1, at: string, d: number, size: string): string =>
    [low(axis, d) ? `${at} + ${float(d)} >= 0.0` : '', high(axis, d) ? `${at} + ${float(d)} < ${size}` : '']
      .filter(Boolean)
      .join(' && ');
  const id = (d: number) => (d < 0 ? `m${-d}` : `${d}`);
  const name = (dy: number, dx: number) => `i_${id(dy)}_${id(dx)}`;
  const block = [
    axisOf('o_y', by, w.stride[0], x.layout.by, k.out.h),
    axisOf('o_x', bx, w.stride[1], x.layout.bx, k.out.w),
  ] as const;
  const mask = (axis: 0 | 1, d: number) => `m${'yx'[axis]}_${id(d)}`;
  const declareMask = (name: string, inside: string) =>
    fill ? `bool ${name} = ${inside};` : `uint ${name} = ${bitsOf(inside)};`;
  const filled = (v: string, m: string) => (fill ? `mix(${fill}, ${v}, bvec4(${m}))` : masked(v, m));
  const masksOf = (axis: 0 | 1, taps: readonly number[]): string[] => {
    const reaching = taps.filter((d) => outside(axis, d));
    if (reaching.length === 0) return [];
    const size = k.size(sizes[axis]);
    return reaching.map((d) => declareMask(mask(axis, d), within(axis, block[axis].pixel, d, size)));
  };
  const [down, across] = block;
  const isAligned = down.texel !== undefined && across.texel !== undefined;
  const split = (d: number, b: number): [number, number] => [Math.floor(d / b), ((d % b) + b) % b];
  const texels = (offsets: readonly number[], b: number) => [...new Set(offsets.map((d) => split(d, b)[0]))];
  const declare = (axis: 'x' | 'y', name: string, position: string) => (d: number) =>
    `${name}_${id(d)} = ${x.coordinate(axis, d === 0 ? `${position}.${axis}` : `${position}.${axis} + ${float(d)}`)}`;
  const allRows = (): Rows => ({
    before: masksOf(0, rows),
    turn: [],
    coordinates: (position) => texels(rows, x.layout.by).map(declare('y', 'v', position)),
    mask: (d) => (outside(0, d) ? mask(0, d) : ''),
    offset: float,
    place: (d) => {
      const [texel, plane] = split(d, x.layout.by);
      return [`v_${id(texel)}`, plane * x.layout.bx];
    },
  });
  const rowsOfTurn = (counter: string): Rows => {
    const isMasked = w.before[0] > 0 || beyond[0];
    const size = isMasked ? k.size(sizes[0]) : '';
    const turn = (d: number): string => {
      const [y, t, l] = [`y_${id(d)}`, `t_${id(d)}`, `l_${id(d)}`];
      const inside = declareMask(mask(0, d), `${down.pixel} + ${y} >= 0.0 && ${down.pixel} + ${y} < ${size}`);
      const parts = `${t} = floor(${y} * ${float(1 / x.layout.by)}), ${l} = (${y} - ${t} * ${float(x.layout.by)}) * ${float(x.layout.bx)}`;
      return `float ${y} = ${counter} * ${float(w.dilation[0])} + ${float(d)}${isAligned ? `, ${parts}` : ''};${isMasked ? ` ${inside}` : ''}`;
    };
    return {
      before: [],
      turn: rows.map(turn),
      coordinates: (position) => rows.map((d) => `v_${id(d)} = ${x.coordinate('y', `${position}.y + t_${id(d)}`)}`),
      mask: (d) => (isMasked ? mask(0, d) : ''),
      offset: (d) => `y_${id(d)}`,
      place: (d) => [`v_${id(d)}`, `l_${id(d)}`],
    };
  };
  const vertical = row ? rowsOfTurn(row) : allRows();
  const masks = [...vertical.before, ...masksOf(1, cols)];
  const condition = (dy: number, dx: number) =>
    [vertical.mask(dy), outside(1, dx) ? mask(1, dx) : ''].filter(Boolean).join(fill ? ' && ' : ' & ');
  const coordinates = (position: string): string => {
    const horizontal = texels(cols, x.layout.bx).map(declare('x', 'u', position));
    return `${x.coordinateType} ${[...horizontal, ...vertical.coordinates(position)].join(', ')};`;
  };
  const read = (slice: string, layer: string | number, dy: number, dx: number): string => {
    if (!isAligned) {
      return x.at(
        'o_n',
        `max(${down.pixel} + ${vertical.offset(dy)}, 0.0)`,
        `max(${across.pixel} + ${float(dx)}, 0.0)`,
        slice,
      );
    }
    const [tx, px] = split(dx, x.layout.bx);
    const [v, plane] = vertical.place(dy);
    return x.fetch(`u_${id(tx)}`, v, plus(layer, plus(plane, px)));
  };
  return {
    before: masks.join(' '),
    originX: across.texel ?? '0.0',
    originY: down.texel ?? '0.0',
    masked: rows.some((dy) => cols.some((dx) => condition(dy, dx))),
    fetch(position, slice, layer) {
      const reads = rows.flatMap((dy) =>
        cols.map((dx) => {
          const v = `vec4 ${name(dy, dx)} = ${read(slice, layer, dy, dx)};`;
          const m = condition(dy, dx);
          return m ? `${v} ${name(dy, dx)} = ${filled(name(dy, dx), m)};` : v;
        }),
      );
      return [...vertical.turn, isAligned ? coordinates(position) : '', ...reads].join('\n    ');
    },
    at: (plane, ky, kx) => name(rowOf(plane, ky), colOf(plane, kx)),
  };
}

/** GLSL of the input's size and of the padding before it. */
export function sizeText(k: ShaderBuilder, { layout }: InputAccess, { before: [top, left] }: Window): string {
  return `float h = ${k.size(layout.h)}, wide = ${k.size(layout.w)}, above = ${k.size(top)}, left = ${k.size(left)};`;
}

/** What finds the input pixel of tap (ky, kx), one after the other, for kernels that hold no patch. */
export interface Taps {
  /** Declarations before any loop. */
  readonly before: string;
  /** Statements that find the pixel (y, x) for a plane. */
  at(plane: Plane): string;
  /** What is there: a vec4, or `fill` outside the input. */
  inside(v: string, fill?: string): string;
}

export function tapsOf(k: ShaderBuilder, input: InputAccess, w: Window): Taps {
  const { h, w: wide } = input.layout;
  const isMasked = Math.max(...w.before) > 0 || reachesBeyond(w, 0, k.out.h, h) || reachesBeyond(w, 1, k.out.w, wide);
  const at = (position: string, axis: 0 | 1, tap: string, before: string) =>
    `${position} * ${float(w.stride[axis])} + ${tap} * ${float(w.dilation[axis])}${isMasked ? ` - ${before}` : ''}`;
  return {
    before: isMasked ? sizeText(k, input, w) : '',
    at: (plane) => `float y = ${at(plane.y, 0, 'ky', 'above')}, x = ${at(plane.x, 1, 'kx', 'left')};`,
    inside: (v, fill = 'vec4(0.0)') =>
      isMasked ? `mix(${fill}, ${v}, bvec4(y >= 0.0 && y < h && x >= 0.0 && x < wide))` : v,
  };
}

/** Whether the last window along an axis ends behind the input. */
function reachesBeyond({ filter, stride, dilation, before }: Window, axis: 0 | 1, out: number, size: number): boolean {
  return (out - 1) * stride[axis] + (filter[axis] - 1) * dilation[axis] - before[axis] >= size;
}

/**
 * Where a block starts along one axis of the input: its pixel, and its texel where every pixel of the block has a
 * known plane (the step of a block is a multiple of the input's interleaving).
 */
function axisOf(
  o: string,
  b: number,
  stride: number,
  inputBlock: number,
  outSize: number,
): { pixel: string; texel?: string } {
  const step = b * stride;
  if (outSize <= b) return { pixel: '0.0', texel: '0.0' };
  const pixel = `${o} * ${float(step)}`;
  return step % inputBlock === 0 ? { pixel, texel: `${o} * ${float(step / inputBlock)}` } : { pixel };
}
