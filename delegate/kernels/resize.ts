import type { Node } from '../ir/graph.js';
import type { ShaderBuilder } from '../shader/builder.js';
import { attrsOf, builderFor, type GpuForm } from './form.js';
import { tailText } from './tail.js';

interface ResizeAttrs {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

const bilinear: GpuForm = {
  type: 'RESIZE_BILINEAR',
  build(node, context) {
    const k = builderFor(node, context);
    const input = k.input(node.inputs[0]!);
    const { half, scale, last } = samples(k, node);
    const at = (y: string, x: string) => input.at('n', y, x, 's');
    const texel = `vec2 at = (vec2(x, y)${half ? ' + 0.5' : ''}) * ${scale}${half ? ' - 0.5' : ''}, last = ${last};
  vec2 lo = clamp(floor(at), vec2(0.0), last), hi = min(floor(at) + 1.0, last), f = at - lo;
  vec4 top = mix(${at('lo.y', 'lo.x')}, ${at('lo.y', 'hi.x')}, f.x), bottom = mix(${at('hi.y', 'lo.x')}, ${at('hi.y', 'hi.x')}, f.x);
  return mix(top, bottom, f.y);`;
    return [k.finishTexel('resize_bilinear', texel, tailText(k, node))];
  },
};

const nearest: GpuForm = {
  type: 'RESIZE_NEAREST_NEIGHBOR',
  build(node, context) {
    const k = builderFor(node, context);
    const input = k.input(node.inputs[0]!);
    const { alignCorners } = attrsOf<ResizeAttrs>(node);
    const { half, scale, last } = samples(k, node);
    const texel = `vec2 at = (vec2(x, y)${half ? ' + 0.5' : ''}) * ${scale};
  at = min(floor(at${alignCorners ? ' + 0.5' : ''}), ${last});
  return ${input.at('n', 'at.y', 'at.x', 's')};`;
    return [k.finishTexel('resize_nearest', texel, tailText(k, node))];
  },
};

export const resizeForms: readonly GpuForm[] = [bilinear, nearest];

/** Input pixels per output pixel and the last input pixel, as vec2 of x and y. */
function samples(k: ShaderBuilder, node: Node): { half: boolean; scale: string; last: string } {
  const { alignCorners, halfPixelCenters } = attrsOf<ResizeAttrs>(node);
  const [, inH, inW] = node.inputs[0]!.shape as [number, number, number];
  const [, outH, outW] = node.outputs[0]!.shape as [number, number, number];
  const scale = (input: number, output: number) =>
    k.param(Math.fround(alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output));
  return {
    half: halfPixelCenters,
    scale: `vec2(${scale(inW, outW)}, ${scale(inH, outH)})`,
    last: `vec2(${k.param(inW - 1)}, ${k.param(inH - 1)})`,
  };
}
