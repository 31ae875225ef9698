import { constantInts } from '../ir/op.js';
import type { Node, Value } from '../ir/graph.js';
import { normalizeAxis, sizeOf, stridesOf } from '../ir/shape.js';
import type { MirrorPadMode } from '../ir/vocabulary.js';
import { broadcastView, grainView, identityView, type View, view } from '../layout/view.js';
import { pixel } from '../shader/builder.js';
import { float } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { tailText } from './tail.js';
import { declareView } from './view-text.js';

/** Textures that one draw may read: 16 units, less one for the arena and a few for fused operands. */
const MOST_INPUTS = 12;

/** One part of an output: what a view of an input puts there. */
export interface Part {
  readonly value: Value;
  readonly view: View;
}

/** Views that make up an output of a node; parts do not overlap, what none covers is the fill of the first. */
type Views = (node: Node, output: number) => readonly Part[] | string;

const first = (node: Node): Value => node.inputs[0]!;
const ints = (node: Node, position: number): number[] | undefined => constantInts(node.inputs[position]);
const single = (value: Value, v: View): readonly Part[] => [{ value, view: v }];

const MOVES: Readonly<Record<string, Views>> = {
  RESHAPE: (node) => single(first(node), identityView(first(node).shape)),
  SQUEEZE: (node) => single(first(node), identityView(first(node).shape)),
  EXPAND_DIMS: (node) => single(first(node), identityView(first(node).shape)),
  TRANSPOSE: (node) => {
    const perm = ints(node, 1);
    if (!perm) return 'the permutation is not constant';
    const strides = stridesOf(first(node).shape);
    return single(first(node), view(node.outputs[0]!.shape, perm.map((p) => strides[p]!)));
  },
  BROADCAST_TO: (node) => single(first(node), broadcastView(first(node).shape, node.outputs[0]!.shape)),
  TILE: (node) => {
    const { shape } = first(node);
    const strides = stridesOf(shape);
    const dims = shape.flatMap((d, i) => [node.outputs[0]!.shape[i]! / d, d]);
    return single(first(node), view(dims, strides.flatMap((s) => [0, s])));
  },
  SLICE: (node) => {
    const begin = ints(node, 1);
    if (!begin) return 'the begin is not constant';
    const strides = stridesOf(first(node).shape);
    return single(first(node), view(node.outputs[0]!.shape, strides, begin.reduce((sum, b, i) => sum + b * strides[i]!, 0)));
  },
  STRIDED_SLICE: stridedSlice,
  SPLIT: (node, output) => {
    const axis = ints(node, 0);
    return axis ? section(node.inputs[1]!, node, output, axis[0]!) : 'the axis is not constant';
  },
  SPLIT_V: (node, output) => {
    const axis = ints(node, 2);
    return axis ? section(first(node), node, output, axis[0]!) : 'the axis is not constant';
  },
  UNPACK: (node, output) => {
    const { shape } = first(node);
    const axis = normalizeAxis(attrsOf<{ axis: number }>(node).axis, shape.length);
    const strides = stridesOf(shape);
    const rest = (list: readonly number[]) => list.filter((_, i) => i !== axis);
    return single(first(node), view(rest(shape), rest(strides), output * strides[axis]!));
  },
  REVERSE_V2: (node) => {
    const axes = ints(node, 1);
    if (!axes) return 'the axes are not constant';
    const { shape } = first(node);
    const strides = stridesOf(shape);
    const flipped = new Set(axes.map((a) => normalizeAxis(a, shape.length)));
    const offset = [...flipped].reduce((sum, a) => sum + (shape[a]! - 1) * strides[a]!, 0);
    return single(first(node), view(shape, strides.map((s, i) => (flipped.has(i) ? -s : s)), offset));
  },
  PAD: (node) => pad(node, 0),
  PADV2: (node) => {
    const value = node.inputs[2];
    return value?.data ? pad(node, Number((value.data as ArrayLike<number>)[0])) : 'the padding value is not constant';
  },
  MIRROR_PAD: (node) => {
    const parts = pad(node, 0);
    const mirror = attrsOf<{ mode: MirrorPadMode }>(node).mode === 'SYMMETRIC' ? 1 : 0;
    return typeof parts === 'string' ? parts : parts.map((p) => ({ ...p, view: { ...p.view, mirror } as View }));
  },
  SPACE_TO_DEPTH: (node) => {
    const [n, h, w, c] = first(node).shape as [number, number, number, number];
    const b = attrsOf<{ blockSize: number }>(node).blockSize;
    return single(first(node), view([n, h / b, w / b, b, b, c], [h * w * c, b * w * c, b * c, w * c, c, 1]));
  },
  DEPTH_TO_SPACE: (node) => {
    const [n, h, w, c] = first(node).shape as [number, number, number, number];
    const b = attrsOf<{ blockSize: number }>(node).blockSize;
    const inner = c / (b * b);
    return single(first(node), view([n, h, b, w, b, inner], [h * w * c, w * c, b * inner, c, inner, 1]));
  },
  CONCATENATION: (node) => {
    const out = node.outputs[0]!.shape;
    return join(node, out, normalizeAxis(attrsOf<{ axis: number }>(node).axis, out.length), (v) => v.shape);
  },
  PACK: (node) => {
    const out = node.outputs[0]!.shape;
    const axis = normalizeAxis(attrsOf<{ axis: number }>(node).axis, out.length);
    return join(node, out, axis, (v) => [...v.shape.slice(0, axis), 1, ...v.shape.slice(axis)]);
  },
};

/** Ops that only move elements. */
export const moveForms: readonly GpuForm[] = Object.entries(MOVES).map(([type, views]) => ({
  type,
  dtypes: ['bool'],
  declines: (node) => {
    const parts = views(node, 0);
    return typeof parts === 'string' ? parts : undefined;
  },
  build: (node, context) =>
    node.outputs.flatMap((output, i) => moves(node, context, views(node, i) as readonly Part[], output)),
}));

/** Draws that assemble `output` from parts, at most MOST_INPUTS a draw. */
export function moves(node: Node, context: BuildContext, parts: readonly Part[], output: Value): Kernel[] {
  const kernels: Kernel[] = [];
  let rest = parts;
  let before: Part | undefined;
  for (;;) {
    const some = before ? [before, ...rest.slice(0, MOST_INPUTS - 1)] : rest.slice(0, MOST_INPUTS);
    rest = rest.slice(before ? MOST_INPUTS - 1 : MOST_INPUTS);
    const target = rest.length === 0 ? output : context.scratch(output.shape);
    const plain = rest.length === 0 ? node : { ...node, tail: [] };
    kernels.push(move(plain, context, some, target));
    if (rest.length === 0) return kernels;
    before = { value: target, view: identityView(output.shape) };
  }
}

function move(node: Node, context: BuildContext, parts: readonly Part[], output: Value): Kernel {
  const k = builderFor(node, context, [], output);
  const fill = float(parts[0]?.view.fill ?? 0);
  const reads = parts.map(({ value, view: v }) => {
    const x = k.input(value);
    return declareView(k, x, grainView(v, k.out.c, x.layout.c));
  });
  const body = Array.from({ length: k.planes }, (_, p) => {
    const [y, x] = [pixel('o_y', 'BY', Math.floor(p / k.out.bx)), pixel('o_x', 'BX', p % k.out.bx)];
    return `a${p} = vec4(${fill}); ${reads.map((read) => `a${p} = ${read(`a${p}`, 'o_n', y, x, 'o_s')};`).join(' ')}`;
  }).join('\n  ');
  return k.finish(node.type.toLowerCase(), body, 0, tailText(k, node, node.tail, output));
}

function section(x: Value, node: Node, output: number, axisOption: number): readonly Part[] {
  const axis = normalizeAxis(axisOption, x.shape.length);
  const strides = stridesOf(x.shape);
  const start = node.outputs.slice(0, output).reduce((sum, v) => sum + v.shape[axis]!, 0);
  return single(x, view(node.outputs[output]!.shape, strides, start * strides[axis]!));
}

function pad(node: Node, fill: number): readonly Part[] | string {
  const amounts = ints(node, 1);
  if (!amounts) return 'the paddings are not constant';
  const { shape } = first(node);
  const strides = stridesOf(shape);
  const lo = shape.map((_, i) => amounts[2 * i]!);
  return single(first(node), {
    dims: node.outputs[0]!.shape, strides, lo, hi: shape.map((d, i) => lo[i]! + d), fill,
    offset: -lo.reduce((sum, l, i) => sum + l * strides[i]!, 0),
  });
}

function join(node: Node, out: readonly number[], axis: number, shapeOf: (v: Value) => readonly number[]): readonly Part[] {
  let start = 0;
  return node.inputs.flatMap((value) => {
    if (!value || sizeOf(value.shape) === 0) return [];
    const shape = shapeOf(value);
    const strides = stridesOf(shape);
    const lo = out.map((_, i) => (i === axis ? start : 0));
    const hi = out.map((d, i) => (i === axis ? start + shape[axis]! : d));
    const part: Part = { value, view: { dims: out, strides, lo, hi, fill: 0, offset: -start * strides[axis]! } };
    start += shape[axis]!;
    return [part];
  });
}

interface StridedSliceAttrs {
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

function stridedSlice(node: Node): readonly Part[] | string {
  const [begin, strides] = [ints(node, 1), ints(node, 3)];
  if (!begin || !strides) return 'begin or strides are not constant';
  const { shape } = first(node);
  const dense = stridesOf(shape);
  const a = attrsOf<StridedSliceAttrs>(node);
  const dims: number[] = [];
  const steps: number[] = [];
  let offset = 0;
  let dim = 0;
  const out = [...node.outputs[0]!.shape];
  const added = begin.filter((_, i) => a.newAxisMask & (1 << i) && !(a.ellipsisMask & (1 << i))).length;
  const whole = (count: number) => {
    for (let i = 0; i < count; i++, dim++) {
      dims.push(shape[dim]!);
      steps.push(dense[dim]!);
    }
  };
  begin.forEach((b, i) => {
    const bit = 1 << i;
    if (a.ellipsisMask & bit) return whole(shape.length - (begin.length - 1 - added));
    if (a.newAxisMask & bit) {
      dims.push(1);
      steps.push(0);
      return;
    }
    const size = shape[dim]!;
    const stride = strides[i]!;
    const from = a.beginMask & bit && !(a.shrinkAxisMask & bit) ? (stride > 0 ? 0 : size - 1) : b < 0 ? b + size : b;
    offset += Math.min(Math.max(from, 0), size - 1) * dense[dim]!;
    if (!(a.shrinkAxisMask & bit)) {
      dims.push(out[dims.length]!);
      steps.push(stride * dense[dim]!);
    }
    dim++;
  });
  whole(shape.length - dim);
  return single(first(node), view(dims, steps, offset));
}
