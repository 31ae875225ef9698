import type { Node, Value } from '../ir/graph.js';
import { constantInts } from '../ir/op.js';
import { normalizeAxis, sizeOf, stridesOf } from '../ir/shape.js';
import type { MirrorPadMode } from '../ir/vocabulary.js';
import { grainView, identityView, type View, view } from '../layout/view.js';
import { WALKS } from '../ops/move.js';
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

/** A move that passes made out of several; its attribute `view` is the View. */
export const COMPOSED = 'VIEW';

const MOVES: Readonly<Record<string, Views>> = {
  [COMPOSED]: (node) => single(first(node), node.attrs.view as unknown as View),
  ...Object.fromEntries(Object.keys(WALKS).map((type) => [type, walked])),
  RESHAPE: (node) => single(first(node), identityView(first(node).shape)),
  SQUEEZE: (node) => single(first(node), identityView(first(node).shape)),
  EXPAND_DIMS: (node) => single(first(node), identityView(first(node).shape)),
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

/** The view that makes an output of a node which moves the elements of one tensor; `undefined` for all others. */
export function soleView(node: Node, output: number): Part | undefined {
  const parts = MOVES[node.type]?.(node, output);
  return typeof parts === 'object' && parts.length === 1 ? parts[0] : undefined;
}

function walked(node: Node): readonly Part[] | string {
  const walk = WALKS[node.type]!(node.inputs, node.attrs as never);
  return walk ? single(first(node), view(walk.dims, walk.strides, walk.offset)) : 'its parameters are not constant';
}

/** Ops that only move elements. */
export const moveForms: readonly GpuForm[] = Object.entries(MOVES).map(([type, views]) => ({
  type,
  isMadeByPasses: type === COMPOSED,
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
  const texel = `vec4 v = vec4(${fill}); ${reads.map((read) => `v = ${read.call('v', 'n', 'y', 'x', 's')};`).join(' ')} return v;`;
  const long = reads.length > 2 || reads.some(({ grain }) => grain === 'element');
  return k.finishTexel(node.type.toLowerCase(), texel, tailText(k, node, node.tail, output), long);
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
    dims: node.outputs[0]!.shape,
    strides,
    lo,
    hi: shape.map((d, i) => lo[i]! + d),
    fill,
    offset: -lo.reduce((sum, l, i) => sum + l * strides[i]!, 0),
  });
}

function join(
  node: Node,
  out: readonly number[],
  axis: number,
  shapeOf: (v: Value) => readonly number[],
): readonly Part[] {
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
