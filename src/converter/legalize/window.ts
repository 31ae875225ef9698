import type {
  AvgPoolAttrs,
  Conv2DBackpropInputAttrs,
  FusedConv2DAttrs,
  ResizeBilinearAttrs,
  SpaceToBatchNDAttrs,
} from '@tensorflow/tfjs-core';
import { backend_util } from '@tensorflow/tfjs-core';
import { UnsupportedError, type Value } from '../../../delegate/index.js';
import { activated } from './activation.js';
import {
  type Call,
  constantOf,
  isPerChannel,
  type Legalization,
  type Legalizations,
  numberOf,
  operand,
  reshaped,
  transposed,
  vectorOf,
} from './legalization.js';

type Info = backend_util.Conv2DInfo;
type Shape4 = [number, number, number, number];
const shape4 = ({ shape }: Value) => [...shape] as Shape4;

/** Below every float: padding that never wins. */
const LOWEST = -3.4028234663852886e38;

/** Throws UnsupportedError for images and volumes whose channels come first. */
export function expectChannelsLast(dataFormat: string | undefined): void {
  if (dataFormat?.startsWith('NC')) throw new UnsupportedError(`dataFormat ${dataFormat}; accepted: channels last`);
}

/** The input as a window of SAME or VALID padding needs it: other paddings are put around it first. */
function padded(
  call: Call,
  x: Value,
  { padInfo }: Pick<Info, 'padInfo'>,
  value = 0,
): readonly [Value, 'SAME' | 'VALID'] {
  const { type, top, bottom, left, right } = padInfo;
  if (type === 'SAME' || type === 'VALID') return [x, type];
  const paddings = constantOf(Int32Array.of(0, 0, top, bottom, left, right, 0, 0), [4, 2], 'int32');
  return [value ? call.emit('PADV2', [x, paddings, numberOf(value)]) : call.emit('PAD', [x, paddings]), 'VALID'];
}

/** A convolution's bias: one value per channel, zeros where there is none. Other biases are added behind it. */
function biased(call: Call, channels: number, convolve: (bias: Value) => Value): Value {
  const { bias } = call.inputs;
  if (bias && isPerChannel(bias, channels)) return convolve({ ...bias, shape: [channels] });
  const y = convolve(constantOf(new Float32Array(channels), [channels], 'float32', 'bias'));
  return bias ? call.emit('ADD', [y, bias]) : y;
}

/** Depthwise layers leave dilations out. */
function infoOf(x: Value, filter: Value, attrs: FusedConv2DAttrs, depthwise: boolean): Info {
  const { strides, pad, dimRoundingMode, dataFormat } = attrs;
  const dilations = attrs.dilations ?? 1;
  expectChannelsLast(dataFormat);
  return backend_util.computeConv2DInfo(shape4(x), shape4(filter), strides, dilations, pad, dimRoundingMode, depthwise);
}

const windowAttrs = (info: Info, padding: string) => ({
  padding,
  strideW: info.strideWidth,
  strideH: info.strideHeight,
  dilationWFactor: info.dilationWidth,
  dilationHFactor: info.dilationHeight,
});

function conv2d(call: Call, attrs: FusedConv2DAttrs): Value {
  const [x, filter] = [operand(call, 'x'), operand(call, 'filter')];
  const info = infoOf(x, filter, attrs, false);
  const [input, padding] = padded(call, x, info);
  const weights = transposed(call, filter, [3, 0, 1, 2]);
  const y = biased(call, info.outChannels, (bias) =>
    call.emit('CONV_2D', [input, weights, bias], windowAttrs(info, padding)),
  );
  return activated(call, y, attrs);
}

function depthwiseConv2d(call: Call, attrs: FusedConv2DAttrs): Value {
  const [x, filter] = [operand(call, 'x'), operand(call, 'filter')];
  const info = infoOf(x, filter, attrs, true);
  const [input, padding] = padded(call, x, info);
  const weights = reshaped(call, filter, [1, info.filterHeight, info.filterWidth, info.outChannels]);
  const depthMultiplier = info.outChannels / info.inChannels;
  const y = biased(call, info.outChannels, (bias) =>
    call.emit('DEPTHWISE_CONV_2D', [input, weights, bias], { ...windowAttrs(info, padding), depthMultiplier }),
  );
  return activated(call, y, attrs);
}

function transposeConv(call: Call, { strides, pad, dataFormat, inputShape }: Conv2DBackpropInputAttrs): Value {
  const [x, filter] = [operand(call, 'dy'), operand(call, 'filter')];
  expectChannelsLast(dataFormat);
  const info = backend_util.computeConv2DInfo(inputShape, shape4(filter), strides, 1, pad);
  const { type } = info.padInfo;
  if (type !== 'SAME' && type !== 'VALID')
    throw new UnsupportedError(`pad ${JSON.stringify(pad)}; accepted: same, valid`);
  const weights = transposed(call, filter, [2, 0, 1, 3]);
  const { strideWidth: strideW, strideHeight: strideH } = info;
  return call.emit(
    'TRANSPOSE_CONV',
    [vectorOf(inputShape), weights, x],
    { padding: type, strideW, strideH },
    'float32',
  );
}

/** The pools that TFLite has. */
export type Pool = 'AVERAGE_POOL_2D' | 'MAX_POOL_2D';

function pool(type: Pool): Legalization<AvgPoolAttrs> {
  return (call, { filterSize, strides, pad, dimRoundingMode }) => {
    const x = operand(call, 'x');
    return pooled(
      call,
      type,
      x,
      backend_util.computePool2DInfo(shape4(x), filterSize, strides, 1, pad, dimRoundingMode),
    );
  };
}

type PoolInfo = Pick<Info, 'padInfo' | 'filterWidth' | 'filterHeight' | 'strideWidth' | 'strideHeight'>;

/** Padding has no part in an average, so it cannot be put around the input first. */
export function pooled(call: Call, type: Pool, x: Value, info: PoolInfo): Value {
  const { type: pad } = info.padInfo;
  if (type === 'AVERAGE_POOL_2D' && pad !== 'SAME' && pad !== 'VALID')
    throw new UnsupportedError('padding of an average by numbers; accepted: same, valid');
  const [input, padding] = padded(call, x, info, LOWEST);
  const { filterWidth, filterHeight, strideWidth: strideW, strideHeight: strideH } = info;
  return call.emit(type, [input], { padding, strideW, strideH, filterWidth, filterHeight });
}

function resize(type: string): Legalization<ResizeBilinearAttrs> {
  return (call, { alignCorners, halfPixelCenters, size }) =>
    call.emit(type, [operand(call, 'images'), vectorOf(size)], { alignCorners, halfPixelCenters });
}

/** SPACE_TO_BATCH_ND pads; BATCH_TO_SPACE_ND crops. */
function spaceBatch(type: string): Legalization<SpaceToBatchNDAttrs & { readonly crops?: number[][] }> {
  return (call, { blockShape, paddings, crops }) => {
    const around = (crops ?? paddings).flat();
    const table = constantOf(Int32Array.from(around), [blockShape.length, 2], 'int32');
    return call.emit(type, [operand(call, 'x'), vectorOf(blockShape), table]);
  };
}

function depthToSpace(call: Call, { blockSize, dataFormat }: { blockSize: number; dataFormat: string }): Value {
  expectChannelsLast(dataFormat);
  return call.emit('DEPTH_TO_SPACE', [operand(call, 'x')], { blockSize });
}

interface LrnAttrs {
  readonly depthRadius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

function localResponseNormalization(call: Call, { depthRadius, ...attrs }: LrnAttrs): Value {
  return call.emit('LOCAL_RESPONSE_NORMALIZATION', [operand(call, 'x')], { radius: depthRadius, ...attrs });
}

/** Kernels that look at a pixel's neighbourhood. */
export const window: Legalizations = {
  Conv2D: conv2d,
  FusedConv2D: conv2d,
  DepthwiseConv2dNative: depthwiseConv2d,
  FusedDepthwiseConv2D: depthwiseConv2d,
  Conv2DBackpropInput: transposeConv,
  AvgPool: pool('AVERAGE_POOL_2D'),
  MaxPool: pool('MAX_POOL_2D'),
  ResizeBilinear: resize('RESIZE_BILINEAR'),
  ResizeNearestNeighbor: resize('RESIZE_NEAREST_NEIGHBOR'),
  SpaceToBatchND: spaceBatch('SPACE_TO_BATCH_ND'),
  BatchToSpaceND: spaceBatch('BATCH_TO_SPACE_ND'),
  DepthToSpace: depthToSpace,
  LRN: localResponseNormalization,
};
