import type { Graph, Node, Value } from '../../../delegate/index.js';
import type { Target } from '../../../delegate/shader/target.js';

/** What a software GL with 8 render targets makes of the default options. */
export const target: Target = {
  targets: 8,
  fetch: 'texture',
  maxTextureSize: 4096,
  largestDraw: 2e9,
  varyings: 16,
  narrowest: 64,
  precision: 'float32',
  uniformWeights: false,
  halfWeights: false,
  winograd: 'cheaper',
  literals: 'common',
};

let ids = 0;

/** A float32 activation. */
export function activation(shape: readonly number[], name = 'v'): Value {
  return { id: ids++, name, shape, dtype: 'float32' };
}

/** A float32 constant. */
export function constant(shape: readonly number[], values: readonly number[]): Value {
  return { id: ids++, name: 'c', shape, dtype: 'float32', data: Float32Array.from(values) };
}

/** An int32 constant vector. */
export function ints(...values: number[]): Value {
  return { id: ids++, name: 'i', shape: [values.length], dtype: 'int32', data: Int32Array.from(values) };
}

export function node(
  type: string,
  inputs: readonly (Value | undefined)[],
  outputs: readonly Value[],
  attrs: Node['attrs'] = {},
): Node {
  return { id: ids++, type, attrs, inputs, outputs };
}

export function graphOf(inputs: readonly Value[], nodes: readonly Node[], outputs: readonly Value[]): Graph {
  return { name: 'test', nodes, inputs, outputs };
}
