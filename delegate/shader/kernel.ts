import type { Value } from '../ir/graph.js';
import type { WeightBlock } from '../layout/weights.js';
import { range } from './glsl.js';

/** A number of a kernel's parameter buffer: known now, or once textures and arenas are placed. */
export type Param =
  /** what elements are computed with; what places are computed with; turns of a loop */
  | { readonly kind: 'number' | 'size' | 'count'; readonly value: number }
  /** tiles side by side in the grid of an input, or of the output */
  | { readonly kind: 'cols'; readonly of: number | 'output' }
  /** 1 / that */
  | { readonly kind: 'cols-inverse'; readonly of: number }
  /** 1 / width (axis 0) or 1 / height (axis 1) of the texture of an input */
  | { readonly kind: 'inverse'; readonly input: number; readonly axis: 0 | 1 }
  /** first group in the arena, or first element of the uniform block, of a weight block */
  | { readonly kind: 'block'; readonly block: number }
  /** 1 / height of the arena */
  | { readonly kind: 'arena-inverse' };

/** One draw: a fragment shader, what it reads, and its parameters. */
export interface Kernel {
  readonly name: string;
  readonly source: string;
  /** The vertex shader it goes with. */
  readonly vertex: string;
  readonly output: Value;
  /** In the order of the samplers x0, x1, … */
  readonly inputs: readonly Value[];
  readonly blocks: readonly WeightBlock[];
  /** Where the blocks are: the arena texture `weights`, or the uniform block `Weights`. */
  readonly storage: 'texture' | 'uniform';
  /** Four to a vec4, in order. */
  readonly params: readonly Param[];
  readonly multiplyAdds: number;
}

/** What a draw of a kernel runs: its texts with literals, and the numbers that they read from the parameter buffer. */
export interface Shader {
  readonly kernel: Kernel;
  readonly source: string;
  readonly vertex: string;
  /** Four to a vec4, in order. */
  readonly numbers: readonly number[];
}

/** Bytes that a uniform buffer has on every WebGL2 device. */
export const UNIFORM_BLOCK_TEXELS = 1024;

/** How shaders read parameter i. */
export function paramText(i: number): string {
  return `p${i >> 2}.${'xyzw'[i & 3]}`;
}

/** What `paramText` gives, wherever it stands. */
export const PARAM_TEXT = /\bp(\d+)\.([xyzw])\b/g;

/** The GLSL type of each variable that holds parameters, which must have a lane to name: software GLs take longer for more. */
function typesOf(params: number): string[] {
  const last = ['vec4', 'vec2', 'vec2', 'vec3'][params % 4]!;
  return range(Math.ceil(params / 4)).map((i) => (4 * (i + 1) > params ? last : 'vec4'));
}

/**
 * The declaration of so many parameters, and how many of them are varyings: all, or none where those would be more than
 * `most` vec4.
 */
export function paramsDeclaration(params: number, most: number): { readonly text: string; readonly varyings: number } {
  const types = typesOf(params);
  if (types.length > most) return { text: blockOf(types.length, 'p'), varyings: 0 };
  return { text: types.map((type, i) => `flat in ${type} p${i};`).join(' '), varyings: params };
}

function blockOf(texels: number, name: string): string {
  if (texels === 0) return '';
  const members = range(texels).map((i) => `vec4 ${name}${i};`);
  return `layout(std140) uniform Params { ${members.join(' ')} };`;
}

/**
 * The vertex shader of a draw: one triangle over the viewport, and the parameters that fragments have as varyings.
 * Variables and members of their own, since software GLs take longer to compile arrays.
 */
export function vertexShader(varyings: number): string {
  const types = typesOf(varyings);
  const declarations = [blockOf(types.length, 'u'), ...types.map((type, i) => `flat out ${type} p${i};`)];
  const copies = types.map((type, i) => `p${i} = u${i}${type === 'vec4' ? '' : type === 'vec3' ? '.xyz' : '.xy'};`);
  const position = 'gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);';
  return [
    '#version 300 es',
    ...declarations.filter(Boolean),
    `void main() { ${[...copies, position].join(' ')} }`,
  ].join('\n');
}
