import { quoted } from '../../delegate/index.js';
import { constantBytes } from './check.js';
import {
  listOf,
  type Model,
  type Operator,
  type QuantizationParameters,
  type SignatureDef,
  type SubGraph,
  type Tensor,
} from './model.js';
import { opName } from './operator-name.js';
import { optionsOf } from './operator-options.js';

/** A model as readable text: one line per signature, tensor and operator. Names are escaped and cut. */
export function printModel(model: Model): string {
  const bytes = listOf(model.buffers).reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  const head = `model, schema version ${model.version}: ${listOf(model.buffers).length} buffers of ${bytes} bytes`;
  return [
    model.description ? `${head}, ${quoted(model.description)}` : head,
    ...listOf(model.metadata).map(({ name, buffer }) => `metadata ${quoted(name)}: buffer ${buffer}`),
    ...listOf(model.signatureDefs).map(printSignature),
    ...listOf(model.subgraphs).flatMap((subgraph, s) => printSubgraph(model, subgraph, s)),
    '',
  ].join('\n');
}

function printSignature({ signatureKey, subgraphIndex, inputs, outputs }: SignatureDef): string {
  const side = (maps: SignatureDef['inputs']) =>
    listOf(maps).map(({ name, tensorIndex }) => `${quoted(name)} %${tensorIndex}`);
  return `signature ${quoted(signatureKey)}: subgraph ${subgraphIndex} (${side(inputs).join(', ')}) -> (${side(outputs).join(', ')})`;
}

function printSubgraph(model: Model, subgraph: SubGraph, index: number): string[] {
  const name = subgraph.name ? ` ${quoted(subgraph.name)}` : '';
  return [
    `subgraph ${index}${name}: ${values(subgraph.inputs)} -> ${values(subgraph.outputs)}`,
    ...listOf(subgraph.tensors).map((tensor, t) => `  %${t} = ${printTensor(model, tensor)}`),
    ...listOf(subgraph.operators).map((operator, o) => `  #${o} ${printOperator(model, operator)}`),
  ];
}

function printTensor(model: Model, tensor: Tensor): string {
  const data = constantBytes(model, tensor);
  const parts = [
    `${tensor.type} ${tensor.shape ? dimensions(tensor.shape) : 'without shape'}`,
    tensor.shapeSignature && `signature ${dimensions(tensor.shapeSignature)}`,
    data && `constant of ${data.length} bytes in buffer ${tensor.buffer}`,
    tensor.isVariable && 'variable',
    tensor.sparsity && 'sparse',
    tensor.quantization && printQuantization(tensor.quantization),
    quoted(tensor.name),
  ];
  return parts.filter(Boolean).join(', ');
}

function printQuantization({ scale, zeroPoint, quantizedDimension }: QuantizationParameters): string | undefined {
  if (!scale?.length) return undefined;
  if (scale.length === 1) return `scale ${scale[0]}, zero point ${zeroPoint?.[0] ?? 0}`;
  return `${scale.length} scales from ${Math.min(...scale)} to ${Math.max(...scale)} along dimension ${quantizedDimension}`;
}

function printOperator(model: Model, operator: Operator): string {
  const options = Object.entries(optionsOf(model, operator)).flatMap(([name, value]) => {
    return value === undefined ? [] : [`${name}=${printOption(value)}`];
  });
  const custom = operator.customOptions ? [`customOptions=${operator.customOptions.length} bytes`] : [];
  const name = opName(model, operator).replace(/[^\w]/g, '?').slice(0, 64);
  return [`${name}(${values(operator.inputs)}) -> ${values(operator.outputs)}`, ...options, ...custom].join(' ');
}

function printOption(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `[${value.slice(0, 16).join(',')}${value.length > 16 ? ',…' : ''}]`;
  return typeof value === 'string' ? value.replace(/[^\w ./:;-]/g, '?').slice(0, 64) : String(value);
}

function values(indices: readonly number[] | undefined): string {
  return listOf(indices)
    .map((index) => (index < 0 ? '-' : `%${index}`))
    .join(', ');
}

function dimensions(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}
