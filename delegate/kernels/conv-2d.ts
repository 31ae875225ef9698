import type { Node, Value } from '../ir/graph.js';
import { type Shape, sizeOf } from '../ir/shape.js';
import { type Tiling, tilingOf } from '../layout/layout.js';
import { ARENA_WIDTH, type Filter, filterBlock, lanesOf, vectorBlock } from '../layout/weights.js';
import { type Plane, plus, type ShaderBuilder, type SliceOfGroup } from '../shader/builder.js';
import { float, range } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import { startText } from './bias.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { matrix } from './matrix.js';
import { foldText, POOLS, type Pool, poolForm } from './pool.js';
import { activationText } from './tail.js';
import { type Turns, tapsOf, turnsOf, type Window, type WindowAttrs, windowOf } from './window.js';
import { winograd } from './winograd.js';

const conv2d: GpuForm = {
  type: 'CONV_2D',
  declines: ({ inputs: [, filter, bias] }) => constantFilter(filter, bias),
  build: (node, context) => filtered(node, context) ?? [direct(node, context)],
};

/** What is convolved with what. */
interface Parts extends PixelAttrs {
  readonly x: Value;
  readonly outC: number;
  readonly window: Window;
  readonly bias: Value | undefined;
  readonly weights: Filter;
}

/** Those of a CONV_2D; its filter is grouped where its channels are fewer than the image's. */
function partsOf(node: Node): Parts {
  const [x, filter, bias] = node.inputs as [Value, Value, Value | undefined];
  const [outC, kh, kw, groupC] = filter.shape as [number, number, number, number];
  const constant = filter.data as ArrayLike<number>;
  const make = () => ungrouped(constant, outC, kh * kw, groupC, x.shape[3]!);
  const window = windowOf(attrsOf<WindowAttrs>(node), [kh, kw], x.shape[1]!, x.shape[2]!);
  return { x, outC, window, bias, weights: { make, constant } };
}

/** The draws by minimal filtering, where that is to be. */
function filtered(node: Node, context: BuildContext): Kernel[] | undefined {
  const { x, window, bias, weights } = partsOf(node);
  return winograd(node, context, x, weights.make, window, bias);
}

function direct(node: Node, context: BuildContext, folding?: Folding): Kernel {
  return convolution(node, context, partsOf(node), folding);
}

/** A node that only passes make: a convolution with a pool behind its tail, which nothing else reads. */
export const POOLED_CONV_2D = 'POOLED_CONV_2D';

/** Its attributes beside those of the convolution. */
export interface PooledAttrs {
  /** What the convolution makes. */
  readonly image: Shape;
  readonly pool: Pick<Node, 'type' | 'attrs'>;
}

/** Fragments with which a GPU is busy: a pool leaves a convolution a quarter of them, each four times as long. */
const ENOUGH_FRAGMENTS = 1024;
/** Multiply-adds of a convolution that takes no time to speak of. */
const FEW_MULTIPLY_ADDS = 4e6;

/** One draw where each window of the pool is a block that a fragment makes; else those of both. */
const pooledConv2d: GpuForm = {
  type: POOLED_CONV_2D,
  isMadeByPasses: true,
  build(node, context) {
    const { image, pool } = attrsOf<PooledAttrs>(node);
    const output = node.outputs[0]!;
    const conv: Node = { ...node, type: 'CONV_2D', outputs: [context.scratch(image)] };
    const byPatches = filtered(conv, context);
    if (!byPatches && foldsBlocks(node, image, pool.attrs, context))
      return [direct(conv, context, { output, pool: POOLS[pool.type]! })];
    const behind: Node = { ...node, ...pool, inputs: conv.outputs, tail: [] };
    return [...(byPatches ?? [direct(conv, context)]), ...poolForm(pool.type).build(behind, context)];
  },
};

/** Whether the windows of a pool are the blocks that fragments make, and a GPU is busy with fragments that make four. */
function foldsBlocks(node: Node, image: Shape, pool: PooledAttrs['pool']['attrs'], { target }: BuildContext): boolean {
  const { filterHeight, filterWidth } = pool;
  const [made, pooled] = [image, node.outputs[0]!.shape].map((shape) => tilingOf(shape, target.targets));
  const fragments = pooled!.n * pooled!.groups * pooled!.tileW * pooled!.tileH;
  const multiplyAdds = sizeOf(image) * sizeOf(node.inputs[1]!.shape.slice(1));
  return (
    [made!, pooled!].every(({ bx, by }) => bx === filterWidth && by === filterHeight) &&
    (fragments >= ENOUGH_FRAGMENTS || multiplyAdds <= FEW_MULTIPLY_ADDS)
  );
}

/** What passes add to a fully connected layer: it reads one pixel of its input, [n, y, x]. */
export interface PixelAttrs {
  readonly pixel?: readonly [n: number, y: number, x: number];
}

/**
 * The matrix product of rows, or of one image as a whole (see `fold-flatten-into-fully-connected`), or of a pixel of it
 * (`read-pixel`).
 */
const fullyConnected: GpuForm = {
  type: 'FULLY_CONNECTED',
  declines: ({ inputs: [, filter, bias] }) => constantFilter(filter, bias),
  build(node, context) {
    const [x, filter, bias] = node.inputs as [Value, Value, Value | undefined];
    const isFlattened = x.shape.at(-1) !== filter.shape[1];
    const size = isFlattened ? ([x.shape[1]!, x.shape[2]!] as const) : ([1, 1] as const);
    const window: Window = { filter: size, stride: [1, 1], dilation: [1, 1], before: [0, 0] };
    const constant = filter.data as ArrayLike<number>;
    const weights: Filter = { make: () => constant, constant };
    const { pixel } = attrsOf<PixelAttrs>(node);
    return [convolution(node, context, { x, pixel, outC: filter.shape[0]!, window, bias, weights })];
  },
};

export const convForms: readonly GpuForm[] = [conv2d, pooledConv2d, fullyConnected];

/** Why weights cannot go into the arena; `undefined` when they can. */
export function constantFilter(filter: Value | undefined, bias: Value | undefined): string | undefined {
  if (!filter?.data) return 'the filter is not constant';
  if (filter.dtype !== 'float32') return `the filter is ${filter.dtype}; the GPU takes float32 or float16`;
  if (bias && !bias.data) return 'the bias is not constant';
  return undefined;
}

/** A grouped filter [outC, taps, groupC] as the dense one [outC, taps, inC]: zero outside each group. */
function ungrouped(
  filter: ArrayLike<number>,
  outC: number,
  taps: number,
  groupC: number,
  inC: number,
): ArrayLike<number> {
  if (groupC === inC) return filter;
  const dense = new Float32Array(outC * taps * inC);
  const perGroup = outC / (inC / groupC);
  for (let o = 0; o < outC; o++)
    for (let t = 0; t < taps; t++)
      for (let i = 0; i < groupC; i++)
        dense[(o * taps + t) * inC + Math.floor(o / perGroup) * groupC + i] = filter[(o * taps + t) * groupC + i]!;
  return dense;
}

/** What becomes of the blocks of pixels that a convolution makes. */
interface Folding {
  /** Each block is a pixel of it. */
  readonly output: Value;
  readonly pool: Pool;
}

/** The texel of a pixel in its tile, and the layer: parameters, so that all pixels of an image are read by one program. */
function placeOf(k: ShaderBuilder, { bx, by }: Tiling, [n, y, x]: readonly [n: number, y: number, x: number]) {
  const layer = k.size((y % by) * bx + (x % bx));
  return { n: k.size(n), y: k.size(Math.floor(y / by)), x: k.size(Math.floor(x / bx)), layer };
}

/** out[p] = bias + Σ slices, taps of mat4(weights) · in[p · stride + tap · dilation − before]. */
function convolution(
  node: Node,
  context: BuildContext,
  { x, pixel, outC, window, bias, weights: weightsOf }: Parts,
  folding?: Folding,
): Kernel {
  const image = node.outputs[0]!;
  const [kh, kw] = window.filter;
  const [taps, inC] = [kh * kw, x.shape.at(-1)!];
  const [from, to] = [x, image].map(({ shape }) => tilingOf(shape, context.target.targets)) as [Tiling, Tiling];
  const shape = { outC, taps, inC, outSlices: to.bs, inSlices: taps === 1 ? from.bs : 1 };
  const lanes = lanesOf(inC);
  const split = taps * lanes * to.bs > ARENA_WIDTH;
  const weights = filterBlock(weightsOf, { ...shape, split });
  const biases = bias && vectorBlock(bias.data as ArrayLike<number>);
  const k = builderFor(node, context, biases ? [weights, biases] : [weights], folding?.output, image.shape);
  const input = k.input(x);
  const w = k.block(weights);
  const b = biases && k.block(biases);
  // A loop of one step would only cost what it hands on.
  const isOneStep = from.slices <= shape.inSlices;
  const steps = isOneStep ? '1.0' : k.count(Math.ceil(from.slices / shape.inSlices));
  const first = `(${to.bs > 1 ? `o_s * ${float(1 / to.bs)}` : 'o_s'} * ${steps}${split ? ` * ${float(taps)}` : ''})`;
  const outside = window.outside && 'outside';
  const pads = window.outside && range(4).map((i) => k.param(window.outside![i] ?? 0));
  const shares = k.pixels.length > 1 || taps === 1;
  const turns = !split && shares ? turnsOf(k, input, window, outside) : undefined;
  const body = `${pads ? `vec4 outside = vec4(${pads});` : ''}${startText(k, b)}\n  ${w.begin(first)}\n  ${turns ? unrolled(turns) : rolled()}`;
  const multiplyAdds = sizeOf(image.shape) * taps * inC;
  const tail = activationText(k, node);
  if (!folding) return k.finish(`conv_${kh}x${kw}`, body, multiplyAdds, tail);
  const { pool } = folding;
  const folded = k.foldBlocks(`${body}\n  ${k.planes.map(tail).join('\n  ')}`, (into, pixels) =>
    foldText(pool, into, pixels, float(pixels.length)),
  );
  return k.finish(`conv_${kh}x${kw}_pool`, folded, multiplyAdds);

  /** The patch of pixels under the taps of a turn is fetched once and stays in registers. */
  function unrolled({ row, loop, taps: tapsOfTurn, patch }: Turns): string {
    const plane = from.bx * from.by;
    const place = pixel && placeOf(k, from, pixel);
    const together = shape.inSlices === from.bs;
    const next = 'vec2 to = vec2(at.x + cols, at.y); to = mix(to, vec2(first, at.y + down), bvec2(to.x > last));';
    const advance = together
      ? `${next} at = to;`
      : `layer = ${float(plane)} - layer; ${next} at = mix(at, to, bvec2(layer < 0.5));`;
    const slice = (q: number) => {
      const layer = place ? plus(place.layer, q * plane) : together ? q * plane : 'layer';
      const add = (tap: number, ps: number, at: (k: number) => string) => {
        const texel = ((q * taps + tap) * to.bs + (taps === 1 ? ps : 0)) * lanes;
        const m = matrix(
          'm',
          range(lanes).map((i) => at(texel + i)),
        );
        const adds = k
          .planesOf(ps)
          .map((p) => `a${p.index} += ${m.times(patch.at(p, Math.floor(tap / kw), tap % kw))};`);
        return `{ ${m.text} ${adds.join(' ')} }`;
      };
      const ofSlice = ({ ps }: SliceOfGroup) => {
        const behind = [
          row && `${row} * ${float(kw * to.bs * lanes)}`,
          typeof ps === 'string' && `${ps} * ${float(lanes)}`,
        ];
        const passed = behind.filter(Boolean).join(' + ');
        const cursor = passed ? w.behind(passed) : { text: '', at: w.at };
        return [cursor.text, ...range(tapsOfTurn).map((tap) => add(tap, 0, cursor.at))].join('\n    ');
      };
      const sums =
        taps === 1
          ? range(to.bs)
              .map((ps) => add(0, ps, w.at))
              .join('\n    ')
          : k.eachSlice(ofSlice, true);
      return `${loop}{ ${patch.fetch('at', `(float(s) * ${float(shape.inSlices)} + ${float(q)})`, layer)}
    ${sums} }`;
    };
    const [originX, originY] = place ? [place.x, place.y] : [patch.originX, patch.originY];
    const start = `vec2(${originX}, ${originY}) + ${input.tile(place ? place.n : 'o_n', '0.0')}`;
    const step = range(shape.inSlices).map(slice).join('\n    ');
    if (isOneStep)
      return `${patch.before}
  float s = 0.0${together ? '' : ', layer = 0.0'}; vec2 at = ${start};
    ${step}`;
    return `${patch.before}
  float cols = ${input.tileW}, down = ${input.tileH}${together ? '' : ', layer = 0.0'};
  float first = ${originX} + 0.5, last = first + (${input.cols} - 0.5) * cols;
  vec2 at = ${start};
  int n = ${k.spare()} ? 0 : int(${steps});
  for (int s = 0; s < n; s++) {
    ${step}
    ${advance}
    ${w.next()}
  }`;
  }

  /** A loop over the taps, each with its own fetches. */
  function rolled(): string {
    const matrices = range(to.bs).map((ps) => {
      const texels = range(lanes).map((i) => ps * lanes + i);
      return matrix(
        `m${ps}`,
        texels.map((i) => (split ? w.at(i) : w.atDynamic(`(t + ${float(i)})`))),
      );
    });
    const pixels = tapsOf(k, input, window);
    const add = (p: Plane) => `{ ${pixels.at(p)}
        vec4 v = ${pixels.inside(input.at('o_n', 'y', 'x', 's'), outside)};
        ${matrices.map((m, ps) => `a${p.index + ps * k.pixels.length} += ${m.times('v')};`).join(' ')} }`;
    return `${pixels.before}
  float n = ${k.spare()} ? 0.0 : ${steps};
  for (float s = 0.0; s < n; s++) {
    float t = 0.0;
    for (float ky = 0.0; ky < ${float(kh)}; ky++) for (float kx = 0.0; kx < ${float(kw)}; kx++, t += ${float(lanes * to.bs)}) {
      ${matrices.map(({ text }) => text).join(' ')}
      ${k.pixels.map(add).join('\n      ')}
      ${split ? w.next() : ''}
    }
    ${split ? '' : w.next()}
  }`;
  }
}
