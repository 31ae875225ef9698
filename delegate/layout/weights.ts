import { floatToHalf, halfToFloat } from '../ir/dtype.js';
import { inOnePiece, type Pieces } from '../task.js';

/** Texels in a row of the weights arena, on every device. */
export const ARENA_WIDTH = 1024;

/**
 * Constants of one kernel as texels. Groups of `group` texels are fetched together and never cross a row, so the
 * arena holds ⌊ARENA_WIDTH / group⌋ groups a row. They begin at multiples of their size in a row.
 */
export interface WeightBlock {
  readonly group: number;
  readonly groups: number;
  /** So many groups, from every multiple of that on, are in one row too: a divisor of the groups of a row; else 1. */
  readonly align?: number;
  /** The model's own numbers that the texels hold; `undefined` where the texels are computed from them. */
  readonly constant: ArrayLike<number> | undefined;
  /** groups · group texels of 4 floats. Made when they are uploaded, so that planning alone costs nothing. */
  readonly texels: () => Pieces<Float32Array>;
}

export function groupsPerRow(group: number): number {
  return Math.floor(ARENA_WIDTH / group);
}

/** True where half floats hold all of the values exactly. Ends at the first that they do not: soon for float32 files. */
export function areHalves(values: ArrayLike<number>): boolean {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  for (let i = 0; i < floats.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    const isNormal = magnitude >= 0x38800000 && magnitude < 0x47800000;
    if (isNormal ? magnitude & 0x1fff : magnitude && halfToFloat(floatToHalf(floats[i]!)) !== floats[i]) return false;
  }
  return true;
}

/** Where the next block of an arena may begin: a row, and texels of it that are taken. */
export interface ArenaCursor {
  readonly row: number;
  readonly column: number;
}

/**
 * The first group of a block in an arena from a place on, counted as if all rows held groups of its size, and the place
 * behind its last.
 */
export function placeInArena(
  { group, groups, align = 1 }: Pick<WeightBlock, 'group' | 'groups' | 'align'>,
  { row, column }: ArenaCursor,
): { readonly first: number; readonly behind: ArenaCursor } {
  const perRow = groupsPerRow(group);
  const first = row * perRow + Math.min(perRow, Math.ceil(column / (group * align)) * align);
  if (groups === 0) return { first, behind: { row, column } };
  const last = first + groups - 1;
  return { first, behind: { row: Math.floor(last / perRow), column: ((last % perRow) + 1) * group } };
}

/** A [C] vector as one texel per slice, an even number of them, for who reads pairs of slices; lanes beyond C are 0. */
export function vectorBlock(values: ArrayLike<number>): WeightBlock {
  const slices = Math.ceil(values.length / 8) * 2;
  return {
    group: 1,
    groups: slices,
    align: 2,
    constant: values,
    texels: inOnePiece(() => {
      const texels = new Float32Array(slices * 4);
      for (let i = 0; i < values.length; i++) texels[i] = values[i]!;
      return texels;
    }),
  };
}

/** How many slices a fragment makes and takes at once, and how many taps of the filter it reads from one place. */
export interface FilterShape {
  readonly outC: number;
  readonly taps: number;
  readonly inC: number;
  readonly outSlices: number;
  readonly inSlices: number;
  /** Each tap in a group of its own, where all together are too many for a row of the arena; only for one in slice. */
  readonly split?: boolean;
}

/** A filter [outC, taps, inC]. */
export interface Filter {
  readonly make: () => ArrayLike<number>;
  /** The model's own numbers, where the filter is made of these and zeros. */
  readonly constant?: ArrayLike<number>;
}

/** Numbers written in one piece of work: a millisecond or so. */
const PIECE = 1 << 15;

/** True where work on rows of `each` numbers has done a piece before row `row`. */
export function isPieceDone(row: number, each: number): boolean {
  return row > 0 && Math.floor((row * each) / PIECE) !== Math.floor(((row - 1) * each) / PIECE);
}

/** Channels that every slice of an input has: 4, or fewer where it has but one slice. */
export function lanesOf(inC: number): number {
  return Math.min(4, inC);
}

/**
 * Where the weights of a dense filter [outC, taps, inC] are: in groups (group of out slices, group of in slices) of texels
 * (in slice, tap, out slice, lane k): what channel k of the input slice gives to the 4 channels of the output slice. Split,
 * the groups are (group of out slices, group of in slices, tap).
 */
export class FilterLayout {
  readonly group: number;
  readonly groups: number;
  readonly #shape: FilterShape;
  readonly #inG: number;
  readonly #lanes: number;

  constructor(shape: FilterShape) {
    const { outC, taps, inC, outSlices, inSlices, split } = shape;
    this.#shape = shape;
    this.#inG = Math.ceil(inC / (4 * inSlices));
    this.#lanes = lanesOf(inC);
    const texelsOfTap = inSlices * outSlices * this.#lanes;
    this.group = split ? texelsOfTap : taps * texelsOfTap;
    this.groups = Math.ceil(outC / (4 * outSlices)) * this.#inG * (split ? taps : 1);
  }

  /** Floats of all groups. */
  get size(): number {
    return this.groups * this.group * 4;
  }

  /** The place in floats of a weight of tap 0; those of the others are `tapStep` apart. */
  placeOf(o: number, i: number): number {
    const { outSlices, inSlices, taps } = this.#shape;
    const [os, is] = [o >> 2, i >> 2];
    const pair = Math.floor(os / outSlices) * this.#inG + Math.floor(is / inSlices);
    const slice = (pair * inSlices + (is % inSlices)) * taps * outSlices + (os % outSlices);
    return (slice * this.#lanes + (i & 3)) * 4 + (o & 3);
  }

  get tapStep(): number {
    return this.#shape.outSlices * this.#lanes * 4;
  }
}

/** A dense filter as a block. */
export function filterBlock({ make, constant }: Filter, shape: FilterShape): WeightBlock {
  const layout = new FilterLayout(shape);
  const { outC, taps, inC } = shape;
  return {
    group: layout.group,
    groups: layout.groups,
    constant,
    *texels() {
      const texels = new Float32Array(layout.size);
      const filter = make();
      const { tapStep } = layout;
      for (let o = 0; o < outC; o++) {
        if (isPieceDone(o, taps * inC)) yield;
        for (let i = 0; i < inC; i++) {
          const place = layout.placeOf(o, i);
          for (let t = 0; t < taps; t++) texels[place + t * tapStep] = filter[(o * taps + t) * inC + i]!;
        }
      }
      return texels;
    },
  };
}

/** A depthwise filter [taps, C] as one group of taps texels per slice. */
export function depthwiseBlock(filter: ArrayLike<number>, taps: number, channels: number): WeightBlock {
  const slices = Math.ceil(channels / 4);
  return {
    group: taps,
    groups: slices,
    constant: filter,
    texels: inOnePiece(() => {
      const texels = new Float32Array(slices * taps * 4);
      for (let t = 0; t < taps; t++)
        for (let c = 0; c < channels; c++) texels[((c >> 2) * taps + t) * 4 + (c & 3)] = filter[t * channels + c]!;
      return texels;
    }),
  };
}
