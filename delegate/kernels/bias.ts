import type { BlockAccess, ShaderBuilder, SliceOfGroup } from '../shader/builder.js';

/** Statements that put the bias, or zero, into every plane. */
export function startText(k: ShaderBuilder, bias: BlockAccess | undefined): string {
  return `${bias ? bias.begin('o_s') : ''} ${k.slices.map((slice) => startOfSlice(k, bias, slice, slice.ps)).join(' ')}`;
}

/**
 * Statements that put the bias of a slice, or zero, into the planes of slice `ps` of the group. A texel is fetched
 * once: drivers keep equal fetches apart.
 */
export function startOfSlice(k: ShaderBuilder, bias: BlockAccess | undefined, slice: SliceOfGroup, ps = 0): string {
  const [first, ...others] = k.planesOf(ps).map(({ index }) => `a${index}`);
  const value = !bias ? 'vec4(0.0)' : typeof slice.ps === 'number' ? bias.at(slice.ps) : bias.atDynamic(slice.ps);
  return [`${first} = ${value};`, ...others.map((a) => `${a} = ${first};`)].join(' ');
}
