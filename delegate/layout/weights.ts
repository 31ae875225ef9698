/** Texels in a row of the weights arena, on every device. */
export const ARENA_WIDTH = 1024;

/**
 * Constants of one kernel as texels. Groups of `group` texels are fetched together and never cross a row, so the
 * arena holds ⌊ARENA_WIDTH / group⌋ groups a row and the rest of the row stays empty.
 */
export interface WeightBlock {
  readonly group: number;
  readonly groups: number;
  /** groups · group texels of 4 floats. Made on first use, so that planning alone costs nothing. */
  readonly texels: () => Float32Array;
}

export function groupsPerRow(group: number): number {
  return Math.floor(ARENA_WIDTH / group);
}

/** Rows of the arena that a block takes. */
export function arenaRows(block: WeightBlock): number {
  return Math.ceil(block.groups / groupsPerRow(block.group));
}

/** A [C] vector as one texel per slice; lanes beyond C are 0. */
export function vectorBlock(values: ArrayLike<number>, slices = Math.ceil(values.length / 4)): WeightBlock {
  return {
    group: 1,
    groups: slices,
    texels: () => {
      const texels = new Float32Array(slices * 4);
      for (let i = 0; i < values.length; i++) texels[i] = values[i]!;
      return texels;
    },
  };
}

/**
 * A dense filter [outC, taps, inC] as groups (out slice, in slice) of taps · 4 texels: texel (tap, k) holds what
 * channel k of the input slice gives to the 4 channels of the output slice.
 */
export function filterBlock(filter: ArrayLike<number>, outC: number, taps: number, inC: number): WeightBlock {
  const outS = Math.ceil(outC / 4);
  const inS = Math.ceil(inC / 4);
  return {
    group: taps * 4,
    groups: outS * inS,
    texels: () => {
      const texels = new Float32Array(outS * inS * taps * 16);
      for (let o = 0; o < outC; o++)
        for (let t = 0; t < taps; t++)
          for (let i = 0; i < inC; i++) {
            const group = (o >> 2) * inS + (i >> 2);
            texels[((group * taps + t) * 4 + (i & 3)) * 4 + (o & 3)] = filter[(o * taps + t) * inC + i]!;
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
    texels: () => {
      const texels = new Float32Array(slices * taps * 4);
      for (let t = 0; t < taps; t++)
        for (let c = 0; c < channels; c++) texels[((c >> 2) * taps + t) * 4 + (c & 3)] = filter[t * channels + c]!;
      return texels;
    },
  };
}
