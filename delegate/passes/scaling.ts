/** Scales and shifts by constants become part of filters and biases: batch normalisation behind them, a rescaled image before. */
import type { Node, Value } from '../ir/graph.js';
import { sameShape, sizeOf } from '../ir/shape.js';
import type { WindowAttrs } from '../kernels/window.js';
import type { Pass } from './pass.js';

/** x · scale(c) + shift(c) of channel c: MUL, DIV, ADD or SUB of x and a constant. */
interface Affine {
  readonly x: Value;
  /** 1: the same for all channels. `undefined`: the constant is not one value per channel. */
  readonly channels: number | undefined;
  scale(c: number): number;
  shift(c: number): number;
}

/** What a node does to its operand, where that is a scale and a shift by a constant. */
function affineOf({ type, inputs: [a, b], outputs: [output], tail }: Node): Affine | undefined {
  const [x, constant] = a?.data ? [b, a] : [a, b];
  if (!x || x.data || !constant?.data || constant.dtype !== 'float32' || tail?.length) return undefined;
  if (!output || !sameShape(x.shape, output.shape)) return undefined;
  const size = sizeOf(constant.shape);
  const channels = size === 1 || size === constant.shape.at(-1) ? size : undefined;
  const data = constant.data as Float32Array;
  const value = (c: number) => data[channels === 1 ? 0 : c]!;
  const none = { scale: () => 1, shift: () => 0 };
  if (type === 'MUL') return { x, channels, ...none, scale: value };
  if (type === 'ADD') return { x, channels, ...none, shift: value };
  if (type === 'SUB' && x === a) return { x, channels, ...none, shift: (c) => -value(c) };
  if (type === 'SUB') return { x, channels, scale: () => -1, shift: value };
  if (type === 'DIV' && x === a) return { x, channels, ...none, scale: (c) => 1 / value(c) };
  return undefined;
}

/** Ops whose filter and bias are inputs 1 and 2, with the axis of the filter that counts output channels. */
const OUTPUT_AXIS: Readonly<Record<string, number>> = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3, FULLY_CONNECTED: 0 };

/** MUL, DIV, ADD or SUB of a constant per channel becomes part of the filter and bias before it. */
export const foldScaleAndShift: Pass = {
  name: 'fold-scale-and-shift',
  at(node, edit) {
    const affine = affineOf(node);
    const producer = affine && edit.producer(affine.x);
    if (!affine || !producer || !Object.hasOwn(OUTPUT_AXIS, producer.type) || producer.tail?.length) return;
    const [x, filter, bias] = producer.inputs;
    if (!filter?.data || filter.dtype !== 'float32' || (bias && !bias.data)) return;
    const axis = OUTPUT_AXIS[producer.type]!;
    const channels = filter.shape[axis]!;
    if (affine.channels !== 1 && affine.channels !== channels)
      return { declined: 'the constant is not one value per channel' };
    if (!edit.readOnlyBy(affine.x, node)) return { declined: `"${affine.x.name}" is read elsewhere` };
    const { scale, shift } = affine;
    const channelOf = axis === 0 ? (i: number) => Math.floor(i / (filter.data!.length / channels)) : undefined;
    const scaled = withData(filter, (v, i) => v * scale(channelOf ? channelOf(i) : i % channels));
    const sums = biasOf(channels, (c) => Number(bias?.data?.[c] ?? 0) * scale(c) + shift(c));
    edit.replace(node, [{ ...producer, inputs: [x, scaled, sums], outputs: node.outputs }]);
    edit.replace(producer, []);
    return 'rewritten';
  },
};

/** Channels whose padding fits a texel. */
const MOST_PADDED = 4;

/** A scale and shift of an image becomes part of the filter and bias behind it; padding is then what they would make 0. */
export const foldScaleBefore: Pass = {
  name: 'fold-scale-before',
  at(node, edit) {
    const [scaled, filter, bias] = node.inputs;
    const producer = node.type === 'CONV_2D' && scaled && edit.producer(scaled);
    const affine = producer && affineOf(producer);
    if (!affine || !filter?.data || filter.dtype !== 'float32' || (bias && !bias.data)) return;
    const [outC, kh, kw, inC] = filter.shape as [number, number, number, number];
    const c = affine.x.shape.at(-1)!;
    if (inC !== c || (affine.channels !== 1 && affine.channels !== c))
      return { declined: 'channels are not one to one' };
    if (!edit.readOnlyBy(scaled!, node)) return { declined: `"${scaled!.name}" is read elsewhere` };
    const { scale, shift } = affine;
    const attrs = node.attrs as unknown as WindowAttrs;
    const padValues = Array.from({ length: c }, (_, i) => ((attrs.padValues?.[i] ?? 0) - shift(i)) / scale(i));
    const isPadded =
      (attrs.pads || (attrs.padding === 'SAME' && kh * kw > 1)) && padValues.some((value) => value !== 0);
    if (isPadded && c > MOST_PADDED) return { declined: `padding of more than ${MOST_PADDED} channels would differ` };
    if (isPadded && !padValues.every(Number.isFinite)) return { declined: 'no padding would become 0' };
    const weights = filter.data as Float32Array;
    const shifted = (o: number) => {
      let sum = Number(bias?.data?.[o] ?? 0);
      for (let i = o * kh * kw * inC; i < (o + 1) * kh * kw * inC; i++) sum += weights[i]! * shift(i % inC);
      return sum;
    };
    edit.replace(node, [
      {
        ...node,
        attrs: isPadded ? { ...node.attrs, padValues } : node.attrs,
        inputs: [affine.x, withData(filter, (v, i) => v * scale(i % inC)), biasOf(outC, shifted)],
      },
    ]);
    edit.replace(producer, []);
    return 'rewritten';
  },
};

/** The constant with other values. */
function withData(constant: Value, change: (value: number, i: number) => number): Value {
  return { ...constant, id: -1, data: (constant.data as Float32Array).map(change) };
}

function biasOf(channels: number, value: (c: number) => number): Value {
  const data = Float32Array.from({ length: channels }, (_, c) => value(c));
  return { id: -1, name: 'bias', shape: [channels], dtype: 'float32', data };
}
