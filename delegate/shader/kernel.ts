import type { Value } from '../ir/graph.js';
import type { WeightBlock } from '../layout/weights.js';

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
  return `p[${i >> 2}].${'xyzw'[i & 3]}`;
}

/**
 * The declaration of so many parameters, and how many vec4 of them are varyings: all, or none where those are more than
 * `most`.
 */
export function paramsDeclaration(params: number, most: number): { readonly text: string; readonly varyings: number } {
  const texels = Math.ceil(params / 4);
  if (texels === 0) return { text: '', varyings: 0 };
  return texels <= most
    ? { text: `flat in vec4 p[${texels}];`, varyings: texels }
    : { text: `layout(std140) uniform Params { vec4 p[${texels}]; };`, varyings: 0 };
}

/** The vertex shader of a draw: one triangle over the viewport, and `varyings` vec4 of parameters for its fragments. */
export function vertexShader(varyings: number): string {
  const position = 'gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);';
  if (varyings === 0) return `#version 300 es\nvoid main() { ${position} }`;
  return `#version 300 es
layout(std140) uniform Params { vec4 u[${varyings}]; };
flat out vec4 p[${varyings}];
void main() { for (int i = 0; i < ${varyings}; i++) p[i] = u[i]; ${position} }`;
}
