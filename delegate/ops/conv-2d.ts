import { ModelError } from '../errors.js';
import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { type Shape, sizeOf } from '../ir/shape.js';
import type { Activation } from '../ir/vocabulary.js';
import { activate } from './fused-activation.js';
import { addBias, multiplyRows } from './gemm.js';
import { arithmeticType, expectBias, expectRank, needsFloat } from './operand.js';
import { type Window, type WindowAttrs, windowOf } from './window.js';

/** Attributes of CONV_2D. Inputs: x [N, H, W, C], filter [Cout, H, W, C / groups], bias [Cout] or absent. */
export interface Conv2dAttrs extends WindowAttrs {
  readonly fusedActivationFunction: Activation;
  readonly dilationWFactor: number;
  readonly dilationHFactor: number;
}

const conv2d: OpSpec<Conv2dAttrs> = {
  type: 'CONV_2D',
  infer(inputs, attrs, outputs) {
    const x = required(inputs, 0);
    const filter = required(inputs, 1);
    expectRank('filter', filter, 4);
    const window = windowOf(x, filter.shape[1]!, filter.shape[2]!, attrs);
    groupsOf(window.inputChannels, filter.shape);
    expectBias(inputs[2], filter.shape[0]!);
    return [typed([window.batch, window.height, window.width, filter.shape[0]!], arithmeticType(x, outputs))];
  },
  cpu(inputs, attrs, [output]) {
    const x = required(inputs, 0);
    const filter = required(inputs, 1);
    const data = needsFloat(this.type, x);
    const weights = needsFloat(this.type, filter);
    const bias = inputs[2] && needsFloat(this.type, inputs[2]);
    const window = windowOf(x, filter.shape[1]!, filter.shape[2]!, attrs);
    const out = new Float32Array(sizeOf(output!.shape));
    const groups = groupsOf(window.inputChannels, filter.shape);
    for (let group = 0; group < groups; group++) convolveGroup(window, data, weights, out, filter.shape, group);
    addBias(out, bias);
    return [activate(out, attrs.fusedActivationFunction)];
  },
};

/** How many groups the channels fall into: each output channel sees the inputs of its own group only. */
export function groupsOf(inputChannels: number, filter: Shape): number {
  const perGroup = filter[3]!;
  const groups = inputChannels / perGroup;
  if (!Number.isInteger(groups) || groups < 1 || filter[0]! % groups !== 0) {
    throw new ModelError(
      'shape',
      `input has ${inputChannels} channels, filter is [${filter}]; ` +
        'accepted: its last size divides the channels, and its first is a multiple of that number of groups',
    );
  }
  return groups;
}

const BLOCK_PIXELS = 64;

/** The part of the output that one group of filters makes: patches of the input, one per output pixel, by the filters. */
function convolveGroup(
  window: Window,
  x: Float32Array,
  weights: Float32Array,
  out: Float32Array,
  [filters, height, width, channels]: Shape,
  group: number,
): void {
  const pixels = window.batch * window.height * window.width;
  const depth = height! * width! * channels!;
  const columns = (filters! * channels!) / window.inputChannels;
  const b = { data: weights, offset: group * columns * depth, stride: depth };
  const target = (pixel: number) => ({ data: out, offset: pixel * filters! + group * columns, stride: filters! });
  if (isPointwise(window)) {
    const a = { data: x, offset: group * channels!, stride: window.inputChannels };
    multiplyRows(a, b, target(0), pixels, columns, depth);
    return;
  }
  const patches = { data: new Float32Array(Math.min(BLOCK_PIXELS, pixels) * depth), offset: 0, stride: depth };
  for (let first = 0; first < pixels; first += BLOCK_PIXELS) {
    const count = Math.min(BLOCK_PIXELS, pixels - first);
    for (let i = 0; i < count; i++) {
      copyPatch(window, x, first + i, group * channels!, channels!, patches.data, i * depth);
    }
    multiplyRows(patches, b, target(first), count, columns, depth);
  }
}

function isPointwise(window: Window): boolean {
  const { filterHeight, filterWidth, strideHeight, strideWidth } = window;
  return filterHeight === 1 && filterWidth === 1 && strideHeight === 1 && strideWidth === 1;
}

/** Writes the input values under the filter at one output pixel, zero outside the input. */
function copyPatch(
  window: Window,
  x: Float32Array,
  pixel: number,
  firstChannel: number,
  channels: number,
  patches: Float32Array,
  at: number,
): void {
  const { inputHeight, inputWidth, inputChannels, filterHeight, filterWidth } = window;
  const row = Math.floor(pixel / window.width);
  const image = Math.floor(row / window.height);
  const top = (row % window.height) * window.strideHeight - window.top;
  const left = (pixel % window.width) * window.strideWidth - window.left;
  let to = at;
  for (let fy = 0; fy < filterHeight; fy++) {
    const y = top + fy * window.dilationHeight;
    for (let fx = 0; fx < filterWidth; fx++) {
      const column = left + fx * window.dilationWidth;
      const isInside = y >= 0 && y < inputHeight && column >= 0 && column < inputWidth;
      const from = ((image * inputHeight + y) * inputWidth + column) * inputChannels + firstChannel;
      for (let c = 0; c < channels; c++) patches[to++] = isInside ? x[from + c]! : 0;
    }
  }
}

/** CONV_2D, with groups, dilation and optional bias. */
export const convOps: readonly OpSpec[] = [defineOp(conv2d)];
