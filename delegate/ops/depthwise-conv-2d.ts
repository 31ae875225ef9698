import { ModelError } from '../errors.js';
import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { sizeOf } from '../ir/shape.js';
import type { Activation } from '../ir/vocabulary.js';
import { activate } from './fused-activation.js';
import { addBias } from './gemm.js';
import { arithmeticType, expectBias, expectRank, needsFloat } from './operand.js';
import { type Window, type WindowAttrs, windowOf } from './window.js';

/**
 * Attributes of DEPTHWISE_CONV_2D. Inputs: x [N, H, W, C], filter [1, H, W, C · multiplier], bias or absent.
 * `depthMultiplier` is redundant: the filter's size decides, as in TFLite.
 */
export interface DepthwiseConv2dAttrs extends WindowAttrs {
  readonly depthMultiplier: number;
  readonly fusedActivationFunction: Activation;
  readonly dilationWFactor: number;
  readonly dilationHFactor: number;
}

const depthwiseConv2d: OpSpec<DepthwiseConv2dAttrs> = {
  type: 'DEPTHWISE_CONV_2D',
  infer(inputs, attrs, outputs) {
    const x = required(inputs, 0);
    const filter = required(inputs, 1);
    expectRank('filter', filter, 4);
    const [filters, height, width, channels] = filter.shape as [number, number, number, number];
    const window = windowOf(x, height, width, attrs);
    if (filters !== 1 || window.inputChannels < 1 || channels < 1 || channels % window.inputChannels !== 0) {
      throw new ModelError(
        'shape',
        `filter is [${filter.shape}], input has ${window.inputChannels} channels; ` +
          'accepted: [1, height, width, a multiple of the channels]',
      );
    }
    expectBias(inputs[2], channels);
    return [typed([window.batch, window.height, window.width, channels], arithmeticType(x, outputs))];
  },
  cpu(inputs, attrs, [output]) {
    const x = required(inputs, 0);
    const filter = required(inputs, 1);
    const data = needsFloat(this.type, x);
    const weights = needsFloat(this.type, filter);
    const bias = inputs[2] && needsFloat(this.type, inputs[2]);
    const out = new Float32Array(sizeOf(output!.shape));
    const window = windowOf(x, filter.shape[1]!, filter.shape[2]!, attrs);
    const { batch, height, width } = window;
    let at = 0;
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < height; y++) {
        for (let column = 0; column < width; column++, at += filter.shape[3]!) {
          convolvePixel(window, data, weights, out, at, filter.shape[3]!, n, y, column);
        }
      }
    }
    addBias(out, bias);
    return [activate(out, attrs.fusedActivationFunction)];
  },
};

/** Sums the window of every channel at one output pixel into `out` from `at` on. */
function convolvePixel(
  window: Window,
  x: Float32Array,
  weights: Float32Array,
  out: Float32Array,
  at: number,
  channels: number,
  n: number,
  outY: number,
  outX: number,
): void {
  const { inputHeight, inputWidth, inputChannels, filterHeight, filterWidth } = window;
  const multiplier = channels / inputChannels;
  for (let fy = 0; fy < filterHeight; fy++) {
    const y = outY * window.strideHeight - window.top + fy * window.dilationHeight;
    if (y < 0 || y >= inputHeight) continue;
    for (let fx = 0; fx < filterWidth; fx++) {
      const column = outX * window.strideWidth - window.left + fx * window.dilationWidth;
      if (column < 0 || column >= inputWidth) continue;
      const from = ((n * inputHeight + y) * inputWidth + column) * inputChannels;
      const weight = (fy * filterWidth + fx) * channels;
      if (multiplier === 1) {
        for (let c = 0; c < channels; c++) out[at + c]! += x[from + c]! * weights[weight + c]!;
      } else {
        for (let c = 0, o = 0; c < inputChannels; c++) {
          const value = x[from + c]!;
          for (let m = 0; m < multiplier; m++, o++) out[at + o]! += value * weights[weight + o]!;
        }
      }
    }
  }
}

/** DEPTHWISE_CONV_2D, with multiplier, dilation and optional bias. */
export const depthwiseConvOps: readonly OpSpec[] = [defineOp(depthwiseConv2d)];
