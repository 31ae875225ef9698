import {
  type Attrs,
  densify,
  type Graph,
  type Node,
  quoted,
  type TensorData,
  UnsupportedError,
  type Value,
} from '../../delegate/index.js';
import { constantBytes, elementsOf } from './check.js';
import { isFlexbufferOperator, readFlexbuffer } from './flexbuffer.js';
import { listOf, type Model, type Operator, type SubGraph, type Tensor } from './model.js';
import { isCustom, opName } from './operator-name.js';
import { optionsOf } from './operator-options.js';
import { dtypeOf, emptyData, tensorData } from './tensor-data.js';

/**
 * A subgraph of a verified model as the graph that the delegate compiles. Values keep the tensors' indices as ids,
 * nodes the operators'. Constants are views of the file where alignment and packing allow.
 */
export function toGraph(model: Model, index: number): Graph {
  const subgraph = model.subgraphs?.[index];
  if (!subgraph) throw new RangeError(`subgraph ${index}, but there are ${listOf(model.subgraphs).length} subgraphs`);
  const values = valuesOf(model, subgraph, index);
  const valueAt = (id: number) => values[id]!;
  return {
    name: subgraph.name ?? '',
    nodes: listOf(subgraph.operators).map((operator, id) => toNode(model, operator, id, values)),
    inputs: listOf(subgraph.inputs).map(valueAt),
    outputs: listOf(subgraph.outputs).map(valueAt),
  };
}

function valuesOf(model: Model, subgraph: SubGraph, index: number): readonly Value[] {
  const written = new Set([
    ...listOf(subgraph.inputs),
    ...listOf(subgraph.operators).flatMap((o) => listOf(o.outputs)),
  ]);
  const inputs = new Set(listOf(subgraph.inputs));
  return listOf(subgraph.tensors).map((tensor, id) => {
    const value = toValue(model, tensor, id, `subgraphs[${index}].tensors[${id}]`);
    const isEmptyConstant = !value.data && !tensor.isVariable && !written.has(id) && elementsOf(tensor) === 0;
    if (isEmptyConstant) return { ...value, data: emptyData(value.dtype) };
    // What a caller sets is no state of the model, whatever the file calls it.
    return value.isVariable && inputs.has(id) ? { ...value, isVariable: false } : value;
  });
}

function toValue(model: Model, tensor: Tensor, id: number, path: string): Value {
  const data = constantBytes(model, tensor);
  if (tensor.quantization?.details)
    throw new UnsupportedError(
      `${path} ${quoted(tensor.name)}: ${tensor.quantization.detailsType}; accepted: scales per tensor or along one dimension`,
    );
  return {
    ...tensorValue(tensor, id),
    ...(data && { data: denseData(tensor, tensorData(tensor, data)) }),
    ...(tensor.isVariable && { isVariable: true }),
  };
}

/** What the file says of a tensor beside its data. */
export function tensorValue({ name = '', shape = [], type, shapeSignature, quantization }: Tensor, id: number): Value {
  const { scale = [], zeroPoint, quantizedDimension = 0 } = quantization ?? {};
  const zeroPoints = scale.map((_, i) => Number(zeroPoint?.[zeroPoint.length === 1 ? 0 : i] ?? 0));
  return {
    id,
    name,
    shape,
    dtype: dtypeOf(type),
    ...(shapeSignature && { shapeSignature }),
    ...(scale.length > 0 && { quantization: { scales: scale, zeroPoints, quantizedDimension } }),
  };
}

/** Sparse constants are expanded for whoever reads them; DENSIFY then finds nothing left to do. */
function denseData({ shape, sparsity, type }: Tensor, data: TensorData): TensorData {
  return sparsity ? densify({ shape: shape ?? [], dtype: dtypeOf(type), data, sparsity }) : data;
}

function toNode(model: Model, operator: Operator, id: number, values: readonly Value[]): Node {
  return {
    id,
    type: opName(model, operator),
    attrs: attrsOf(model, operator, values),
    inputs: listOf(operator.inputs).map((index) => values[index]),
    outputs: listOf(operator.outputs).map((index) => values[index]!),
  };
}

/**
 * The options under their schema names. Custom operators have `customOptions`, the bytes, and those of TFLite itself
 * `options`, the map in them. `intermediates` are the values that some recurrent operators keep their scales in.
 */
function attrsOf(model: Model, operator: Operator, values: readonly Value[]): Attrs {
  const { intermediates } = operator;
  const scratch = intermediates?.length ? { intermediates: intermediates.map((index) => values[index]) } : undefined;
  if (!isCustom(model, operator)) return { ...optionsOf(model, operator), ...scratch };
  const customOptions = operator.customOptions ?? new Uint8Array(0);
  const options = isFlexbufferOperator(opName(model, operator)) ? (readFlexbuffer(customOptions) as object) : undefined;
  return { customOptions, ...(options && { options }), ...scratch };
}
