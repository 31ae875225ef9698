import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { sizeOf } from '../ir/shape.js';
import type { Activation } from '../ir/vocabulary.js';
import { activate } from './fused-activation.js';
import { needsFloat } from './operand.js';
import { type Window, type WindowAttrs, windowOf } from './window.js';

/** Attributes of the pools. Input: x [N, H, W, C]. */
export interface PoolAttrs extends WindowAttrs {
  readonly filterWidth: number;
  readonly filterHeight: number;
  readonly fusedActivationFunction: Activation;
}

/** Reduces the input pixels at `from + i·step` over a window's rows to one output pixel. */
type PoolPixel = (x: Float32Array, patch: Patch, channels: number, out: Float32Array, at: number) => void;

/** The part of the input under a window: `height` rows of `width` pixels, `rowStride` elements apart, from `from` on. */
interface Patch {
  from: number;
  height: number;
  width: number;
  rowStride: number;
}

function pool(type: string, reduce: PoolPixel): OpSpec {
  return defineOp<PoolAttrs>({
    type,
    picks: type === 'MAX_POOL_2D',
    infer(inputs, attrs) {
      const x = required(inputs, 0);
      const { batch, height, width, inputChannels } = windowOf(x, attrs.filterHeight, attrs.filterWidth, attrs);
      return [typed([batch, height, width, inputChannels], x.dtype)];
    },
    cpu(inputs, attrs, [output]) {
      const x = required(inputs, 0);
      const window = windowOf(x, attrs.filterHeight, attrs.filterWidth, attrs);
      const out = new Float32Array(sizeOf(output!.shape));
      poolAll(window, needsFloat(type, x), reduce, out);
      return [activate(out, attrs.fusedActivationFunction)];
    },
  });
}

/** Calls `reduce` for every output pixel with the part of its window that lies inside the input. */
function poolAll(window: Window, x: Float32Array, reduce: PoolPixel, out: Float32Array): void {
  const { batch, inputHeight, inputWidth, inputChannels, height, width } = window;
  const patch: Patch = { from: 0, height: 0, width: 0, rowStride: inputWidth * inputChannels };
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      const top = y * window.strideHeight - window.top;
      const firstRow = Math.max(0, top);
      patch.height = Math.min(top + window.filterHeight, inputHeight) - firstRow;
      for (let column = 0; column < width; column++, at += inputChannels) {
        const left = column * window.strideWidth - window.left;
        const firstColumn = Math.max(0, left);
        patch.width = Math.min(left + window.filterWidth, inputWidth) - firstColumn;
        patch.from = ((n * inputHeight + firstRow) * inputWidth + firstColumn) * inputChannels;
        reduce(x, patch, inputChannels, out, at);
      }
    }
  }
}

const average: PoolPixel = (x, patch, channels, out, at) => {
  const count = patch.height * patch.width;
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let row = 0; row < patch.height; row++) {
      let from = patch.from + row * patch.rowStride + c;
      for (let i = 0; i < patch.width; i++, from += channels) sum += x[from]!;
    }
    out[at + c] = sum / count;
  }
};

const rootMeanSquare: PoolPixel = (x, patch, channels, out, at) => {
  const count = patch.height * patch.width;
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let row = 0; row < patch.height; row++) {
      let from = patch.from + row * patch.rowStride + c;
      for (let i = 0; i < patch.width; i++, from += channels) sum += x[from]! * x[from]!;
    }
    out[at + c] = Math.sqrt(sum / count);
  }
};

/** Starts at the lowest finite float, so NaN never wins and a window of −∞ gives that float, as in TFLite. */
const max: PoolPixel = (x, patch, channels, out, at) => {
  for (let c = 0; c < channels; c++) {
    let largest = -3.4028234663852886e38;
    for (let row = 0; row < patch.height; row++) {
      let from = patch.from + row * patch.rowStride + c;
      for (let i = 0; i < patch.width; i++, from += channels) if (x[from]! > largest) largest = x[from]!;
    }
    out[at + c] = largest;
  }
};

/** The pools. Padding never counts: an average divides by the pixels inside the input. */
export const poolOps: readonly OpSpec[] = [
  pool('AVERAGE_POOL_2D', average),
  pool('MAX_POOL_2D', max),
  pool('L2_POOL_2D', rootMeanSquare),
];
