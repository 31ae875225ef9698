// Winograd's minimal filtering F(2×2, 3×3) (Lavin & Gray 2015, arXiv 1509.09308): 16 products where a 3×3 window of
// 2×2 outputs takes 36. Three kinds of draws: patches to their 16 transformed values, a matrix product for each of
// those, and their way back to pixels. Transformed images are tensors [batch · 16, ⌈h / 2⌉, ⌈w / 2⌉, c].
import type { Node, Value } from '../ir/graph.js';
import { type Shape, sizeOf } from '../ir/shape.js';
import { layoutProblem } from '../layout/layout.js';
import { isPieceDone, vectorBlock } from '../layout/weights.js';
import { plus } from '../shader/builder.js';
import { bitsOf, float, masked, range } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import type { Target } from '../shader/target.js';
import type { Pieces } from '../task.js';
import { startOfSlice } from './bias.js';
import { type BuildContext, builderFor } from './form.js';
import { activationText } from './tail.js';
import type { Window } from './window.js';

/** Products of a patch. */
export const POINTS = 16;
/** How much less work than the direct kernel it must be: its tensors are 4 times as large as the images. */
const LEAST_GAIN = 1.3;
/** Elements of a transformed image. */
const LARGEST_IMAGE = 2 ** 21;
/** Of a vec2 with the first and the second pixel that a point takes along an axis. */
const LANES = ['x', 'y'] as const;
type Lane = (typeof LANES)[number];

/** Shapes of the transformed input and output of a convolution; none where the direct kernel is to do it. */
export function winogradShapes(
  { inputs: [x], outputs: [output] }: Node,
  { filter, stride, dilation, outside }: Window,
  { winograd, targets, maxTextureSize, precision }: Target,
): readonly Shape[] {
  const [n, h, w, outC] = output!.shape as [number, number, number, number];
  const inC = x!.shape[3]!;
  const isPlain = [...filter, ...stride, ...dilation].join() === '3,3,1,1,1,1';
  // Sums of halves would lose too much.
  if (winograd === 'never' || !isPlain || outside || h < 4 || w < 4 || precision === 'float16') return [];
  // In fetches for each 2×2 outputs, 27 multiply-adds counted as one; the ways there and back as measured.
  const [i, o] = [Math.ceil(inC / 4), Math.ceil(outC / 4)];
  const direct = 65 * i * o;
  const transformed = 34 * i * o + 60 * i + 20 * o;
  if (winograd === 'cheaper' && direct < transformed * LEAST_GAIN) return [];
  const of = (c: number) => [n * POINTS, Math.ceil(h / 2), Math.ceil(w / 2), c] as const;
  const shapes = [of(inC), of(outC)];
  const fits = shapes.every(
    (shape) => !layoutProblem(shape, targets, maxTextureSize) && sizeOf(shape) <= LARGEST_IMAGE,
  );
  return fits ? shapes : [];
}

/** A filter [outC, 3, 3, inC] as one [outC, inC] for each point: G · g · Gᵀ. */
export function* winogradFilter(filter: ArrayLike<number>, outC: number, inC: number): Pieces<Float32Array[]> {
  const points = range(POINTS).map(() => new Float32Array(outC * inC));
  // Of one row of G · g, all columns of g, and then of one row of the result: [a, (a + b + c) / 2, (a − b + c) / 2, c].
  const rows = new Float64Array(4 * 3);
  for (let o = 0; o < outC; o++) {
    if (isPieceDone(o, inC * POINTS)) yield;
    for (let i = 0; i < inC; i++) {
      for (let col = 0; col < 3; col++) {
        const at = (o * 9 + col) * inC + i;
        const [a, b, c] = [filter[at]!, filter[at + 3 * inC]!, filter[at + 6 * inC]!];
        rows[col] = a;
        rows[3 + col] = (a + b + c) / 2;
        rows[6 + col] = (a - b + c) / 2;
        rows[9 + col] = c;
      }
      for (let row = 0; row < 4; row++) {
        const [a, b, c] = [rows[3 * row]!, rows[3 * row + 1]!, rows[3 * row + 2]!];
        points[4 * row]![o * inC + i] = a;
        points[4 * row + 1]![o * inC + i] = (a + b + c) / 2;
        points[4 * row + 2]![o * inC + i] = (a - b + c) / 2;
        points[4 * row + 3]![o * inC + i] = c;
      }
    }
  }
  return points;
}

/**
 * Bᵀ · d · B of the 4×4 patches of every 2×2 outputs. A point takes rows 0 − 2, 1 + 2, 2 − 1 or 1 − 3 of its patch, and
 * columns alike. Patches of a block of 2×2 lie 2 pixels apart, so they find those in the same planes, a texel apart.
 */
export function transformPatches(node: Node, context: BuildContext, x: Value, to: Value, { before }: Window): Kernel {
  const k = builderFor({ ...node, tail: [] }, context, [], to);
  const input = k.input(x);
  // Blocks of both are squares: 2×2, or 1×1 where a fragment writes one pixel.
  const { bx: block } = k.out;
  const blocks = range(block);
  /** Along an axis: the two pixels of a patch that the point takes, and by how much the second counts. */
  const along = (v: string, o: string, pad: number, size: number) => {
    const end = k.size(size);
    const inside = blocks.map((d) => {
      const bits = LANES.map((i) => bitsOf(`${v}In${d}.${i} >= 0.0 && ${v}In${d}.${i} < ${end}`));
      return `vec2 ${v}In${d} = ${v} + ${float(2 * d)}; uvec2 ${v}Mask${d} = uvec2(${bits});`;
    });
    return `float ${v}p = ${v === 'down' ? 'floor(point * 0.25)' : 'point - floor(point * 0.25) * 4.0'};
  vec2 ${v} = ${o} * ${float(2 * block)} - ${k.size(pad)} + (${v}p < 0.5 ? vec2(0.0, 2.0) : ${v}p < 1.5 ? vec2(1.0, 2.0) : ${v}p < 2.5 ? vec2(2.0, 1.0) : vec2(1.0, 3.0));
  vec2 ${v}Texel = floor(${v} * ${float(1 / block)}), ${v}Odd = ${v} - ${v}Texel * ${float(block)};
  float ${v}Sign = ${v}p > 0.5 && ${v}p < 1.5 ? 1.0 : -1.0;
  ${inside.join(' ')}`;
  };
  /** What the reads of a slice share: coordinates of both pixels of each patch of the block, and layers. */
  const places = (axis: Lane, v: string, name: string) =>
    blocks.flatMap((d) =>
      LANES.map((i) => `${name}${d}${i} = ${input.coordinate(axis, `at.${axis} + ${v}Texel.${i} + ${float(d)}`)}`),
    );
  const layers = LANES.flatMap((i) => LANES.map((j) => `l${i}${j} = layer + downOdd.${i} * 2.0 + acrossOdd.${j}`));
  const read = (px: number, py: number, i: Lane, j: Lane) =>
    masked(input.fetch(`u${px}${j}`, `v${py}${i}`, `l${i}${j}`), `downMask${py}.${i} & acrossMask${px}.${j}`);
  const slices = k.eachSlice((slice) => {
    const sums = k.pixels.map(({ index, px, py }) => {
      const line = (i: Lane) => `(${read(px, py, i, 'x')} + acrossSign * ${read(px, py, i, 'y')})`;
      return `a${index} = ${line('x')} + downSign * ${line('y')};`;
    });
    const coordinates = [...places('x', 'across', 'u'), ...places('y', 'down', 'v')];
    return `vec2 at = ${input.tile('image', slice.s)}; float layer = ${plus('0.0', input.layerOf(slice))}, ${layers.join(', ')};
    ${input.coordinateType} ${coordinates.join(', ')};
    ${sums.join('\n    ')}`;
  });
  const body = `float image = floor((o_n + 0.5) * ${float(1 / POINTS)}), point = o_n - image * ${float(POINTS)};
  ${along('down', 'o_y', before[0], input.layout.h)}
  ${along('across', 'o_x', before[1], input.layout.w)}
  ${slices}`;
  return k.finish('winograd_patches', body, 0);
}

/** bias + Aᵀ · m · A: the 16 products of a patch become 2×2 pixels, a block of the output or one pixel of them each. */
export function transformBack(node: Node, context: BuildContext, m: Value, bias: Value | undefined): Kernel {
  const biases = bias && vectorBlock(bias.data as ArrayLike<number>);
  const k = builderFor(node, context, biases ? [biases] : []);
  const input = k.input(m);
  const b = biases && k.block(biases);
  const isBlock = k.pixels.length > 1;
  const sum = (column: 'u' | 'v', py: number) =>
    py === 0 ? `${column}0 + ${column}1 + ${column}2` : `${column}1 - ${column}2 - ${column}3`;
  const body = k.eachSlice((slice) => {
    const line = (i: number) => {
      const read = (j: number) =>
        input.texel(`${input.tile(`(first + ${float(4 * i + j)})`, slice.s)} + texel`, 'layer');
      return `{ vec4 m0 = ${read(0)}, m1 = ${read(1)}, m2 = ${read(2)}, m3 = ${read(3)}; u${i} = m0 + m1 + m2; v${i} = m1 - m2 - m3; }`;
    };
    const ofRow = (py: number) => `(odd.x < 0.5 ? ${sum('u', py)} : ${sum('v', py)})`;
    const sums = isBlock
      ? k.pixels.map(({ index, px, py }) => `a${index} += ${sum(px === 0 ? 'u' : 'v', py)};`)
      : [`a0 += odd.y < 0.5 ? ${ofRow(0)} : ${ofRow(1)};`];
    return `${startOfSlice(k, b, slice)}
    vec2 texel = floor(vec2(o_x, o_y) * 0.5), odd = vec2(o_x, o_y) - texel * 2.0;
    float first = o_n * ${float(POINTS)}, layer = ${plus(isBlock ? 'odd.y * 2.0 + odd.x' : '0.0', input.layerOf(slice))};
    vec4 u0, u1, u2, u3, v0, v1, v2, v3;
    ${range(4).map(line).join('\n    ')}
    ${sums.join(' ')}`;
  });
  return k.finish('winograd_pixels', `${b ? b.begin('o_s') : ''} ${body}`, 0, activationText(k, node));
}
