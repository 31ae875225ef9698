import type { Tiling } from '../layout/layout.js';
import type { ShaderBuilder } from '../shader/builder.js';

/** GLSL of the index of pixel (n, y, x) among all of the output. */
export function pixelIndex(k: ShaderBuilder): string {
  return `((n * ${k.size(k.out.h)} + y) * ${k.size(k.out.w)} + x)`;
}

/** Statements that find pixel `pix` of all those of an input: (in_n, iy, ix). */
export function pixelText(k: ShaderBuilder, { n, h, w }: Tiling): string {
  const row = quotientText(k, 'pix', w, 'q', 'ix');
  if (n === 1) return `${row} float in_n = 0.0, iy = q;`;
  return `${row} ${quotientText(k, 'q', h, 'in_n', 'iy')}`;
}

/** Statements for the quotient and the rest of `at` by a size, under names of their own; nothing is divided by 1. */
export function quotientText(k: ShaderBuilder, at: string, by: number, quotient: string, rest: string): string {
  if (by === 1) return `float ${quotient} = ${at}, ${rest} = 0.0;`;
  k.helper('divide');
  const size = k.size(by);
  return `float ${quotient} = divide(${at}, ${size}, ${k.size(1 / by)}), ${rest} = ${at} - ${quotient} * ${size};`;
}
