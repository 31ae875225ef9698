import { ModelError } from '../errors.js';
import type { TensorType } from '../ir/graph.js';
import { type CpuTensor, constantInts, defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { type Shape, sizeOf } from '../ir/shape.js';
import type { Activation, Padding } from '../ir/vocabulary.js';
import { activate } from './fused-activation.js';
import { addBias, multiplyRows } from './gemm.js';
import { arithmeticType, expectBias, expectRank, needsFloat } from './operand.js';
import { expectPositive } from './window.js';

/** Attributes of TRANSPOSE_CONV. Inputs: output shape, filter [Cout, H, W, Cin], x [N, H, W, Cin], bias or absent. */
export interface TransposeConvAttrs {
  readonly padding: Padding;
  readonly strideW: number;
  readonly strideH: number;
  readonly fusedActivationFunction: Activation;
}

/** Attributes of MediaPipe's custom op. Inputs: x, filter [Cout, H, W, Cin], bias. */
export interface TransposeConvBiasAttrs {
  readonly customOptions: Uint8Array;
}

const transposeConv: OpSpec<TransposeConvAttrs> = {
  type: 'TRANSPOSE_CONV',
  infer(inputs, attrs, outputs) {
    const filter = required(inputs, 1);
    const x = required(inputs, 2);
    expectOperands(x, filter, inputs[3], attrs);
    const shape = constantInts(inputs[0]);
    if (!shape) return [undefined];
    if (shape.length !== 4 || shape[0] !== x.shape[0] || shape[3] !== filter.shape[0] || shape.some((d) => d < 0)) {
      throw new ModelError(
        'shape',
        `output shape is [${shape}]; accepted: [${x.shape[0]}, height, width, ${filter.shape[0]}]`,
      );
    }
    return [typed(shape, arithmeticType(x, outputs))];
  },
  cpu(inputs, attrs, [output]) {
    return [transposeConvolve(this.type, required(inputs, 2), required(inputs, 1), inputs[3], attrs, output!.shape)];
  },
};

const transposeConvBias: OpSpec<TransposeConvBiasAttrs> = {
  type: 'Convolution2DTransposeBias',
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    const filter = required(inputs, 1);
    const decoded = decodeTransposeConvBias(attrs);
    expectOperands(x, filter, required(inputs, 2), decoded);
    return [typed(transposeConvBiasShape(x.shape, filter.shape, decoded), 'float32')];
  },
  cpu(inputs, attrs, [output]) {
    const decoded = decodeTransposeConvBias(attrs);
    return [transposeConvolve(this.type, required(inputs, 0), required(inputs, 1), inputs[2], decoded, output!.shape)];
  },
};

/** The custom options as TRANSPOSE_CONV's attributes: three little-endian int32 of TFLite's `TfLiteTransposeConvParams`. */
export function decodeTransposeConvBias({ customOptions }: TransposeConvBiasAttrs): TransposeConvAttrs {
  if (!customOptions || customOptions.length < 12) {
    throw new ModelError('attribute', `custom options have ${customOptions?.length ?? 0} bytes; accepted: 12 or more`);
  }
  const view = new DataView(customOptions.buffer, customOptions.byteOffset, customOptions.byteLength);
  const padding = (['SAME', 'VALID'] as const)[view.getInt32(0, true) - 1];
  if (!padding) {
    throw new ModelError('attribute', `padding is ${view.getInt32(0, true)}; accepted: 1 for SAME, 2 for VALID`);
  }
  const [strideW, strideH] = [view.getInt32(4, true), view.getInt32(8, true)];
  return { padding, strideW, strideH, fusedActivationFunction: 'NONE' };
}

/** The output shape of Convolution2DTransposeBias; for SAME, input · stride wherever the stride divides the input. */
export function transposeConvBiasShape(x: Shape, filter: Shape, attrs: TransposeConvAttrs): Shape {
  const sizeAlong = (input: number, reach: number, stride: number) => {
    const cut = attrs.padding === 'SAME' ? Math.max(0, reach - ((input - 1) % stride) - 1) : 0;
    return Math.max(0, stride * (input - 1) + reach - cut);
  };
  return [x[0]!, sizeAlong(x[1]!, filter[1]!, attrs.strideH), sizeAlong(x[2]!, filter[2]!, attrs.strideW), filter[0]!];
}

/** Padding before the output's first row or column; 0 for VALID. */
export function transposeConvBefore(
  input: number,
  filter: number,
  stride: number,
  output: number,
  padding: Padding,
): number {
  return padding === 'SAME' ? Math.max((input - 1) * stride + filter - output, 0) >> 1 : 0;
}

function expectOperands(
  x: TensorType,
  filter: TensorType,
  bias: TensorType | undefined,
  attrs: TransposeConvAttrs,
): void {
  expectRank('input', x, 4);
  expectRank('filter', filter, 4);
  expectPositive('stride', attrs.strideH, attrs.strideW);
  expectPositive('filter', filter.shape[1]!, filter.shape[2]!);
  if (x.shape[3] !== filter.shape[3]) {
    throw new ModelError(
      'shape',
      `input has ${x.shape[3]} channels, filter is [${filter.shape}]; accepted: a filter whose last size is the same`,
    );
  }
  expectBias(bias, filter.shape[0]!);
}

/** Every input pixel times the filter, added to the output where the filter then lies; row by row of the input. */
function transposeConvolve(
  op: string,
  x: CpuTensor,
  filter: CpuTensor,
  bias: CpuTensor | undefined,
  attrs: TransposeConvAttrs,
  shape: Shape,
): Float32Array {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [filters, filterHeight, filterWidth] = filter.shape as [number, number, number, number];
  const [, outHeight, outWidth] = shape as [number, number, number, number];
  const top = transposeConvBefore(height, filterHeight, attrs.strideH, outHeight, attrs.padding);
  const left = transposeConvBefore(width, filterWidth, attrs.strideW, outWidth, attrs.padding);
  const taps = filters * filterHeight * filterWidth;
  const a = needsFloat(op, x);
  const b = { data: needsFloat(op, filter), offset: 0, stride: channels };
  const products = { data: new Float32Array(width * taps), offset: 0, stride: taps };
  const out = new Float32Array(sizeOf(shape));
  for (let row = 0; row < batch * height; row++) {
    multiplyRows({ data: a, offset: row * width * channels, stride: channels }, b, products, width, taps, channels);
    const image = Math.floor(row / height);
    const outY = (row % height) * attrs.strideH - top;
    for (let fy = Math.max(0, -outY); fy < Math.min(filterHeight, outHeight - outY); fy++) {
      const outRow = (image * outHeight + outY + fy) * outWidth;
      for (let column = 0; column < width; column++) {
        const outX = column * attrs.strideW - left;
        for (let fx = Math.max(0, -outX); fx < Math.min(filterWidth, outWidth - outX); fx++) {
          const to = (outRow + outX + fx) * filters;
          let tap = column * taps + fy * filterWidth + fx;
          for (let f = 0; f < filters; f++, tap += filterHeight * filterWidth) out[to + f]! += products.data[tap]!;
        }
      }
    }
  }
  addBias(out, bias && needsFloat(op, bias));
  return activate(out, attrs.fusedActivationFunction);
}

/** TRANSPOSE_CONV, and MediaPipe's custom op of the same meaning with the output shape left out. */
export const transposeConvOps: readonly OpSpec[] = [defineOp(transposeConv), defineOp(transposeConvBias)];
