import { float } from './glsl.js';
import { type Kernel, paramsDeclaration, paramText, vertexShader } from './kernel.js';

/** What is nearer to 0 may become 0 as a literal. */
const LEAST_NORMAL = 2 ** -126;

/**
 * The same kernels with fewer parameters, since drivers take as long for the varyings of a small shader as for all else:
 * sizes that all kernels of one text have in common are literals of the text, and numbers that are equal to each other in
 * all of them, as the sides of square images, are one parameter. Numbers that elements are computed with stay
 * parameters, since compilers round otherwise with constants, and turns of loops, which some unroll when they know.
 * `varyings` as in Target.
 */
export function withLiterals(kernels: readonly Kernel[], varyings: number): Kernel[] {
  const byText = new Map<string, Kernel[]>();
  for (const kernel of kernels) {
    const alike = byText.get(kernel.source);
    if (alike) alike.push(kernel);
    else byText.set(kernel.source, [kernel]);
  }
  const respelled = new Map<Kernel, Kernel>();
  for (const alike of byText.values()) {
    const { kept, ...texts } = respell(alike, varyings);
    for (const kernel of alike)
      respelled.set(kernel, { ...kernel, ...texts, params: kept.map((i) => kernel.params[i]!) });
  }
  return kernels.map((kernel) => respelled.get(kernel)!);
}

/** The shaders of kernels of one text, and which of their parameters they still have. */
function respell(alike: readonly Kernel[], varyings: number) {
  const [{ source, params }] = alike as [Kernel];
  const kept: number[] = [];
  const known = new Map<string, string>();
  const texts = params.map((param, i) => {
    const values = 'value' in param ? alike.map(({ params }) => numberOf(params[i]!)) : [];
    const [value] = values;
    const isCommon = values.every((other) => Object.is(other, value));
    if (value !== undefined && isCommon && param.kind === 'size' && isLiteral(value)) return `(${float(value)})`;
    const key = values.length ? values.map((v) => (Object.is(v, -0) ? '-0' : v)).join() : `of its own: ${i}`;
    const text = known.get(key) ?? paramText(kept.push(i) - 1);
    known.set(key, text);
    return text;
  });
  const [before, after] = [params.length, kept.length].map((count) => paramsDeclaration(count, varyings));
  return {
    kept,
    source: source
      .replace(before!.text, after!.text)
      .replace(/\bp\[(\d+)\]\.([xyzw])/g, (_, texel, lane) => texts[texel * 4 + 'xyzw'.indexOf(lane)]!),
    vertex: vertexShader(after!.varyings),
  };
}

const numberOf = (param: Kernel['params'][number]) => ('value' in param ? param.value : undefined);

function isLiteral(value: number): boolean {
  return Object.is(value, 0) || Math.abs(value) >= LEAST_NORMAL;
}
