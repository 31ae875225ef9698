import { ModelError } from '../errors.js';
import type { TensorType } from '../ir/graph.js';
import { windowOutput } from '../ir/shape.js';
import type { Padding } from '../ir/vocabulary.js';
import { expectRank } from './operand.js';

/** Attributes that every op with a two-dimensional sliding window has. */
export interface WindowAttrs {
  readonly padding: Padding;
  readonly strideW: number;
  readonly strideH: number;
  readonly dilationWFactor?: number;
  readonly dilationHFactor?: number;
}

/** A window sliding over the height and width of an NHWC tensor: sizes of the input, the filter and the output. */
export interface Window {
  readonly batch: number;
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly inputChannels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  /** Padding before the first row and column. */
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The window of an op. Throws ModelError where the input is not NHWC or a size is not positive. */
export function windowOf(input: TensorType, filterHeight: number, filterWidth: number, attrs: WindowAttrs): Window {
  expectRank('input', input, 4);
  const { padding, strideH, strideW, dilationHFactor = 1, dilationWFactor = 1 } = attrs;
  expectPositive('stride', strideH, strideW);
  expectPositive('dilation', dilationHFactor, dilationWFactor);
  expectPositive('filter', filterHeight, filterWidth);
  const [batch, inputHeight, inputWidth, inputChannels] = input.shape as [number, number, number, number];
  const rows = windowOutput(inputHeight, filterHeight, strideH, dilationHFactor, padding);
  const columns = windowOutput(inputWidth, filterWidth, strideW, dilationWFactor, padding);
  return {
    batch,
    inputHeight,
    inputWidth,
    inputChannels,
    filterHeight,
    filterWidth,
    strideHeight: strideH,
    strideWidth: strideW,
    dilationHeight: dilationHFactor,
    dilationWidth: dilationWFactor,
    top: rows.before,
    left: columns.before,
    height: rows.size,
    width: columns.size,
  };
}

/** Throws ModelError where a height or width is below 1. */
export function expectPositive(what: string, height: number, width: number): void {
  if (!(height >= 1 && width >= 1)) {
    throw new ModelError('attribute', `${what} is ${height}x${width}; accepted: 1 or more each way`);
  }
}
