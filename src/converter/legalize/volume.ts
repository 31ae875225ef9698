import type { AvgPool3DAttrs, Conv3DAttrs, Conv3DBackpropInputV2Attrs } from '@tensorflow/tfjs-core';
import { backend_util } from '@tensorflow/tfjs-core';
import { UnsupportedError, type Value } from '../../../delegate/index.js';
import { type Call, type Legalization, type Legalizations, operand, reshaped, vectorOf } from './legalization.js';
import { expectChannelsLast, type Pool, pooled } from './window.js';

type Shape5 = [number, number, number, number, number];
const shape5 = ({ shape }: Value) => [...shape] as Shape5;

/** Where a stride leaves out more than the filter takes in, tfjs's `same` drops what comes first, and TFLite's what comes last. */
function expectNoCropping({ padInfo: { front, top, left } }: backend_util.Conv3DInfo): void {
  if (front < 0 || top < 0 || left < 0)
    throw new UnsupportedError("pad same with strides beyond the filter's size; accepted: valid, or smaller strides");
}

const windowAttrs = (info: backend_util.Conv3DInfo) => ({
  padding: info.padInfo.type,
  strideD: info.strideDepth,
  strideH: info.strideHeight,
  strideW: info.strideWidth,
  dilationDFactor: info.dilationDepth,
  dilationHFactor: info.dilationHeight,
  dilationWFactor: info.dilationWidth,
});

function conv3d(call: Call, { strides, pad, dilations, dataFormat }: Conv3DAttrs): Value {
  const [x, filter] = [operand(call, 'x'), operand(call, 'filter')];
  expectChannelsLast(dataFormat);
  const info = backend_util.computeConv3DInfo(shape5(x), shape5(filter), strides, dilations, pad);
  expectNoCropping(info);
  return call.emit('CONV_3D', [x, filter], windowAttrs(info));
}

function conv3dTranspose(call: Call, { strides, pad, inputShape }: Conv3DBackpropInputV2Attrs): Value {
  const [x, filter] = [operand(call, 'dy'), operand(call, 'filter')];
  const info = backend_util.computeConv3DInfo(inputShape, shape5(filter), strides, 1, pad);
  expectNoCropping(info);
  return call.emit('CONV_3D_TRANSPOSE', [vectorOf(inputShape), filter, x], windowAttrs(info), 'float32');
}

/** Pools of the planes, and then of the depth, where the pixels of a plane are one row. */
function pool3d(type: Pool): Legalization<AvgPool3DAttrs> {
  return (call, { filterSize, strides, pad, dimRoundingMode, dataFormat }) => {
    const x = operand(call, 'x');
    expectChannelsLast(dataFormat);
    const info = backend_util.computePool3DInfo(shape5(x), filterSize, strides, 1, pad, dimRoundingMode);
    expectNoCropping(info);
    const { batchSize, inDepth, inHeight, inWidth, outDepth, outHeight, outWidth, inChannels, padInfo } = info;
    const planes = reshaped(call, x, [batchSize * inDepth, inHeight, inWidth, inChannels]);
    const smaller = pooled(call, type, planes, info);
    const row = outHeight * outWidth;
    const y = pooled(call, type, reshaped(call, smaller, [batchSize, inDepth, row, inChannels]), {
      padInfo: { ...padInfo, top: padInfo.front, bottom: padInfo.back, left: 0, right: 0 },
      filterHeight: info.filterDepth,
      strideHeight: info.strideDepth,
      filterWidth: 1,
      strideWidth: 1,
    });
    return reshaped(call, y, [batchSize, outDepth, outHeight, outWidth, inChannels]);
  };
}

/** Kernels that look at a voxel's neighbourhood. */
export const volume: Legalizations = {
  Conv3D: conv3d,
  Conv3DBackpropInputV2: conv3dTranspose,
  AvgPool3D: pool3d('AVERAGE_POOL_2D'),
  MaxPool3D: pool3d('MAX_POOL_2D'),
};
