import { type InputAccess, plus, type ShaderBuilder } from '../shader/builder.js';
import { float } from '../shader/glsl.js';

/** What is read along the last axis for a pixel of a block. */
export interface Row {
  /**
   * A loop over the slices: statements for the texel `v`, whose lanes beyond the last channel are `padding`, or as they are
   * where there is none. `before` is done to all lanes.
   */
  each(padding: number | undefined, write: string, before?: string): string;
  /** The texel of slice 0. */
  readonly first: string;
}

/** The rows of an input that has the pixels of the output, whatever its channels. `pixel` is the number of one in its block. */
export function rowsOf(k: ShaderBuilder, input: InputAccess): (pixel: string) => Row {
  const { c, slices } = input.layout;
  return (pixel) => ({
    each(padding, write, before = '') {
      const isMasked = c % 4 !== 0 && padding !== undefined;
      const lanes = isMasked ? ` bvec4 within = lessThan(i * 4.0 + vec4(0.0, 1.0, 2.0, 3.0), vec4(${k.size(c)}));` : '';
      const mask = isMasked ? ` v = mix(vec4(${float(padding)}), v, within);` : '';
      return `for (float i = 0.0; i < ${k.count(slices)}; i++) {${lanes}
    vec4 v = ${input.texel(input.here('o_n', 'i'), plus(input.layerOf('i'), pixel))}; ${before}${mask} ${write} }`;
    },
    first: input.texel(input.here('o_n', '0.0'), pixel),
  });
}
