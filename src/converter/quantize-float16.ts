import { floatToHalf } from '../../delegate/index.js';
import { listOf, type Model, type Operator, type SubGraph } from '../format/model.js';
import { activationLike, conversion, floatConstants } from './float-constants.js';
import { ModelEditor } from './model-editor.js';

/** The largest half: larger finite values become it. */
const LARGEST_HALF = 65504;

/** Stores float32 constants as the nearest halves, which DEQUANTIZE expands before use. Inputs and outputs stay float32. */
export function quantizeToFloat16(model: Model): Model {
  const editor = new ModelEditor(model);
  return editor.finish(listOf(model.subgraphs).map((subgraph) => withHalves(model, subgraph, editor)));
}

function withHalves(model: Model, subgraph: SubGraph, editor: ModelEditor): SubGraph {
  const tensors = [...listOf(subgraph.tensors)];
  const expanded = new Map<number, number>();
  const expanding: Operator[] = [];
  for (const { index, tensor, data } of floatConstants(model, subgraph)) {
    const output = tensors.push(activationLike(tensor, 'FLOAT32', '/float32')) - 1;
    tensors[index] = { ...tensor, type: 'FLOAT16', buffer: editor.addBuffer(Uint16Array.from(data, halfOf)) };
    expanded.set(index, output);
    expanding.push(conversion(editor, 'DEQUANTIZE', index, output));
  }
  const operators = listOf(subgraph.operators).map((operator) => ({
    ...operator,
    inputs: listOf(operator.inputs).map((index) => expanded.get(index) ?? index),
  }));
  return { ...subgraph, tensors, operators: [...expanding, ...operators] };
}

function halfOf(value: number): number {
  return floatToHalf(Number.isFinite(value) ? Math.min(Math.max(value, -LARGEST_HALF), LARGEST_HALF) : value);
}
