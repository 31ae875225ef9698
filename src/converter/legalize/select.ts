import type { GatherV2Attrs, OneHotAttrs } from '@tensorflow/tfjs-core';
import { UnsupportedError, type Value } from '../../../delegate/index.js';
import { type Call, constantOf, type Legalizations, numberOf, operand, reshaped } from './legalization.js';

function select(call: Call): Value {
  const [condition, x, y] = [operand(call, 'condition'), operand(call, 't'), operand(call, 'e')];
  // A condition of rank 1 picks rows.
  const perRow = condition.shape.length === 1 && x.shape.length > 1;
  const rows = perRow ? reshaped(call, condition, [...condition.shape, ...x.shape.slice(1).map(() => 1)]) : condition;
  return call.emit('SELECT_V2', [rows, x, y], {}, x.dtype);
}

function gather(call: Call, { axis, batchDims }: GatherV2Attrs): Value {
  return call.emit('GATHER', [operand(call, 'x'), operand(call, 'indices')], { axis, batchDims });
}

function gatherNd(call: Call): Value {
  return call.emit('GATHER_ND', [operand(call, 'params'), operand(call, 'indices')]);
}

function oneHot(call: Call, { depth, onValue, offValue, dtype }: OneHotAttrs): Value {
  const like = { dtype: dtype as 'int32' | 'float32' };
  if (dtype !== 'int32' && dtype !== 'float32') throw new UnsupportedError(`${dtype}; accepted: float32, int32`);
  const count = constantOf(Int32Array.of(depth), [], 'int32');
  const inputs = [operand(call, 'indices'), count, numberOf(onValue, like), numberOf(offValue, like)];
  return call.emit('ONE_HOT', inputs, { axis: -1 }, like.dtype);
}

/** Kernels that pick elements. */
export const selections: Legalizations = { Select: select, GatherV2: gather, GatherNd: gatherNd, OneHot: oneHot };
