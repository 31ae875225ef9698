import type { Value } from '../ir/graph.js';
import { depthwiseBlock, vectorBlock } from '../layout/weights.js';
import { pixel } from '../shader/builder.js';
import { float } from '../shader/glsl.js';
import { constantFilter } from './conv-2d.js';
import { attrsOf, builderFor, type GpuForm } from './form.js';
import { tailText } from './tail.js';
import { patchOf, type WindowAttrs, windowOf } from './window.js';

const LARGEST_PATCH = 64;

/** out[p][c] = bias[c] + Σ taps of weight[tap][c] · in[p · stride + tap · dilation − before][⌊c / multiplier⌋]. */
const depthwiseConv2d: GpuForm = {
  type: 'DEPTHWISE_CONV_2D',
  declines: ({ inputs: [, filter, bias] }) => constantFilter(filter, bias),
  build(node, context) {
    const [x, filter, bias] = node.inputs as [Value, Value, Value | undefined];
    const [, kh, kw, outC] = filter.shape as [number, number, number, number];
    const multiplier = outC / x.shape[3]!;
    const window = windowOf(attrsOf<WindowAttrs>(node), [kh, kw], x.shape[1]!, x.shape[2]!);
    const weights = depthwiseBlock(filter.data as ArrayLike<number>, kh * kw, outC);
    const biases = bias && vectorBlock(bias.data as ArrayLike<number>);
    const k = builderFor(node, context, biases ? [weights, biases] : [weights]);
    const input = k.input(x);
    const w = k.block(weights);
    const b = biases && k.block(biases);
    const planes = Array.from({ length: k.planes }, (_, p) => p);
    const taps = Array.from({ length: kh * kw }, (_, t) => t);
    const start = `${b ? b.begin('o_s') : ''} vec4 bias = ${b ? b.at(0) : 'vec4(0.0)'}; ${planes.map((p) => `a${p} = bias;`).join(' ')}
  ${w.begin('o_s')}`;
    const patch = patchOf(k, input, window);
    const unrolled = () => `${patch.before}
  float row = floor((o_s + 0.5) * ${k.param(1 / input.layout.cols)});
  vec2 at = vec2((o_s - row * ${input.cols}) * ${input.tileW} + ${patch.originX}, (o_n * ${input.rows} + row) * ${input.tileH} + ${patch.originY}) + 0.5;
  ${patch.fetch('at', 'o_s')}
  ${taps.map((t) => `{ vec4 m = ${w.at(t)}; ${planes.map((p) => `a${p} += m * ${patch.at(p, Math.floor(t / kw), t % kw)};`).join(' ')} }`).join('\n  ')}`;
    const channels = (y: string, xx: string): string => {
      if (multiplier === 1) return input.at('o_n', y, xx, 'o_s');
      if (input.layout.c === 1) return `${input.at('o_n', y, xx, '0.0')}.xxxx`;
      k.helper('lane');
      const lane = (i: number) => {
        const c = `floor((o_s * 4.0 + ${float(i)} + 0.5) * ${k.param(1 / multiplier)})`;
        return `lane(${input.at('o_n', y, xx, `floor(${c} * 0.25)`)}, mod(${c}, 4.0))`;
      };
      return `vec4(${[0, 1, 2, 3].map(lane).join(', ')})`;
    };
    const rolled = () => `float h = ${k.param(input.layout.h)}, wide = ${k.param(input.layout.w)}, t = 0.0;
  for (float ky = 0.0; ky < ${float(kh)}; ky++) for (float kx = 0.0; kx < ${float(kw)}; kx++, t++) {
    vec4 m = ${w.atDynamic('t')};
    ${planes
      .map(
        (
          p,
        ) => `{ float y = (${pixel('o_y', 'BY', Math.floor(p / k.out.bx))}) * ${float(window.stride[0])} + ky * ${float(window.dilation[0])} - ${k.param(window.before[0])},
      x = (${pixel('o_x', 'BX', p % k.out.bx)}) * ${float(window.stride[1])} + kx * ${float(window.dilation[1])} - ${k.param(window.before[1])};
      if (y >= 0.0 && y < h && x >= 0.0 && x < wide) a${p} += m * ${channels('y', 'x')}; }`,
      )
      .join('\n    ')}
  }`;
    const body = `${start}\n  ${multiplier === 1 && patch.pixels <= LARGEST_PATCH ? unrolled() : rolled()}`;
    const multiplyAdds = node.outputs[0]!.shape.reduce((a, d) => a * d, 1) * kh * kw;
    return [k.finish(`depthwise_${kh}x${kw}`, body, multiplyAdds, tailText(k, node))];
  },
};

export const depthwiseForms: readonly GpuForm[] = [depthwiseConv2d];
