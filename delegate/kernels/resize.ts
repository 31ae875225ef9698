import type { Node } from '../ir/graph.js';
import { type ResizeAttrs, resizeOffset, resizeScale } from '../ops/resize.js';
import type { ShaderBuilder } from '../shader/builder.js';
import { attrsOf, builderFor, type GpuForm } from './form.js';
import { tailText } from './tail.js';

const bilinear: GpuForm = {
  type: 'RESIZE_BILINEAR',
  build(node, context) {
    const k = builderFor(node, context);
    const input = k.input(node.inputs[0]!);
    const { scale, offset, last } = samples(k, node, true);
    const at = (y: string, x: string) => input.at('n', y, x, 's');
    const texel = `vec2 at = vec2(x, y) * ${scale} + ${offset}, last = ${last};
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
    const { alignCorners, halfPixelCenters } = attrsOf<ResizeAttrs>(node);
    const { scale, last } = samples(k, node, false);
    const texel = `vec2 at = (vec2(x, y)${halfPixelCenters ? ' + 0.5' : ''}) * ${scale};
  at = min(floor(at${alignCorners ? ' + 0.5' : ''}), ${last});
  return ${input.at('n', 'at.y', 'at.x', 's')};`;
    return [k.finishTexel('resize_nearest', texel, tailText(k, node))];
  },
};

export const resizeForms: readonly GpuForm[] = [bilinear, nearest];

/** Input pixels per output pixel, where the first output pixel is if it is asked for, and the last input pixel: vec2 of x and y. */
function samples(k: ShaderBuilder, node: Node, hasOffset: boolean): { scale: string; offset: string; last: string } {
  const attrs = attrsOf<ResizeAttrs>(node);
  const [, inH, inW] = node.inputs[0]!.shape as [number, number, number];
  const [, outH, outW] = node.outputs[0]!.shape as [number, number, number];
  const [x, y] = [resizeScale(inW, outW, attrs), resizeScale(inH, outH, attrs)];
  const pair = (ofX: number, ofY: number) => `vec2(${k.param(ofX)}, ${k.param(ofY)})`;
  return {
    scale: pair(x, y),
    offset: hasOffset ? pair(resizeOffset(x, attrs), resizeOffset(y, attrs)) : '',
    last: pair(inW - 1, inH - 1),
  };
}
