// Minimal filtering F(m×m, 3×3) (Winograd 1980; Lavin & Gray 2015, arXiv 1509.09308): a 3×3 window of m×m outputs takes
// (m + 2)² products where it takes 9 m². Four kinds of draws: the columns of each patch of (m + 2)² pixels to m + 2 points
// each, rows of those alike, a matrix product for each of the (m + 2)² points, and their way back to pixels.
//
// Points of an axis are 0, ∞ and pairs ±p. Both of a pair are made of the same two sums of pixels, one of the even and one
// of the odd places, so they are made together: as slices 2s and 2s + 1 of a tensor [image · pairs, …, 2 · slices], which
// share a fragment where slices are paired.
import type { Node, Value } from '../ir/graph.js';
import { type Shape, sizeOf } from '../ir/shape.js';
import { layoutProblem, tilingOf } from '../layout/layout.js';
import {
  FilterLayout,
  type FilterShape,
  isPieceDone,
  lanesOf,
  vectorBlock,
  type WeightBlock,
} from '../layout/weights.js';
import { plus } from '../shader/builder.js';
import { bitsOf, float, masked, range } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import type { Target } from '../shader/target.js';
import { startOfSlice } from './bias.js';
import { type BuildContext, builderFor } from './form.js';
import { matrix } from './matrix.js';
import { activationText } from './tail.js';
import type { Window } from './window.js';

/** How a convolution is done by minimal filtering. */
interface Filtering {
  /** Outputs of a patch along an axis. */
  readonly m: Size;
  /** Tensors between the draws. */
  readonly columns: Shape;
  readonly patches: Shape;
  readonly products: Shape;
}

export type Size = 2 | 4;

/**
 * The p of the pairs ±p. Those of 4 lose a sixth of a digit against direct sums of 256 channels (1.0e-6 of their root mean
 * square, direct 0.7e-6); the usual 1 and 2 lose half a digit (2.4e-6). All products of these p are exact.
 */
export const PAIRS: Readonly<Record<Size, readonly number[]>> = { 2: [1], 4: [0.75, 1.5] };

/** How much less work than the direct kernel it must be: its tensors are larger, and it is three programs more. */
const LEAST_GAIN = 1.3;
/** Elements of a tensor between the draws, and of all filters. */
const LARGEST_IMAGE = 2 ** 22;
const LARGEST_FILTERS = 6e6;

/** Points along an axis. */
const pointsOf = (m: Size) => m + 2;

/** How to do a convolution by minimal filtering; `undefined` where the direct kernel is to do it. */
function filteringOf(
  { inputs: [x], outputs: [output] }: Node,
  { filter, stride, dilation, outside }: Window,
  { winograd, targets, maxTextureSize, precision }: Target,
): Filtering | undefined {
  const [n, h, w, outC] = output!.shape as [number, number, number, number];
  const inC = x!.shape[3]!;
  const isPlain = [...filter, ...stride, ...dilation].join() === '3,3,1,1,1,1';
  // Sums of halves would lose too much.
  if (winograd === 'never' || !isPlain || outside || precision === 'float16') return undefined;
  const [i, o] = [Math.ceil(inC / 4), Math.ceil(outC / 4)];
  const half = (size: number) => Math.ceil(size / 2);
  // In fetches of fragments that write a slice, or two; 27 multiply-adds count as one, and a texel that is written as 1.5.
  const slices = targets === 8 ? 2 : 1;
  const direct = ((16 + 57 * slices) / slices) * i * o * half(h) * half(w);
  const made = ([2, 4] as const).flatMap((m) => {
    const points = pointsOf(m);
    const [down, across] = [Math.ceil(h / m), Math.ceil(w / m)];
    const columns = [(n * points) / 2, down, x!.shape[2]!, 8 * i];
    const patches = [(n * points ** 2) / 2, down, across, 8 * i];
    const images = [n * points ** 2, down, across, outC];
    const fits = [columns, patches, images].every(
      (shape) => !layoutProblem(shape, targets, maxTextureSize) && sizeOf(shape) <= LARGEST_IMAGE,
    );
    if (!fits || down < 2 || across < 2 || points ** 2 * inC * outC > LARGEST_FILTERS) return [];
    const blocks = half(down) * half(across);
    const there =
      (points / slices) * i * (4 * (m + 1) + 6 * slices) * (half(down) * half(x!.shape[2]!) + points * blocks);
    const products = points ** 2 * ((4 + 6.4 * slices) / slices) * i * o * blocks;
    const back = o * half(h) * half(w) * (m === 2 ? 22 : 31);
    return [{ m, columns, patches, products: images, cost: there + products + back }];
  });
  const best = made.sort((a, b) => a.cost - b.cost)[0];
  return best && (winograd === 'always' || direct >= best.cost * LEAST_GAIN) ? best : undefined;
}

/** The draws of a convolution by minimal filtering, where the target wants it. */
export function winograd(
  node: Node,
  context: BuildContext,
  x: Value,
  filter: () => ArrayLike<number>,
  window: Window,
  bias: Value | undefined,
): Kernel[] | undefined {
  const filtering = filteringOf(node, window, context.target);
  if (!filtering) return undefined;
  const { m } = filtering;
  const columns = context.scratch(filtering.columns);
  const patches = context.scratch(filtering.patches);
  const products = context.scratch(filtering.products);
  return [
    toPoints(node, context, 'columns', x, columns, m, window.before[0]),
    toPoints(node, context, 'rows', columns, patches, m, window.before[1]),
    multiply(node, context, patches, products, x.shape[3]!, filter, m),
    toPixels(node, context, products, bias, m),
  ];
}

/**
 * What a pair takes of the m + 2 places of a patch, by pairs: `even` of the even places and `odd` of the odd ones. The
 * first pair, 0 and ∞, is one sum each; of ±p one is their sum and one their difference.
 */
export function pairsOf(m: Size): readonly { even: readonly number[]; odd: readonly number[] }[] {
  const squares = PAIRS[m].map((p) => p * p);
  /** Π (z − q) over all q but one, by powers of z. */
  const without = (skipped: number) =>
    squares.reduce(
      (product, q, i) =>
        i === skipped ? product : range(product.length + 1).map((k) => (product[k - 1] ?? 0) - q * (product[k] ?? 0)),
      [1],
    );
  const ends = without(-1);
  const pairs = PAIRS[m].map((p, i) => {
    const rest = without(i);
    return { even: [0, ...rest], odd: [...rest.map((v) => p * v), 0] };
  });
  return [{ even: ends, odd: ends }, ...pairs];
}

/**
 * The filters of all points, one behind the other: G · g · Gᵀ of a filter g [outC, 3, 3, inC]. Of three numbers a, b, c the
 * points are a (0), c (∞) and a ± p b + p² c, each over the product of its distances to the others.
 */
export function filtersOf(filter: () => ArrayLike<number>, m: Size, shape: FilterShape): WeightBlock {
  const layout = new FilterLayout(shape);
  const { outC, inC } = shape;
  const size = pointsOf(m);
  const squares = PAIRS[m].map((p) => p * p);
  const ofZero = 1 / squares.reduce((product, q) => -q * product, 1);
  const scales = squares.map((q, i) => squares.reduce((n, r, j) => (j === i ? n : n / (q - r)), 1 / (2 * q)));
  const odds = scales.map((scale, k) => scale * PAIRS[m][k]!);
  /** Puts the points of a, b, c into `to`, `step` apart. */
  const put = (to: Float32Array | Float64Array, at: number, step: number, a: number, b: number, c: number) => {
    to[at] = a * ofZero;
    to[at + step] = c;
    for (let k = 0, next = at + 2 * step; k < squares.length; k++, next += 2 * step) {
      const even = (a + squares[k]! * c) * scales[k]!;
      const odd = b * odds[k]!;
      to[next] = even + odd;
      to[next + step] = even - odd;
    }
  };
  return {
    group: layout.group,
    groups: layout.groups * size * size,
    constant: undefined,
    *texels() {
      const g = filter();
      const texels = new Float32Array(size * size * layout.size);
      const columns = new Float64Array(3 * size);
      for (let o = 0; o < outC; o++) {
        if (isPieceDone(o, inC * size * size)) yield;
        for (let i = 0; i < inC; i++) {
          const at = o * 9 * inC + i;
          for (let col = 0; col < 3; col++)
            put(columns, col, 3, g[at + col * inC]!, g[at + (col + 3) * inC]!, g[at + (col + 6) * inC]!);
          const place = layout.placeOf(o, i);
          for (let row = 0; row < size; row++) {
            const [first, k] = [place + row * size * layout.size, 3 * row];
            put(texels, first, layout.size, columns[k]!, columns[k + 1]!, columns[k + 2]!);
          }
        }
      }
      return texels;
    },
  };
}

/**
 * Bᵀ along an axis: of the m + 2 places of each patch to as many points, `before` of them outside the input at first. The
 * axis is a parameter, so that columns and rows share a program.
 */
function toPoints(
  node: Node,
  context: BuildContext,
  axis: 'columns' | 'rows',
  x: Value,
  to: Value,
  m: Size,
  before: number,
): Kernel {
  const k = builderFor({ ...node, tail: [] }, context, [], to);
  const input = k.input(x);
  const isDown = axis === 'columns';
  // Blocks of both are squares: 2×2, or 1×1 where a fragment writes one pixel.
  const { bx: block } = k.out;
  const pairs = pairsOf(m);
  const ofPair = (value: (pair: number) => number) =>
    pairs
      .slice(1)
      .map((_, i) => `pair < ${float(i + 0.5)} ? ${float(value(i))} : `)
      .join('') + float(value(pairs.length - 1));
  const half = range(m / 2 + 1);
  const coefficients = half.flatMap((i) => [
    `e${i} = ${ofPair((p) => pairs[p]!.even[i]!)}`,
    `o${i} = ${ofPair((p) => pairs[p]!.odd[i]!)}`,
  ]);
  const places = range(m * (block - 1) + m + 2);
  const texelOf = (place: number) => Math.floor((place - before) / block);
  const texels = [...new Set(places.map(texelOf))];
  const coordinates = texels.flatMap((texel, i) =>
    (['x', 'y'] as const).map(
      (c) => `${c === 'x' ? 'u' : 'v'}${i} = ${input.coordinate(c, `at.${c} + along.${c} * ${float(texel)}`)}`,
    ),
  );
  const masks = places.map((place) => {
    const at = `first + ${float(place - before)}`;
    return `mask${place} = ${bitsOf(`${at} >= 0.0 && ${at} < size`)}`;
  });
  const reads = range(block).flatMap((across) =>
    places.map((place) => {
      const i = texels.indexOf(texelOf(place));
      const odd = place - before - texelOf(place) * block;
      return `vec4 i${across}_${place} = ${masked(input.fetch(`u${i}`, `v${i}`, `l${odd}${across}`), `mask${place}`)};`;
    }),
  );
  // Where fragments make one slice, they make one of a pair.
  const isOne = k.slices.length === 1;
  const shares = (ps: number) => {
    const [first, second] = ['even + both * odd', 'both * even + (1.0 - 2.0 * both) * odd'];
    return isOne ? `member < 0.5 ? ${first} : ${second}` : ps === 0 ? first : second;
  };
  const sums = k.pixels.map(({ pixel, px, py }) => {
    // As if along y: along x, pixels 1 and 2 trade places.
    const sum = (name: string, parity: number) =>
      half.map((i) => `${name}${i} * i${px}_${py * m + 2 * i + parity}`).join(' + ');
    const made = k.slices.map(({ ps }) => `a${k.planesOf(ps)[pixel]!.index} = ${shares(ps)};`);
    return `{ vec4 even = ${sum('e', 0)}, odd = ${sum('o', 1)}; ${made.join(' ')} }`;
  });
  const trades = k.slices.map(({ ps }) => {
    const [, a, b] = k.planesOf(ps).map(({ index }) => `a${index}`);
    return b
      ? `{ vec4 held = ${a}; ${a} = mix(${b}, held, bvec4(isDown)); ${b} = mix(held, ${b}, bvec4(isDown)); }`
      : '';
  });
  // Columns are made of slices, and rows of one of the two that a slice has become.
  const sources = isDown ? 1 : 2;
  const [image, source] = [k.size(1 / sources), k.size(sources)];
  const body = `float rest = floor((o_n + 0.5) * ${float(1 / pairs.length)}), pair = o_n - rest * ${float(pairs.length)};
  float image = floor((rest + 0.25) * ${image}), s = floor(o_s * 0.5), slice = (s - image) * ${source} + rest;
  float both = pair < 0.5 ? 0.0 : 1.0${isOne ? ', member = o_s - 2.0 * s' : ''};
  float ${coefficients.join(', ')};
  bool isDown = ${k.size(isDown ? 1 : 0)} > 0.5;
  vec2 along = isDown ? vec2(0.0, 1.0) : vec2(1.0, 0.0);
  float first = ${float(m * block)} * (isDown ? o_y : o_x), size = ${k.size(isDown ? input.layout.h : input.layout.w)};
  uint ${masks.join(', ')};
  vec2 at = ${input.tile('image', 'slice')} + vec2(o_x, o_y) * (1.0 + ${float(m - 1)} * along);
  float l00 = ${plus('0.0', input.layerOf('slice'))}${block === 1 ? '' : ', l10 = l00 + (isDown ? 2.0 : 1.0), l01 = l00 + 3.0 - (l10 - l00), l11 = l00 + 3.0'};
  ${input.coordinateType} ${coordinates.join(', ')};
  ${[...reads, ...sums, ...trades].filter(Boolean).join('\n  ')}`;
  return k.finish(`winograd_${axis}`, body, 0);
}

/** The matrix product of each point. */
function multiply(
  node: Node,
  context: BuildContext,
  x: Value,
  to: Value,
  inC: number,
  filter: () => ArrayLike<number>,
  m: Size,
): Kernel {
  const count = pointsOf(m) ** 2;
  const [images, down, across, outC] = to.shape as [number, number, number, number];
  const slices = Math.ceil(inC / 4);
  const { bs } = tilingOf(to.shape, context.target.targets);
  const shape = { outC, taps: 1, inC, outSlices: bs, inSlices: bs > 1 && slices % 2 === 0 ? 2 : 1 };
  const lanes = lanesOf(inC);
  const weights = filtersOf(filter, m, shape);
  const k = builderFor({ ...node, tail: [] }, context, [weights], to);
  const input = k.input(x);
  const w = k.block(weights);
  const steps = k.count(slices / shape.inSlices);
  const ofPoint = `(o_n - floor((o_n + 0.5) * ${float(1 / count)}) * ${float(count)}) * ${k.size(weights.groups / count)}`;
  const layers = k.pixels.map((_, i) => plus(input.layout.bs > 1 ? 'layer' : 0, i));
  const slice = (q: number) => {
    const reads = k.pixels.map((_, i) => `vec4 x_${i} = ${input.fetch('u', 'v', layers[i]!)};`);
    const sums = range(bs).map((ps) => {
      const columns = range(lanes).map((lane) => w.at((q * bs + ps) * lanes + lane));
      const { text, times } = matrix('m', columns);
      return `{ ${text} ${k
        .planesOf(ps)
        .map(({ index, pixel }) => `a${index} += ${times(`x_${pixel}`)};`)
        .join(' ')} }`;
    });
    const at = input.here('image', `(float(s) * ${float(2 * shape.inSlices)} + ${float(2 * q)} + member)`);
    return `{ vec2 at = ${at}; ${input.coordinateType} u = ${input.coordinate('x', 'at.x')}, v = ${input.coordinate('y', 'at.y')};
    ${[...reads, ...sums].join('\n    ')} }`;
  };
  const body = `float image = floor(o_n * 0.5), member = o_n - image * 2.0, layer = member * ${float(k.pixels.length)};
  ${w.begin(`(${bs > 1 ? `o_s * ${float(1 / bs)}` : 'o_s'} * ${steps} + ${ofPoint})`)}
  int n = ${k.spare()} ? 0 : int(${steps});
  for (int s = 0; s < n; s++) {
    ${range(shape.inSlices).map(slice).join('\n    ')}
    ${w.next()}
  }`;
  return k.finish('winograd_products', body, images * down * across * inC * outC);
}

/**
 * bias + Aᵀ · m · A: what the points of a patch give to a block of 2×2 outputs, or to one where fragments write one. A
 * block takes all pairs, of patches of 2 both 0 and ∞, and of those of 4 the one that its half of the patch has: it is
 * pixels 0 and 1, or 2 and 3, and ±p gives (±p)^i to pixel i, 0 gives to pixel 0 alone and ∞ to the last.
 */
function toPixels(node: Node, context: BuildContext, x: Value, bias: Value | undefined, m: Size): Kernel {
  const biases = bias && vectorBlock(bias.data as ArrayLike<number>);
  const k = builderFor(node, context, biases ? [biases] : []);
  const input = k.input(x);
  const b = biases && k.block(biases);
  const isBlock = k.pixels.length > 1;
  const size = pointsOf(m);
  /** What ±p gives to both pixels of a block, by the powers of p in GLSL. */
  const ofPair = (later: string, power: (i: number) => string): Gives =>
    m === 2 ? ['1.0', power(1)] : [`mix(1.0, ${power(2)}, ${later})`, `mix(${power(1)}, ${power(3)}, ${later})`];
  const ofEnd = (isInfinity: string): Gives => [`1.0 - ${isInfinity}`, isInfinity];
  // Along x, in the text.
  const ends = m === 2 ? ['0.0', '1.0'] : ['later.x'];
  const columns = [
    ...ends.map((at) => ({ at, gives: ofEnd(at) })),
    ...PAIRS[m].flatMap((p, i) =>
      [p, -p].map((point, j) => ({
        at: float(2 * i + 2 + j),
        gives: ofPair('later.x', (power) => float(point ** power)),
      })),
    ),
  ];
  const shares = columns.map(({ gives: [first, second] }, i) => `first${i} = ${first}, second${i} = ${second}`);
  // Along y, in turns.
  const isEnd = `row < ${float(ends.length - 0.5)}`;
  const [point, end] = m === 2 ? ['row', 'row'] : [`${isEnd} ? later.y : row + 1.0`, 'later.y'];
  const p = PAIRS[m].reduceRight(
    (text, p, i) => (text ? `point < ${float(2 * i + 3.5)} ? ${float(p)} : ${text}` : float(p)),
    '',
  );
  const [first, second] = ofPair('later.y', (power) =>
    range(power)
      .map(() => 'root')
      .join(' * '),
  );
  const [firstOfEnd, secondOfEnd] = ofEnd(end);
  const body = k.eachSlice((slice) => {
    const reads = columns.map(({ at }, j) => {
      const tile = input.tile(`(first + ${float(size)} * point + ${at})`, slice.s);
      return `m${j} = ${input.texel(`${tile} + texel`, 'layer')}`;
    });
    const sum = (share: string) => columns.map((_, j) => `${share}${j} * m${j}`).join(' + ');
    const sums = isBlock
      ? k.pixels.map(({ index, pixel }) => `a${index} += sum${pixel};`)
      : ['a0 += odd.y < 0.5 ? (odd.x < 0.5 ? sum0 : sum1) : (odd.x < 0.5 ? sum2 : sum3);'];
    return `${startOfSlice(k, b, slice)}
    float layer = ${plus(isBlock ? 'plane.y * 2.0 + plane.x' : '0.0', input.layerOf(slice))};
    vec4 sum0 = vec4(0.0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (float row = 0.0; row < ${float(columns.length)}; row++) {
      float point = ${point}, root = (1.0 - 2.0 * mod(point, 2.0)) * (${p});
      float toFirst = ${isEnd} ? ${firstOfEnd} : ${first}, toSecond = ${isEnd} ? ${secondOfEnd} : ${second};
      vec4 ${reads.join(', ')}, u = ${sum('first')}, v = ${sum('second')};
      sum0 += toFirst * u; sum1 += toFirst * v; sum2 += toSecond * u; sum3 += toSecond * v;
    }
    ${sums.join(' ')}`;
  });
  const block = isBlock ? 'vec2(o_x, o_y)' : 'floor(vec2(o_x, o_y) * 0.5)';
  const patches = m === 2 ? 'patches = block' : 'patches = floor(block * 0.5), later = block - patches * 2.0';
  const texel = isBlock
    ? 'texel = floor(patches * 0.5), plane = patches - texel * 2.0'
    : 'texel = patches, odd = vec2(o_x, o_y) - block * 2.0';
  const before = `${b ? b.begin('o_s') : ''} float first = o_n * ${float(size ** 2)};
  vec2 block = ${block}, ${patches}, ${texel};
  float ${shares.join(', ')};`;
  return k.finish('winograd_pixels', `${before} ${body}`, 0, activationText(k, node));
}

/** GLSL of what a point gives to the first and the second pixel of a block. */
type Gives = readonly [first: string, second: string];
