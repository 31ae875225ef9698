import type { Value } from '../ir/graph.js';
import type { RenderTargets } from '../layout/layout.js';

/**
 * What a model is compiled for: habits of the device and wishes of the options. A plan follows from this and the graph
 * alone, so every variant of a kernel can be had on any device: see `forceTarget`.
 */
export interface Target {
  /**
   * Render targets of a draw: 8 where that was measured to win (software GLs, models that are not small) and the device
   * has them, else 4, or 1 where the colour memory of a phone does not hold 4 of RGBA32F.
   */
  readonly targets: RenderTargets;
  /** `texture` is the faster fetch on software GLs; `texelFetch` has no gradients, which keeps loops rolled on D3D. */
  readonly fetch: 'texture' | 'texelFetch';
  readonly maxTextureSize: number;
  /** Multiply-adds of one draw at most: what has more is drawn in bands, since browsers end what keeps the GPU too long. */
  readonly largestDraw: number;
  /**
   * How many vec4 of parameters may reach the fragments as flat varyings; 0: all are read from the uniform buffer.
   * SwiftShader checks bounds and branches for each number of a uniform buffer that a fragment reads.
   */
  readonly varyings: number;
  /**
   * The least width of textures in texels, where the shapes of the model leave a choice: fragments are shaded in
   * blocks, and llvmpipe gives each thread blocks of 64x64, while SwiftShader is up to 1.2 times faster on narrow ones.
   */
  readonly narrowest: number;
  readonly precision: 'float32' | 'float16';
  /** Constants that fit go into uniform buffers. */
  readonly uniformWeights: boolean;
  /** Constants that half floats hold exactly, those of float16 files, are half floats; in float16 all are, rounded. */
  readonly halfWeights: boolean;
  /** Whether 3×3 convolutions are minimal filtering: never, where that costs less, or wherever it is possible. */
  readonly winograd: 'never' | 'cheaper' | 'always';
  /**
   * Which numbers are literals of the shader instead of parameters: sizes that all draws of a program have in common, or
   * all numbers that are known at planning, or none, for models whose shapes vary: their programs stay the same then.
   */
  readonly literals: 'none' | 'common' | 'all';
}

/** Parts of the target that may differ from node to node, since only a node's own kernels depend on them. */
export type Choice = Partial<Pick<Target, 'winograd' | 'uniformWeights'>>;

/** What the text of a shader depends on beside the kernel itself. */
export interface ShaderTarget extends Target {
  /** True where a value is stored as half floats: stores are rounded to halves and stop at ±65504. */
  isHalf(value: Value): boolean;
  /** Where a value is written into its place in another one: the tile at which it begins there. */
  firstTileOf(value: Value): number | undefined;
}
