import { dequantizeData } from '../../delegate/index.js';
import { constantBytes } from '../format/check.js';
import { tensorValue } from '../format/graph.js';
import { listOf, type Model, type Operator, type SignatureDef, type SubGraph, type Tensor } from '../format/model.js';
import { builtinName } from '../format/operator-name.js';
import { tensorData } from '../format/tensor-data.js';
import { ModelEditor } from './model-editor.js';

/** Makes every quantised tensor float32, inputs and outputs too, and drops the operators that only converted. */
export function dequantizeModel(model: Model): Model {
  const editor = new ModelEditor(model);
  const aliases = listOf(model.subgraphs).map((subgraph) => aliasesOf(model, subgraph));
  const changed = editor.finish(
    listOf(model.subgraphs).map((subgraph, i) => floatSubgraph(model, subgraph, aliases[i]!, editor)),
  );
  return {
    ...changed,
    ...(model.signatureDefs && { signatureDefs: model.signatureDefs.map((s) => redirected(s, aliases)) }),
  };
}

const isStoredFloat = ({ type, quantization }: Tensor): boolean =>
  type === 'FLOAT16' || (/^U?INT/.test(type) && Boolean(quantization?.scale?.length));

/** Operators that only convert between a number and its stored form. */
function isConversion(model: Model, operator: Operator): boolean {
  const name = builtinName(model, operator);
  return name === 'DEQUANTIZE' || name === 'QUANTIZE';
}

/** What stands for the output of each conversion: the index of the tensor that it read. */
type Aliases = ReadonlyMap<number, number>;

function aliasesOf(model: Model, { operators }: SubGraph): Aliases {
  const aliases = new Map<number, number>();
  for (const operator of listOf(operators)) {
    if (!isConversion(model, operator)) continue;
    const [from, to] = [operator.inputs![0]!, operator.outputs![0]!];
    aliases.set(to, aliases.get(from) ?? from);
  }
  return aliases;
}

function floatSubgraph(model: Model, subgraph: SubGraph, aliases: Aliases, editor: ModelEditor): SubGraph {
  const aliased = (index: number) => aliases.get(index) ?? index;
  return {
    ...subgraph,
    tensors: listOf(subgraph.tensors).map((tensor, id) => floatTensor(model, tensor, id, editor)),
    outputs: listOf(subgraph.outputs).map(aliased),
    operators: listOf(subgraph.operators)
      .filter((operator) => !isConversion(model, operator))
      .map((operator) => ({ ...withFloatInputs(operator), inputs: listOf(operator.inputs).map(aliased) })),
  };
}

function floatTensor(model: Model, tensor: Tensor, id: number, editor: ModelEditor): Tensor {
  if (!isStoredFloat(tensor)) return tensor;
  const { quantization: _, ...rest } = tensor;
  const bytes = constantBytes(model, tensor);
  if (!bytes) return { ...rest, type: 'FLOAT32' };
  const stored = tensorData(tensor, bytes);
  const numbers = stored instanceof BigInt64Array ? Float64Array.from(stored, Number) : stored;
  const data = dequantizeData({ ...tensorValue(tensor, id), data: numbers });
  return { ...rest, type: 'FLOAT32', buffer: editor.addBuffer(data) };
}

/** Weights are floats, so inputs are not quantised while running. */
function withFloatInputs(operator: Operator): Operator {
  const { builtinOptions: options } = operator;
  if (!options?.asymmetricQuantizeInputs) return operator;
  return { ...operator, builtinOptions: { ...options, asymmetricQuantizeInputs: false } };
}

function redirected(signature: SignatureDef, aliases: readonly Aliases[]): SignatureDef {
  const { outputs, subgraphIndex } = signature;
  const map = aliases[subgraphIndex];
  const moved = outputs?.map((o) => ({ ...o, tensorIndex: map?.get(o.tensorIndex) ?? o.tensorIndex }));
  return { ...signature, ...(moved && { outputs: moved }) };
}
