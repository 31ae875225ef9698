import { quoted } from '../../delegate/index.js';
import { type Check, constantBytes, elementsOf } from './check.js';
import { listOf, type Operator, type SubGraph, type Tensor } from './model.js';
import { builtinName, opName } from './operator-name.js';
import { operators } from './operators.js';
import { optionsTableOf } from './schema.js';

/** Who gives a tensor its value. */
type Source = 'none' | 'constant' | 'variable' | 'input' | 'operator';

/** Checks tensor indices, that values exist before they are used, and that each has one producer. */
export function verifyTopology(check: Check, subgraph: SubGraph, path: string): void {
  const tensors = listOf(subgraph.tensors);
  const sources = tensors.map((tensor) => ownSource(check, tensor));
  listOf(subgraph.inputs).forEach((index, i) => {
    check.expectIndex(`${path}.inputs[${i}]`, 'tensor', index, tensors.length);
    if (sources[index] === 'none') sources[index] = 'input';
  });
  listOf(subgraph.operators).forEach((operator, o) => {
    verifyOperator(check, operator, tensors, sources, `${path}.operators[${o}]`);
  });
  listOf(subgraph.outputs).forEach((index, i) => {
    check.expectIndex(`${path}.outputs[${i}]`, 'tensor', index, tensors.length);
    if (sources[index] !== 'none') return;
    check.fail(
      'no-producer',
      `${path}.outputs[${i}]`,
      `nothing gives tensor ${index} ${quoted(tensors[index]!.name)} a value`,
    );
  });
}

function ownSource({ model }: Check, tensor: Tensor): Source {
  if (tensor.isVariable) return 'variable';
  return constantBytes(model, tensor) ? 'constant' : 'none';
}

function verifyOperator(
  check: Check,
  operator: Operator,
  tensors: readonly Tensor[],
  sources: Source[],
  path: string,
): void {
  const { model, fail } = check;
  check.expectIndex(`${path}.opcodeIndex`, 'operator code', operator.opcodeIndex, listOf(model.operatorCodes).length);
  const type = builtinName(model, operator);
  const name = quoted(opName(model, operator));
  const arity = operators.get(type)!;
  const inputs = listOf(operator.inputs);
  const outputs = listOf(operator.outputs);
  if (inputs.length < arity.inputs)
    fail('bad-arity', `${path}.inputs`, `${name} with ${inputs.length} inputs; it takes at least ${arity.inputs}`);
  if (outputs.length < arity.outputs) {
    fail('bad-arity', `${path}.outputs`, `${name} with ${outputs.length} outputs; it has at least ${arity.outputs}`);
  }
  inputs.forEach((index, i) => {
    const place = `${path}.inputs[${i}]`;
    if (index === -1 && arity.mayLack(i)) return;
    if (index === -1) fail('bad-index', place, `input ${i} of ${name} is absent (-1), which it cannot be`);
    check.expectIndex(place, 'tensor', index, tensors.length);
    if (sources[index] !== 'none' || elementsOf(tensors[index]!) === 0) return;
    fail(
      'no-producer',
      place,
      `${name} reads tensor ${index} ${quoted(tensors[index]!.name)} before anything gives it a value`,
    );
  });
  listOf(operator.intermediates).forEach((index, i) => {
    if (index !== -1) check.expectIndex(`${path}.intermediates[${i}]`, 'tensor', index, tensors.length);
  });
  verifyOutputs(check, outputs, tensors, sources, path);
  verifyOptionsType(check, operator, type, path);
}

function verifyOutputs(
  check: Check,
  outputs: readonly number[],
  tensors: readonly Tensor[],
  sources: Source[],
  path: string,
): void {
  outputs.forEach((index, i) => {
    const place = `${path}.outputs[${i}]`;
    check.expectIndex(place, 'tensor', index, tensors.length);
    const source = sources[index]!;
    if (source === 'constant' || source === 'input' || source === 'operator') {
      check.fail(
        'two-producers',
        place,
        `writes tensor ${index} ${quoted(tensors[index]!.name)}, which has its value from: ${source}`,
      );
    }
    sources[index] = 'operator';
  });
}

function verifyOptionsType({ fail }: Check, operator: Operator, type: string, path: string): void {
  const expected = optionsTableOf(type)?.name;
  for (const field of ['builtinOptions', 'builtinOptions2'] as const) {
    const found = operator[`${field}Type`];
    if (found === 'NONE' || found === expected) continue;
    fail('bad-options', `${path}.${field}Type`, `${type} with ${found}; accepted: ${expected ?? 'none'}`);
  }
}
