import { util } from '@tensorflow/tfjs-core';
import type { Value } from '../../../delegate/index.js';
import { type Call, constantOf, type Legalization, type Legalizations, operand, vectorOf } from './legalization.js';

interface ReduceAttrs {
  readonly axis?: number | number[];
  /** What the kernel Max calls its axes. */
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

function reduction(type: string): Legalization<ReduceAttrs> {
  return (call, { reductionIndices, axis = reductionIndices, keepDims = false }) => {
    const x = operand(call, 'x');
    const axes = util.parseAxisParam(axis!, [...x.shape]);
    return axes.length ? call.emit(type, [x, vectorOf(axes)], { keepDims }) : x;
  };
}

function arg(type: string): Legalization<{ readonly axis: number }> {
  return (call, { axis }) => {
    const x = operand(call, 'x');
    const place = constantOf(Int32Array.from(util.parseAxisParam(axis, [...x.shape])), [], 'int32');
    return call.emit(type, [x, place], { outputType: 'INT32' }, 'int32');
  };
}

interface CumsumAttrs {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

function cumsum(call: Call, { axis, exclusive, reverse }: CumsumAttrs): Value {
  return call.emit('CUMSUM', [operand(call, 'x'), constantOf(Int32Array.of(axis), [], 'int32')], {
    exclusive,
    reverse,
  });
}

/** Kernels that fold axes. */
export const reduce: Legalizations = {
  Sum: reduction('SUM'),
  Mean: reduction('MEAN'),
  Max: reduction('REDUCE_MAX'),
  Min: reduction('REDUCE_MIN'),
  Prod: reduction('REDUCE_PROD'),
  Any: reduction('REDUCE_ANY'),
  All: reduction('REDUCE_ALL'),
  ArgMax: arg('ARG_MAX'),
  ArgMin: arg('ARG_MIN'),
  Cumsum: cumsum,
};
