import type { Node, Value } from '../ir/graph.js';
import { filterBlock, vectorBlock } from '../layout/weights.js';
import { pixel } from '../shader/builder.js';
import { float } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { tailText } from './tail.js';
import { patchOf, type Window, type WindowAttrs, windowOf } from './window.js';

/** Input pixels that stay in registers; larger windows loop over their taps. */
const LARGEST_PATCH = 49;

const conv2d: GpuForm = {
  type: 'CONV_2D',
  declines: ({ inputs: [, filter, bias] }) => constantFilter(filter, bias),
  build(node, context) {
    const [x, filter, bias] = node.inputs as [Value, Value, Value | undefined];
    const [outC, kh, kw, groupC] = filter.shape as [number, number, number, number];
    const window = windowOf(attrsOf<WindowAttrs>(node), [kh, kw], x.shape[1]!, x.shape[2]!);
    const dense = ungrouped(filter.data as ArrayLike<number>, outC, kh * kw, groupC, x.shape[3]!);
    return [convolution(node, context, x, dense, outC, window, bias)];
  },
};

const fullyConnected: GpuForm = {
  type: 'FULLY_CONNECTED',
  declines: ({ inputs: [, filter, bias] }) => constantFilter(filter, bias),
  build(node, context) {
    const [x, filter, bias] = node.inputs as [Value, Value, Value | undefined];
    const pointwise: Window = { filter: [1, 1], stride: [1, 1], dilation: [1, 1], before: [0, 0] };
    return [convolution(node, context, x, filter.data as ArrayLike<number>, filter.shape[0]!, pointwise, bias)];
  },
};

export const convForms: readonly GpuForm[] = [conv2d, fullyConnected];

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

/** out[p] = bias + Σ slices, taps of mat4(weights) · in[p · stride + tap · dilation − before]. */
function convolution(
  node: Node,
  context: BuildContext,
  x: Value,
  filter: ArrayLike<number>,
  outC: number,
  window: Window,
  bias: Value | undefined,
): Kernel {
  const output = node.outputs[0]!;
  const [kh, kw] = window.filter;
  const inC = x.shape.at(-1)!;
  const weights = filterBlock(filter, outC, kh * kw, inC);
  const biases = bias && vectorBlock(bias.data as ArrayLike<number>, Math.ceil(outC / 4));
  const k = builderFor(node, context, biases ? [weights, biases] : [weights]);
  const input = k.input(x);
  const w = k.block(weights);
  const b = biases && k.block(biases);
  const planes = Array.from({ length: k.planes }, (_, p) => p);
  const start = b
    ? `${b.begin('o_s')} vec4 bias = ${b.at(0)}; ${planes.map((p) => `a${p} = bias;`).join(' ')}`
    : planes.map((p) => `a${p} = vec4(0.0);`).join(' ');
  const slices = k.param(input.layout.slices);
  const patch = patchOf(k, input, window);
  const matrix = (tap: number) => `mat4(${[0, 1, 2, 3].map((q) => w.at(tap * 4 + q)).join(', ')})`;
  const taps = Array.from({ length: kh * kw }, (_, t) => t);
  const unrolled = () => `${patch.before}
  float cols = ${input.tileW}, down = ${input.tileH};
  vec2 first = vec2(${patch.originX}, o_n * ${input.rows} * down + ${patch.originY}) + 0.5, at = first;
  float last = first.x + (${input.cols} - 0.5) * cols;
  ${w.begin(`(o_s * ${slices})`)}
  int n = int(${slices});
  for (int s = 0; s < n; s++) {
    ${patch.fetch('at', 'float(s)')}
    ${taps.map((t) => `{ mat4 m = ${matrix(t)}; ${planes.map((p) => `a${p} += m * ${patch.at(p, Math.floor(t / kw), t % kw)};`).join(' ')} }`).join('\n    ')}
    at.x += cols; if (at.x > last) at = vec2(first.x, at.y + down);
    ${w.next()}
  }`;
  const rolled = () => `float h = ${k.param(input.layout.h)}, wide = ${k.param(input.layout.w)};
  ${w.begin(`(o_s * ${slices})`)}
  for (float s = 0.0; s < ${slices}; s++) {
    float t = 0.0;
    for (float ky = 0.0; ky < ${float(kh)}; ky++) for (float kx = 0.0; kx < ${float(kw)}; kx++, t += 4.0) {
      mat4 m = mat4(${[0, 1, 2, 3].map((q) => w.atDynamic(`(t + ${float(q)})`)).join(', ')});
      ${planes
        .map(
          (
            p,
          ) => `{ float y = (${pixel('o_y', 'BY', Math.floor(p / k.out.bx))}) * ${float(window.stride[0])} + ky * ${float(window.dilation[0])} - ${k.param(window.before[0])},
        x = (${pixel('o_x', 'BX', p % k.out.bx)}) * ${float(window.stride[1])} + kx * ${float(window.dilation[1])} - ${k.param(window.before[1])};
        if (y >= 0.0 && y < h && x >= 0.0 && x < wide) a${p} += m * ${input.at('o_n', 'y', 'x', 's')}; }`,
        )
        .join('\n      ')}
    }
    ${w.next()}
  }`;
  const body = `${start}\n  ${patch.pixels <= LARGEST_PATCH ? unrolled() : rolled()}`;
  const multiplyAdds = output.shape.reduce((a, d) => a * d, 1) * kh * kw * inC;
  return k.finish(`conv_${kh}x${kw}`, body, multiplyAdds, tailText(k, node));
}
