import type { Value } from '../ir/graph.js';
import { depthwiseBlock, vectorBlock } from '../layout/weights.js';
import type { Plane, SliceOfGroup } from '../shader/builder.js';
import { float, range } from '../shader/glsl.js';
import { startOfSlice } from './bias.js';
import { constantFilter } from './conv-2d.js';
import { attrsOf, builderFor, type GpuForm } from './form.js';
import { activationText } from './tail.js';
import { type Turns, tapsOf, turnsOf, type WindowAttrs, windowOf } from './window.js';

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
    const turns = multiplier === 1 ? turnsOf(k, input, window) : undefined;
    const unrolled = (slice: SliceOfGroup, { row, loop, taps, patch }: Turns) => {
      const cursor = row ? w.behind(`${row} * ${float(kw)}`) : { text: '', at: w.at };
      const tap = (t: number) => {
        const adds = k.pixels.map((p) => `a${p.index} += m * ${patch.at(p, Math.floor(t / kw), t % kw)};`);
        return `{ vec4 m = ${cursor.at(t)}; ${adds.join(' ')} }`;
      };
      return `vec2 at = ${input.tile('o_n', slice.s)} + vec2(${patch.originX}, ${patch.originY});
    ${loop}{ ${cursor.text} ${patch.fetch('at', slice.s, input.layerOf(slice))}
    ${range(taps).map(tap).join('\n    ')} }`;
    };
    const channels = (s: string, y: string, xx: string): string => {
      if (multiplier === 1) return input.at('o_n', y, xx, s);
      if (input.layout.c === 1) return `${input.at('o_n', y, xx, '0.0')}.xxxx`;
      k.helper('lane');
      const lane = (i: number) => {
        const c = `floor((${s} * 4.0 + ${float(i)} + 0.5) * ${k.size(1 / multiplier)})`;
        return `lane(${input.at('o_n', y, xx, `floor(${c} * 0.25)`)}, mod(${c}, 4.0))`;
      };
      return `vec4(${[0, 1, 2, 3].map(lane).join(', ')})`;
    };
    const rolled = (slice: SliceOfGroup) => {
      const pixels = tapsOf(k, input, window);
      const add = (p: Plane) => `{ ${pixels.at(p)}
        a${p.index} += m * ${pixels.inside(channels(slice.s, 'y', 'x'))}; }`;
      return `${pixels.before} float t = 0.0;
    for (float ky = 0.0; ky < ${float(kh)}; ky++) for (float kx = 0.0; kx < ${float(kw)}; kx++, t++) {
      vec4 m = ${w.atDynamic('t')};
      ${k.pixels.map(add).join('\n      ')}
    }`;
    };
    const body = `${b ? b.begin('o_s') : ''} ${turns?.patch.before ?? ''}
  ${k.eachSlice((slice) => `${startOfSlice(k, b, slice)} ${w.begin(slice.s)}\n    ${turns ? unrolled(slice, turns) : rolled(slice)}`)}`;
    const multiplyAdds = node.outputs[0]!.shape.reduce((a, d) => a * d, 1) * kh * kw;
    return [k.finish(`depthwise_${kh}x${kw}`, body, multiplyAdds, activationText(k, node))];
  },
};

export const depthwiseForms: readonly GpuForm[] = [depthwiseConv2d];
