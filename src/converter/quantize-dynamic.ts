import { listOf, type Model, type Operator, type Options, type SubGraph, type Tensor } from '../format/model.js';
import { builtinName } from '../format/operator-name.js';
import { optionsOf } from '../format/operator-options.js';
import { activationLike, conversion, type FloatConstant, floatConstants, type Use } from './float-constants.js';
import { ModelEditor } from './model-editor.js';
import { type Bytes, symmetricBytes } from './symmetric.js';

/** Constants of fewer elements stay as they are. */
const LEAST_ELEMENTS = 1024;

/** Which inputs of an operator may be bytes where its activations are floats: the axis of their scales, or one scale. */
const WEIGHTS: Readonly<Record<string, Readonly<Record<number, number | 'tensor'>>>> = {
  CONV_2D: { 1: 0 },
  DEPTHWISE_CONV_2D: { 1: 3 },
  FULLY_CONNECTED: { 1: 0 },
  TRANSPOSE_CONV: { 1: 0 },
  GATHER: { 0: 'tensor' },
  UNIDIRECTIONAL_SEQUENCE_LSTM: Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 16].map((input) => [input, 'tensor'])),
};

/** Stores large weights as int8, symmetric, per channel where the operator takes it. Activations stay float32. */
export function quantizeDynamic(model: Model): Model {
  const editor = new ModelEditor(model);
  return editor.finish(listOf(model.subgraphs).map((subgraph) => withBytes(model, subgraph, editor)));
}

function withBytes(model: Model, subgraph: SubGraph, editor: ModelEditor): SubGraph {
  const tensors = [...listOf(subgraph.tensors)];
  const changed = new Set<Operator>();
  for (const constant of floatConstants(model, subgraph)) {
    const axis = axisOf(model, constant);
    if (axis === undefined || constant.data.length < LEAST_ELEMENTS) continue;
    const { index, tensor, data, uses } = constant;
    const bytes = symmetricBytes(data, tensor.shape ?? [], axis === 'tensor' ? undefined : axis);
    tensors[index] = bytesTensor(tensor, bytes, editor.addBuffer(bytes.values));
    for (const { operator } of uses) changed.add(operator);
  }
  const operators = listOf(subgraph.operators).flatMap((operator) => {
    if (!changed.has(operator)) return [operator];
    return builtinName(model, operator) === 'GATHER'
      ? gatherOfBytes(operator, tensors, editor)
      : [withBytesOfInputs(model, operator)];
  });
  return { ...subgraph, tensors, operators };
}

/** The axis of a constant's scales, on which all that read it agree. */
function axisOf(model: Model, { uses }: FloatConstant): number | 'tensor' | undefined {
  const axes = new Set(uses.map(({ operator, input }: Use) => WEIGHTS[builtinName(model, operator)]?.[input]));
  return axes.size === 1 ? [...axes][0] : undefined;
}

function bytesTensor(tensor: Tensor, { scales, axis }: Bytes, buffer: number): Tensor {
  const quantization = {
    scale: scales,
    zeroPoint: scales.map(() => 0),
    detailsType: 'NONE',
    quantizedDimension: axis,
  };
  return { ...tensor, type: 'INT8', buffer, quantization };
}

/** Where weights are bytes, inputs are quantised while running, with a zero point. */
function withBytesOfInputs(model: Model, operator: Operator): Operator {
  const options = optionsOf(model, operator);
  if (!('asymmetricQuantizeInputs' in options)) return operator;
  const builtinOptions: Options = { ...options, asymmetricQuantizeInputs: true };
  return { ...operator, builtinOptions };
}

/** GATHER gives the bytes that it takes; DEQUANTIZE makes floats of them. */
function gatherOfBytes(operator: Operator, tensors: Tensor[], editor: ModelEditor): Operator[] {
  const output = operator.outputs![0]!;
  const { quantization } = tensors[operator.inputs![0]!]!;
  const bytes = { ...activationLike(tensors[output]!, 'INT8', '/int8'), ...(quantization && { quantization }) };
  const gathered = tensors.push(bytes) - 1;
  return [{ ...operator, outputs: [gathered] }, conversion(editor, 'DEQUANTIZE', gathered, output)];
}
