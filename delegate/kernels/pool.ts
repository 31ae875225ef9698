import type { Node, Value } from '../ir/graph.js';
import type { Plane, SliceOfGroup } from '../shader/builder.js';
import { float, range } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import { type Fold, LARGER, SUM } from './fold.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { reductionDraws } from './reduce.js';
import { tailText } from './tail.js';
import { patchOf, pixelsUnder, sizeText, type Window, type WindowAttrs, windowOf } from './window.js';

/** Input pixels of a block that are fetched one by one; larger windows loop. */
const LARGEST_PATCH = 49;

export interface PoolAttrs extends WindowAttrs {
  readonly filterWidth: number;
  readonly filterHeight: number;
}

/** A pool: how pixels are folded, and what becomes of the folded `a` of `count` pixels inside the input. */
export interface Pool {
  readonly fold: Fold;
  readonly finish?: (a: string, count: string) => string;
}

export const POOLS: Readonly<Record<string, Pool>> = {
  AVERAGE_POOL_2D: { fold: SUM, finish: (a, count) => `${a} / ${count}` },
  MAX_POOL_2D: { fold: LARGER },
  L2_POOL_2D: {
    fold: { start: 0, step: (a, v) => `${a} += ${v} * ${v};` },
    finish: (a, count) => `sqrt(${a} / ${count})`,
  },
};

/** Statements that make `into` of the values under a window, of which `count` count. */
export function foldText({ fold, finish }: Pool, into: string, values: readonly string[], count: string): string {
  const steps = values.map((v) => fold.step(into, v)).join(' ');
  return `${into} = vec4(${float(fold.start)}); ${steps}${finish ? ` ${into} = ${finish(into, count)};` : ''}`;
}

/** The same pools as reductions of height and width, for windows that are the whole input. */
const REDUCTIONS: Readonly<Record<string, string>> = { AVERAGE_POOL_2D: 'MEAN', MAX_POOL_2D: 'REDUCE_MAX' };

/**
 * A pool. Its own padding takes no part: an average divides by the pixels inside the input. What a folded PAD added does
 * (`padValue`).
 */
export const poolForm = (type: string): GpuForm => ({
  type,
  build(node, context) {
    const a = attrsOf<PoolAttrs>(node);
    const x = node.inputs[0]!;
    const [, h, w] = x.shape as [number, number, number];
    const window = windowOf(a, [a.filterHeight, a.filterWidth], h, w);
    const [, outH, outW] = node.outputs[0]!.shape;
    const isWhole = outH === 1 && outW === 1 && a.filterHeight === h && a.filterWidth === w && !a.pads;
    const reduction = REDUCTIONS[type];
    if (isWhole && reduction && h * w > LARGEST_PATCH) return reductionDraws(node, context, reduction, x, [1, 2]);
    return [poolKernel(node, context, POOLS[type]!, x, window, a.padValue)];
  },
});

export const poolForms: readonly GpuForm[] = Object.keys(POOLS).map(poolForm);

function poolKernel(
  node: Node,
  context: BuildContext,
  pool: Pool,
  x: Value,
  window: Window,
  padValue?: number,
): Kernel {
  const k = builderFor(node, context);
  const input = k.input(x);
  const [kh, kw] = window.filter;
  const name = `${node.type.toLowerCase()}_${kh}x${kw}`;
  const start = `vec4(${float(pool.fold.start)})`;
  const from = (at: string, axis: 0 | 1): string =>
    `${at} * ${float(window.stride[axis])} - ${axis === 0 ? 'above' : 'left'}`;
  if (pixelsUnder(k, window) > LARGEST_PATCH) {
    const texel = `${sizeText(k, input, window)}
  float first_y = ${from('y', 0)}, first_x = ${from('x', 1)};
  float y0 = max(first_y, 0.0), y1 = min(first_y + ${k.size(kh)}, h), x0 = max(first_x, 0.0), x1 = min(first_x + ${k.size(kw)}, wide);
  vec4 a = ${start};
  for (float iy = y0; iy < y1; iy++) for (float ix = x0; ix < x1; ix++) {
    vec4 v = ${input.at('n', 'iy', 'ix', 's')};
    ${pool.fold.step('a', 'v')}
  }
  return ${pool.finish ? pool.finish('a', '((y1 - y0) * (x1 - x0))') : 'a'};`;
    return k.finishTexel(name, texel, tailText(k, node), true);
  }
  const patch = patchOf(k, input, window, `vec4(${float(padValue ?? pool.fold.start)})`);
  const taps = range(kh * kw).map((t) => [Math.floor(t / kw), t % kw] as const);
  const countsPixels = pool.finish && patch.masked && padValue === undefined;
  const extent = (at: string, axis: 0 | 1, size: string): string =>
    `min(${from(at, axis)} + ${float(window.filter[axis])}, ${size}) - max(${from(at, axis)}, 0.0)`;
  const countOf = (p: Plane): string =>
    countsPixels ? `((${extent(p.y, 0, 'h')}) * (${extent(p.x, 1, 'wide')}))` : float(kh * kw);
  const under = (p: Plane) => taps.map(([ky, kx]) => patch.at(p, ky, kx));
  const fold = (p: Plane) => foldText(pool, `a${p.index}`, under(p), countOf(p));
  const pooled = (
    slice: SliceOfGroup,
  ) => `vec2 at = ${input.tile('o_n', slice.s)} + vec2(${patch.originX}, ${patch.originY});
  ${patch.fetch('at', slice.s, input.layerOf(slice))}
  ${k.pixels.map(fold).join('\n  ')}`;
  const body = `${countsPixels ? sizeText(k, input, window) : ''}${patch.before}\n  ${k.eachSlice(pooled)}`;
  return k.finish(name, body, 0, tailText(k, node));
}
