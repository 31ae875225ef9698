import { float } from './glsl.js';
import {
  type Kernel,
  PARAM_TEXT,
  type Param,
  paramsDeclaration,
  paramText,
  type Shader,
  vertexShader,
} from './kernel.js';
import type { Target } from './target.js';

/** What is nearer to 0 may become 0 as a literal. */
const LEAST_NORMAL = 2 ** -126;

/**
 * What kernels run, with `numbers` for their parameters. Unless the target wants none there are literals, since drivers
 * take as long for the varyings of a small shader as for all else: sizes and places that all kernels of one text have in
 * common are literals of the text, and numbers that are equal to each other in all of them, as the sides of square
 * images, are one parameter. Numbers that elements are computed with stay parameters, since compilers round otherwise
 * with constants, and turns of loops, which some unroll when they know.
 */
export function shadersOf(
  kernels: readonly Kernel[],
  numbers: readonly (readonly number[])[],
  { literals, varyings }: Pick<Target, 'literals' | 'varyings'>,
): Shader[] {
  const shaders = kernels.map((kernel, i): Shader => {
    return { kernel, source: kernel.source, vertex: kernel.vertex, numbers: numbers[i]! };
  });
  if (literals === 'none') return shaders;
  const byText = new Map<string, number[]>();
  for (const [i, { source }] of shaders.entries()) {
    const alike = byText.get(source);
    if (alike) alike.push(i);
    else byText.set(source, [i]);
  }
  for (const alike of byText.values()) {
    const { source, params } = kernels[alike[0]!]!;
    const { kept, ...texts } = respell(
      source,
      params,
      alike.map((i) => numbers[i]!),
      varyings,
    );
    for (const i of alike) shaders[i] = { ...shaders[i]!, ...texts, numbers: kept.map((k) => numbers[i]![k]!) };
  }
  return shaders;
}

/** The texts for draws of one text whose parameters have these numbers, and which of the parameters they still have. */
function respell(source: string, params: readonly Param[], draws: readonly (readonly number[])[], varyings: number) {
  const kept: number[] = [];
  const known = new Map<string, string>();
  const texts = params.map(({ kind }, i) => {
    const values = draws.map((numbers) => numbers[i]!);
    const [value] = values as [number];
    const isFixed = kind !== 'number' && kind !== 'count';
    if (isFixed && values.every((other) => Object.is(other, value)) && isLiteral(value)) return `(${float(value)})`;
    const key = values.map((v) => (Object.is(v, -0) ? '-0' : v)).join();
    const text = known.get(key) ?? paramText(kept.push(i) - 1);
    known.set(key, text);
    return text;
  });
  const [before, after] = [params.length, kept.length].map((count) => paramsDeclaration(count, varyings));
  return {
    kept,
    source: source
      .replace(before!.text, after!.text)
      .replace(PARAM_TEXT, (_, texel, lane) => texts[texel * 4 + 'xyzw'.indexOf(lane)]!),
    vertex: vertexShader(after!.varyings),
  };
}

function isLiteral(value: number): boolean {
  return Object.is(value, 0) || Math.abs(value) >= LEAST_NORMAL;
}
