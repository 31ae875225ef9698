import type { Node, Value } from '../ir/graph.js';
import { constantInts } from '../ir/op.js';
import { normalizeAxis, type Shape, sizeOf, stridesOf } from '../ir/shape.js';
import { toNHWC } from '../layout/layout.js';
import { type InputAccess, keep, plus, type ShaderBuilder } from '../shader/builder.js';
import { float } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import { type Fold, LARGER, PRODUCT, SMALLER, SUM } from './fold.js';
import { type BuildContext, builderFor, type GpuForm } from './form.js';
import { pixelIndex } from './pixels.js';
import { type Row, rowsOf } from './rows.js';
import { tailText } from './tail.js';

/** Elements that one fragment folds; where several axes have more, each takes a draw of its own. */
const MOST_ELEMENTS = 1024;

const FOLDS: Readonly<Record<string, Fold>> = {
  SUM,
  MEAN: SUM,
  REDUCE_PROD: PRODUCT,
  REDUCE_MAX: LARGER,
  REDUCE_MIN: SMALLER,
  REDUCE_ANY: { ...LARGER, start: 0 },
  REDUCE_ALL: { ...SMALLER, start: 1 },
};

/**
 * The reductions over any constant axes. With a third input they are of squared differences from it, a value for each
 * output (see `fuse-variance`).
 */
export const reduceForms: readonly GpuForm[] = Object.keys(FOLDS).map((type) => ({
  type,
  dtypes: type === 'REDUCE_ANY' || type === 'REDUCE_ALL' ? ['bool'] : [],
  declines: ({ inputs }) => (constantInts(inputs[1]) ? undefined : 'the axes are not constant'),
  build(node, context) {
    const x = node.inputs[0]!;
    const axes = constantInts(node.inputs[1])!.map((axis) =>
      x.shape.length ? normalizeAxis(axis, x.shape.length) : 0,
    );
    return reductionDraws(node, context, type, x, x.shape.length ? [...new Set(axes)] : []);
  },
}));

/** The draws that reduce `x` over axes 0 … rank − 1 into the node's output. */
export function reductionDraws(
  node: Node,
  context: BuildContext,
  type: string,
  x: Value,
  axes: readonly number[],
): Kernel[] {
  const kernels: Kernel[] = [];
  let part = node;
  let from = x;
  let rest = [...axes].sort((a, b) => x.shape[b]! - x.shape[a]!);
  while (rest.length > 1 && sizeOf(rest.map((axis) => x.shape[axis]!)) > MOST_ELEMENTS) {
    const [largest, ...others] = rest;
    const to = context.scratch(from.shape.map((d, i) => (i === largest ? 1 : d)));
    kernels.push(reduction({ ...part, tail: [] }, context, type, from, [largest!], to));
    // What follows sums results, not elements.
    part = { ...node, inputs: node.inputs.slice(0, 2) };
    from = to;
    rest = others;
  }
  return [...kernels, reduction(part, context, type, from, rest, node.outputs[0]!)];
}

function reduction(
  node: Node,
  context: BuildContext,
  type: string,
  x: Value,
  axes: readonly number[],
  output: Value,
): Kernel {
  const k = builderFor(node, context, [], output);
  const input = k.input(x);
  const centre = node.inputs[2];
  const fold = centre ? ofSquaredDifferences(FOLDS[type]!) : FOLDS[type]!;
  if (centre) k.declare('vec4 centre;');
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  const mean = (sum: string) => (type === 'MEAN' ? `${sum} / ${k.param(count)}` : sum);
  const tail = tailText(k, node, node.tail, output);
  const isReduced = (axis: number) => axes.includes(axis);
  const name = `${type.toLowerCase()}_${x.shape.map((_, i) => (isReduced(i) ? 'r' : 'k')).join('')}`;
  if (isRow(x.shape, output.shape, axes)) {
    const [rows, centres] = [rowsOf(k, input), centre && rowsOf(k, k.input(centre))];
    const body = k.eachPixel((p) => rowText(rows(p), fold, centres?.(p), mean));
    return k.finish(`${type.toLowerCase()}_row`, body, 0, tail);
  }
  if (isReduced(x.shape.length - 1)) {
    const one = `float one(float index) {
  ${nest(k, input, x.shape, isReduced, fold, 'index')}
  vec4 all = t0.xxxx; ${['y', 'z', 'w'].map((lane) => fold.step('all', `t0.${lane.repeat(4)}`)).join(' ')}
  return ${mean('all.x')};
}`;
    k.declare(one);
    const lanes =
      k.out.c === 1
        ? 'return vec4(one(index), 0.0, 0.0, 0.0);'
        : `vec4 v = vec4(0.0); for (float i = 0.0; i < 4.0; i++) v = mix(v, vec4(one(index + i)), equal(vec4(i), vec4(0.0, 1.0, 2.0, 3.0)));\nreturn v;`;
    return k.finishTexel(
      name,
      `${centreText(k, centre)}float index = ${pixelIndex(k)} * ${k.size(k.out.c)} + s * 4.0;\n${lanes}`,
      tail,
      true,
    );
  }
  const text = isPlane(x.shape, isReduced)
    ? wholePlane(k, input, fold)
    : nest(k, input, x.shape, isReduced, fold, pixelIndex(k));
  return k.finishTexel(
    isPlane(x.shape, isReduced) ? `${type.toLowerCase()}_plane` : name,
    `${centreText(k, centre)}${text}\nreturn ${mean('t0')};`,
    tail,
    true,
  );
}

/** Elements are squared differences; partial results are folded as they are. */
function ofSquaredDifferences(fold: Fold): Fold {
  return { ...fold, element: (v, centre) => `${v} = (${v} - ${centre}) * (${v} - ${centre});` };
}

/** The statement that sets `centre` to what belongs to the output that `texel` makes. */
function centreText(k: ShaderBuilder, centre: Value | undefined): string {
  if (!centre) return '';
  const { layout, at } = k.input(centre);
  const read = at(keep(layout.n, 'n'), keep(layout.h, 'y'), keep(layout.w, 'x'), keep(layout.c, 's'));
  return `centre = ${read}${layout.c === 1 ? '.xxxx' : ''};\n`;
}

/** True where the last axis alone is reduced, to 1: each pixel of the output is that of the input. */
function isRow(shape: Shape, output: Shape, axes: readonly number[]): boolean {
  return axes.length === 1 && axes[0] === shape.length - 1 && output.length === shape.length;
}

/** Folds a row into a0. */
function rowText({ each }: Row, fold: Fold, centre: Row | undefined, mean: (sum: string) => string): string {
  const start = `vec4(${float(fold.start)})`;
  const padding = fold.start !== 0 || fold.element ? fold.start : undefined;
  const lanes = ['y', 'z', 'w'].map((lane) => fold.step('all', `t.${lane.repeat(4)}`)).join(' ');
  return `vec4 t = ${start}; ${centre ? `vec4 centre = ${centre.first}.xxxx;` : ''}
  ${each(padding, fold.step('t', 'v'), fold.element?.('v', 'centre'))}
  vec4 all = t.xxxx; ${lanes} a0 = vec4(${mean('all.x')}, 0.0, 0.0, 0.0);`;
}

/** True where height and width are reduced as a whole and nothing else is. */
function isPlane(shape: Shape, isReduced: (axis: number) => boolean): boolean {
  const rank = shape.length;
  const first = rank >= 4 ? rank - 3 : rank - 2;
  return rank > 1 && shape.every((d, i) => d === 1 || (i < rank - 1 && isReduced(i)) === (i >= first && i < rank - 1));
}

/** Folds a slice of image number `pixel index` of the output into t0: texel by texel, all layers of each, no divisions. */
function wholePlane(k: ShaderBuilder, input: InputAccess, fold: Fold): string {
  const { bx, by, h, w } = input.layout;
  const start = `vec4(${float(fold.start)})`;
  const layer = (p: number): string => {
    const beyondX = w % bx > 0 && p % bx >= w % bx;
    const beyondY = h % by > 0 && Math.floor(p / bx) >= h % by;
    const inside = [beyondX ? 'tx + 1.0 < tileW' : '', beyondY ? 'ty + 1.0 < tileH' : ''].filter(Boolean).join(' && ');
    const read = input.texel('at', plus('layer', p));
    const mask = inside ? `v = mix(${start}, v, bvec4(${inside}));` : '';
    return `{ vec4 v = ${read}; ${fold.element?.('v', 'centre') ?? ''} ${mask} ${fold.step('line', 'v')} }`;
  };
  return `float image = ${pixelIndex(k)}, layer = ${plus('0.0', input.layerOf('s'))}, tileW = ${k.count(input.layout.tileW)}, tileH = ${k.count(input.layout.tileH)};
  vec2 first = ${input.tile('image', 's')};
  vec4 t0 = ${start};
  for (float ty = 0.0; ty < tileH; ty++) {
    vec4 line = ${start};
    for (float tx = 0.0; tx < tileW; tx++) {
      vec2 at = first + vec2(tx, ty);
      ${Array.from({ length: bx * by }, (_, p) => layer(p)).join('\n      ')}
    }
    ${fold.step('t0', 'line')}
  }`;
}

/**
 * Folds into t0 what belongs to one output: `index` counts the kept axes (but for kept channels, which are slice `s`)
 * in dense order, and every reduced axis is a loop with a partial result of its own.
 */
function nest(
  k: ShaderBuilder,
  input: InputAccess,
  shape: Shape,
  isReduced: (axis: number) => boolean,
  fold: Fold,
  index: string,
): string {
  k.helper('divide');
  const dims = shape.length ? shape : [1];
  const channel = dims.length - 1;
  const axes = dims.map((_, i) => i).slice(0, -1);
  const lines = [`float rest${axes.length} = ${index};`];
  for (const axis of [...axes].reverse()) {
    if (isReduced(axis) || dims[axis] === 1) {
      lines.push(`float rest${axis} = rest${axis + 1};`);
      continue;
    }
    const size = k.size(dims[axis]!);
    lines.push(
      `float rest${axis} = divide(rest${axis + 1}, ${size}, ${k.size(1 / dims[axis]!)}), at${axis} = rest${axis + 1} - rest${axis} * ${size};`,
    );
  }
  const position = (axis: number): string => (dims[axis] === 1 ? '0.0' : `at${axis}`);
  const strides = stridesOf(axes.slice(0, dims.length >= 4 ? -2 : -1).map((axis) => dims[axis]!));
  const n = strides.map((stride, axis) => `${position(axis)} * ${k.size(stride)}`).join(' + ') || '0.0';
  const y = dims.length >= 4 ? position(channel - 2) : '0.0';
  const x = dims.length >= 2 ? position(channel - 1) : '0.0';
  const loops = axes.filter((axis) => isReduced(axis) && dims[axis]! > 1);
  const start = `vec4(${float(fold.start)})`;
  const inner = (level: number): string => {
    const element = fold.element ?? (() => '');
    if (!isReduced(channel)) return `vec4 t${level} = ${input.at(n, y, x, 's')}; ${element(`t${level}`, 'centre')}`;
    const [, , , c] = toNHWC(dims);
    const ragged = c % 4 !== 0 && (fold.start !== 0 || fold.element);
    const mask = ragged
      ? ` v = mix(${start}, v, lessThan(r * 4.0 + vec4(0.0, 1.0, 2.0, 3.0), vec4(${k.size(c)})));`
      : '';
    return `vec4 t${level} = ${start}; for (float r = 0.0; r < ${k.count(input.layout.slices)}; r++) { vec4 v = ${input.at(n, y, x, 'r')}; ${element('v', 'centre')}${mask} ${fold.step(`t${level}`, 'v')} }`;
  };
  const loop = (level: number): string => {
    const axis = loops[level];
    if (axis === undefined) return inner(level);
    return `vec4 t${level} = ${start};
  for (float at${axis} = 0.0; at${axis} < ${k.count(dims[axis]!)}; at${axis}++) { ${loop(level + 1)} ${fold.step(`t${level}`, `t${level + 1}`)} }`;
  };
  return `${lines.join(' ')}\n  ${loop(0)}`;
}
