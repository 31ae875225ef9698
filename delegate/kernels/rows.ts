import { type InputAccess, plus, type ShaderBuilder } from '../shader/builder.js';
import { float } from '../shader/glsl.js';

/** What is read along the last axis for the pixels of a block, all of them together: their texels are at one place. */
export interface Rows {
  /** Statements for each pixel `p` of the block. */
  all(write: (p: number) => string): string;
  /**
   * A loop over the slices: statements for the texel `v` of each pixel. What `write` gives first is done to all lanes;
   * those beyond the last channel are `padding` then, or as they are where there is none.
   */
  each(padding: number | undefined, write: (v: string, p: number) => readonly [of: string, then: string]): string;
  /** The texel of slice 0 of pixel `p`. */
  first(p: number): string;
}

/** The rows of an input that has the pixels of the output, whatever its channels. */
export function rowsOf(k: ShaderBuilder, input: InputAccess): Rows {
  const { c, slices } = input.layout;
  const place = (s: string) => `${input.tile('o_n', s)} + vec2(o_x, o_y)`;
  return {
    all: (write) => k.pixels.map(({ pixel }) => write(pixel)).join(' '),
    each(padding, write) {
      const isMasked = c % 4 !== 0 && padding !== undefined;
      const lanes = isMasked ? ` bvec4 within = lessThan(i * 4.0 + vec4(0.0, 1.0, 2.0, 3.0), vec4(${k.size(c)}));` : '';
      const texels = k.pixels.map(({ pixel }) => {
        const [of, then] = write('v', pixel);
        const mask = isMasked ? ` v = mix(vec4(${float(padding)}), v, within);` : '';
        return `{ vec4 v = ${input.texel('at', plus(input.layerOf('i'), pixel))}; ${of}${mask} ${then} }`;
      });
      return `for (float i = 0.0; i < ${k.count(slices)}; i++) { vec2 at = ${place('i')};${lanes}
    ${texels.join('\n    ')} }`;
    },
    first: (p) => input.texel(place('0.0'), p),
  };
}
