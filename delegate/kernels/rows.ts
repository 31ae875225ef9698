import { type InputAccess, plus, type ShaderBuilder } from '../shader/builder.js';
import { float } from '../shader/glsl.js';

/** What is read along the last axis for the pixels of a block, all of them together: their texels are at one place. */
export interface Rows {
  /** Statements for each pixel `p` of the block. */
  all(write: (p: number) => string): string;
  /**
   * A loop over the slices: statements for the texel `v` of each pixel, whose lanes beyond the last channel are
   * `padding`, or as they are where there is none. `before` is done to all lanes.
   */
  each(
    padding: number | undefined,
    write: (v: string, p: number) => string,
    before?: (v: string, p: number) => string,
  ): string;
  /** The texel of slice 0 of pixel `p`. */
  first(p: number): string;
}

/** The rows of an input that has the pixels of the output, whatever its channels. */
export function rowsOf(k: ShaderBuilder, input: InputAccess): Rows {
  const { c, slices } = input.layout;
  return {
    all: (write) => k.pixels.map(({ pixel }) => write(pixel)).join(' '),
    each(padding, write, before = () => '') {
      const isMasked = c % 4 !== 0 && padding !== undefined;
      const lanes = isMasked ? ` bvec4 within = lessThan(i * 4.0 + vec4(0.0, 1.0, 2.0, 3.0), vec4(${k.size(c)}));` : '';
      const texels = k.pixels.map(({ pixel }) => {
        const mask = isMasked ? ` v = mix(vec4(${float(padding)}), v, within);` : '';
        return `{ vec4 v = ${input.texel('at', plus(input.layerOf('i'), pixel))}; ${before('v', pixel)}${mask} ${write('v', pixel)} }`;
      });
      return `for (float i = 0.0; i < ${k.count(slices)}; i++) { vec2 at = ${input.here('o_n', 'i')};${lanes}
    ${texels.join('\n    ')} }`;
    },
    first: (p) => input.texel(input.here('o_n', '0.0'), p),
  };
}
