import { sizeOf } from '../ir/shape.js';
import type { Grain, GrainedView, View } from '../layout/view.js';
import { isRun, isWindowed } from '../layout/view.js';
import type { InputAccess, ShaderBuilder } from '../shader/builder.js';
import { pixelIndex, pixelText } from './pixels.js';

/** Reads an output texel through a view: `v` where the view is out of range, else what it moves there. */
export interface ViewRead {
  readonly grain: Grain;
  call(v: string, n: string, y: string, x: string, s: string): string;
}

/** Declares the function that reads `x` through a view and gives the text of its call. */
export function declareView(k: ShaderBuilder, x: InputAccess, { grain, view }: GrainedView): ViewRead {
  const name = k.unique('view');
  k.helper('divide');
  const read: ViewRead = { grain, call: (...at) => `${name}(${at.join(', ')})` };
  const { c: C, slices } = x.layout;
  const count = (value: number) => ({ value: k.size(value), inverse: k.size(1 / value) });
  const [locate, pixels] = [pixelText(k, x.layout), pixelIndex(k)];
  const byPixel = grain === 'element' ? splitChannels(view, k.out.c, C) : undefined;
  if (byPixel) {
    declareChannels(k, x, name, byPixel, pixels, locate);
    return read;
  }
  const { text, from, inside } = decode(k, view);
  // A select, not an early return: branches multiply what drivers, SwiftShader above all, take to compile.
  const within = (read: string, type: 'bool' | 'bvec4') => (inside ? `mix(v, ${read}, ${type}(${inside}))` : read);
  if (grain === 'pixel') {
    k.declare(`vec4 ${name}(vec4 v, float n, float y, float x, float s) {
  float index = ${pixels};
  ${text}
  float pix = ${from};
  ${locate}
  return ${within(x.at('in_n', 'iy', 'ix', 's'), 'bvec4')};
}`);
  } else if (grain === 'slice') {
    const sl = count(slices);
    k.declare(`vec4 ${name}(vec4 v, float n, float y, float x, float s) {
  float index = ${pixels} * ${k.size(k.out.slices)} + s;
  ${text}
  float from = ${from}, pix = divide(from, ${sl.value}, ${sl.inverse}), is = from - pix * ${sl.value};
  ${locate}
  return ${within(x.at('in_n', 'iy', 'ix', 'is'), 'bvec4')};
}`);
  } else if (isRun(view) && C >= 4) {
    declareRun(k, x, name, view.offset, pixels, locate);
  } else {
    k.helper('lane');
    const ch = count(C);
    k.declare(`float ${name}_1(float v, float index) {
  ${text}
  float from = ${from}, pix = divide(from, ${ch.value}, ${ch.inverse}), ic = from - pix * ${ch.value}, is = floor(ic * 0.25);
  ${locate}
  return ${within(`lane(${x.at('in_n', 'iy', 'ix', 'is')}, ic - is * 4.0)`, 'bool')};
}
vec4 ${name}(vec4 v, float n, float y, float x, float s) {
  float index = ${pixels} * ${k.size(k.out.c)} + s * 4.0;
  return vec4(${[0, 1, 2, 3].map((i) => `${name}_1(v.${'xyzw'[i]}, index + ${i}.0)`).join(', ')});
}`);
  }
  return read;
}

/** A view of elements as one of pixels, and one of channels that is the same in each pixel. */
interface Split {
  readonly ofPixels: View;
  readonly ofChannels: View;
}

/** Takes a view apart where the channels of a pixel all come from one pixel, as those of a shuffle do. */
function splitChannels(v: View, outC: number, inC: number): Split | undefined {
  if (v.mirror !== undefined) return undefined;
  let first = v.dims.length;
  for (let channels = 1; channels < outC && first > 0; ) channels *= v.dims[--first]!;
  const part = (from: number, to: number, unit: number, offset: number): View => ({
    ...v,
    dims: v.dims.slice(from, to),
    strides: v.strides.slice(from, to).map((stride) => stride / unit),
    lo: v.lo.slice(from, to),
    hi: v.hi.slice(from, to),
    offset,
  });
  const start = ((v.offset % inC) + inC) % inC;
  const ofPixels = part(0, first, inC, (v.offset - start) / inC);
  const ofChannels = part(first, v.dims.length, 1, start);
  const last = ofChannels.dims.reduce((sum, d, i) => sum + (d - 1) * ofChannels.strides[i]!, start);
  const isWhole = sizeOf(ofChannels.dims) === outC && !isWindowed(ofChannels);
  const stays = ofChannels.strides.every((stride) => stride >= 0) && last < inC;
  if (!isWhole || !stays || !ofPixels.strides.every(Number.isInteger)) return undefined;
  return { ofPixels: first > 0 ? ofPixels : { ...ofPixels, dims: [1], strides: [0], lo: [0], hi: [1] }, ofChannels };
}

/** The pixel is found once for all lanes. */
function declareChannels(
  k: ShaderBuilder,
  x: InputAccess,
  name: string,
  { ofPixels, ofChannels }: Split,
  pixels: string,
  locate: string,
): void {
  k.helper('lane');
  const [pixel, channel] = [decode(k, ofPixels), decode(k, ofChannels)];
  const lanes = [0, 1, 2, 3].map((i) => `${name}_1(in_n, iy, ix, s * 4.0 + ${i}.0)`);
  const read = `vec4(${lanes.join(', ')})`;
  k.declare(`float ${name}_1(float in_n, float iy, float ix, float index) {
  ${channel.text}
  float ic = ${channel.from}, is = floor(ic * 0.25);
  return lane(${x.at('in_n', 'iy', 'ix', 'is')}, ic - is * 4.0);
}
vec4 ${name}(vec4 v, float n, float y, float x, float s) {
  float index = ${pixels};
  ${pixel.text}
  float pix = ${pixel.from};
  ${locate}
  return ${pixel.inside ? `mix(v, ${read}, bvec4(${pixel.inside}))` : read};
}`);
}

/** Four elements in a row are in two texels of a pixel and the first of the next: three fetches instead of four. */
function declareRun(
  k: ShaderBuilder,
  x: InputAccess,
  name: string,
  offset: number,
  pixels: string,
  locate: string,
): void {
  const [c, inverse] = [k.size(x.layout.c), k.size(1 / x.layout.c)];
  k.declare(`vec4 ${name}_at(float pix, float s) {
  ${locate}
  return ${x.at('in_n', 'iy', 'ix', 's')};
}
vec4 ${name}(vec4 v, float n, float y, float x, float s) {
  float from = ${k.size(offset)} + ${pixels} * ${k.size(k.out.c)} + s * 4.0;
  float pix = divide(from, ${c}, ${inverse}), ic = from - pix * ${c}, is = floor(ic * 0.25), skip = ic - is * 4.0, left = ${c} - ic;
  vec4 a = ${name}_at(pix, is), b = ${name}_at(pix, is + 1.0), d = ${name}_at(pix + 1.0, 0.0);
  a = mix(a, vec4(a.yzw, b.x), bvec4(skip == 1.0));
  a = mix(a, vec4(a.zw, b.xy), bvec4(skip == 2.0));
  a = mix(a, vec4(a.w, b.xyz), bvec4(skip == 3.0));
  a = mix(a, vec4(a.xyz, d.x), bvec4(left == 3.0));
  a = mix(a, vec4(a.xy, d.xy), bvec4(left == 2.0));
  return mix(a, vec4(a.x, d.xyz), bvec4(left == 1.0));
}`);
}

/** GLSL that takes `index` apart by the view's dims: statements, the input index, and the condition of being in range. */
function decode(k: ShaderBuilder, view: View): { text: string; from: string; inside: string } {
  const last = view.dims.length - 1;
  const lines: string[] = [];
  const terms = [k.size(view.offset)];
  const tests: string[] = [];
  let rest = 'index';
  for (let d = last; d >= 0; d--) {
    const i = `d${d}`;
    if (d === 0) lines.push(`float ${i} = ${rest};`);
    else {
      const size = k.size(view.dims[d]!);
      lines.push(
        `float r${d} = divide(${rest}, ${size}, ${k.size(1 / view.dims[d]!)}), ${i} = ${rest} - r${d} * ${size};`,
      );
      rest = `r${d}`;
    }
    if (view.lo[d]! > 0 || view.hi[d]! < view.dims[d]!) {
      const [lo, hi] = [k.size(view.lo[d]!), k.size(view.hi[d]!)];
      if (view.mirror === undefined) tests.push(`${i} >= ${lo} && ${i} < ${hi}`);
      else {
        const m = k.size(view.mirror);
        lines.push(
          `${i} = mix(mix(${i}, 2.0 * ${hi} - 2.0 - ${i} + ${m}, ${i} >= ${hi}), 2.0 * ${lo} - ${i} - ${m}, ${i} < ${lo});`,
        );
      }
    }
    terms.push(`${i} * ${k.size(view.strides[d]!)}`);
  }
  return { text: lines.join(' '), from: terms.join(' + '), inside: isWindowed(view) ? tests.join(' && ') : '' };
}
