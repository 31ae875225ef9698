import type { Node, TailStep, Value } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import { sameStorage, toNHWC } from '../layout/layout.js';
import { broadcastView, grainView } from '../layout/view.js';
import { vectorBlock } from '../layout/weights.js';
import { keep, type Plane, plus, type ShaderBuilder } from '../shader/builder.js';
import { pointwise, UNBOUNDED } from './pointwise.js';
import { declareView } from './view-text.js';

/** Values of a constant with one element per channel of `output`, else `undefined`. */
export function channelVector(value: Value, output: Value): ArrayLike<number> | undefined {
  const c = output.shape.at(-1) ?? 1;
  const isVector = value.data && sizeOf(value.shape) === c && (value.shape.at(-1) ?? 1) === c && c > 1;
  return isVector ? (value.data as ArrayLike<number>) : undefined;
}

/**
 * GLSL of a vec4: the operand's texel for each plane of the output's block, with broadcasting. The first item are
 * statements that come before.
 */
export function operandText(
  k: ShaderBuilder,
  value: Value,
  output: Value,
  padded = false,
): { before: string; at(plane: Plane): string } {
  if (padded) {
    const x = k.input(value);
    const slices = k.size(x.layout.slices);
    const read = (s: string, y: string, xx: string) => x.at('o_n', y, xx, `min(${s}, ${slices} - 1.0)`);
    return {
      before: '',
      at: ({ s, y, x: xx }) => `mix(vec4(0.0), ${read(s, y, xx)}, bvec4(${s} < ${slices}))`,
    };
  }
  if (value.data && sizeOf(value.shape) === 1) {
    const scalar = `vec4(${k.param((value.data as ArrayLike<number>)[0]!)})`;
    return { before: '', at: () => scalar };
  }
  const vector = channelVector(value, output);
  if (vector) {
    const block = k.block(vectorBlock(vector));
    return oncePerSlice(k, ({ ps }) => block.at(ps), block.begin('o_s'));
  }
  const x = k.input(value);
  if (sameStorage(x.layout, k.out)) return { before: '', at: ({ index }) => x.own(index) };
  if (broadcastsByCoordinate(value, output)) {
    const { n, h, w, c } = x.layout;
    const splat = c === 1 && k.out.c > 1 ? '.xxxx' : '';
    if (h === k.out.h && w === k.out.w) {
      // Its blocks of pixels are those of the output.
      const name = k.unique('place');
      const place = ({ ps, s }: Plane) => `vec2 ${name}_${ps} = ${x.here(keep(n, 'o_n'), keep(c, s))};`;
      const at = (p: Plane) => x.texel(`${name}_${p.ps}`, plus(x.layerOf(p), p.pixel)) + splat;
      return { before: k.slices.map(place).join(' '), at };
    }
    const at = (plane: Plane) => x.at(keep(n, 'o_n'), keep(h, plane.y), keep(w, plane.x), keep(c, plane.s)) + splat;
    return h * w === 1 ? oncePerSlice(k, at) : { before: '', at };
  }
  const grained = grainView(broadcastView(value.shape, output.shape), k.out.c, x.layout.c);
  const read = declareView(k, x, grained);
  return { before: '', at: (plane) => read.call('vec4(0.0)', 'o_n', plane.y, plane.x, plane.s) };
}

/** An operand that is the same for all pixels of a block: one fetch a slice, since drivers keep equal fetches apart. */
function oncePerSlice(
  k: ShaderBuilder,
  at: (plane: Plane) => string,
  before = '',
): { before: string; at(plane: Plane): string } {
  const name = k.unique('same');
  const all = k.slices.map((plane) => `vec4 ${name}_${plane.ps} = ${at(plane)};`);
  return { before: [before, ...all].join(' '), at: ({ ps }) => `${name}_${ps}` };
}

/** True where broadcasting acts on n, h, w and c one by one: each size of the operand is 1 or the output's. */
function broadcastsByCoordinate(value: Value, output: Value): boolean {
  const [a, b] = [toNHWC(value.shape), toNHWC(output.shape)];
  const aligned = value.shape.length === output.shape.length || value.shape.length <= 2 || a[0] * a[1] === 1;
  const foldedAlike = output.shape.length <= 4 || a[0] === 1 || a[0] === b[0];
  return aligned && foldedAlike && a.every((d, i) => d === 1 || d === b[i]);
}

/** The statements of fused pointwise steps for each plane, to follow the body of a kernel. */
export function tailText(
  k: ShaderBuilder,
  node: Node,
  steps: readonly TailStep[] = node.tail ?? [],
  output = node.outputs[0]!,
): (plane: Plane) => string {
  const made = stepTexts(k, steps, output);
  return (plane) => made.map((text) => text(plane, `a${plane.index}`)).join(' ');
}

/** For each step the statement that takes the variable `a` of a plane through it. */
function stepTexts(
  k: ShaderBuilder,
  steps: readonly TailStep[],
  output: Value,
): readonly ((plane: Plane, a: string) => string)[] {
  return steps.map((step) => {
    const form = pointwise(step.type, step.attrs)!;
    if (form.helper) k.helper(form.helper);
    const params = (form.params ?? []).map((value) => k.param(value));
    const glsl = form.glsl.replace(/\$(\d)/g, (_, i) => params[Number(i)]!);
    if (step.branch) {
      const branch = stepTexts(k, step.branch, output);
      return (plane, a) => {
        const b = k.unique('branch');
        const [x, y] = step.flipped ? [b, a] : [a, b];
        const texts = branch.map((text) => text(plane, b)).join(' ');
        return `vec4 ${b} = ${a}; ${texts} { vec4 x = ${x}, y = ${y}; ${a} = ${glsl}; }`;
      };
    }
    const operand = step.operand && operandText(k, step.operand, output, step.padded);
    return (plane, a) => {
      if (!operand) return `{ vec4 x = ${a}; ${a} = ${glsl}; }`;
      const before = plane.index === 0 ? operand.before : '';
      const [x, y] = step.flipped ? [operand.at(plane), a] : [a, operand.at(plane)];
      return `${before} { vec4 x = ${x}, y = ${y}; ${a} = ${glsl}; }`;
    };
  });
}

/** The tail of a layer that often has an activation: without a tail it runs the program of those that have one. */
export function activationText(k: ShaderBuilder, node: Node): (plane: Plane) => string {
  return tailText(k, node, node.tail?.length ? node.tail : [{ type: UNBOUNDED, attrs: {} }]);
}

/** The body that copies `value`, broadcast to the output's shape, into a0 … */
export function copyText(k: ShaderBuilder, value: Value, output: Value): string {
  const operand = operandText(k, value, output);
  return operand.before + k.planes.map((plane) => `a${plane.index} = ${operand.at(plane)};`).join(' ');
}

/** Whether a value can be an operand of a tail on `output`: it broadcasts to the shape and its layout exists. */
export function canBeOperand(value: Value, output: Value): boolean {
  const rank = output.shape.length;
  if (value.shape.length > rank) return false;
  return value.shape.every((d, i) => d === 1 || d === output.shape[rank - value.shape.length + i]);
}
