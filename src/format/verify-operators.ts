import { quoted } from '../../delegate/index.js';
import { type Check, constantBytes } from './check.js';
import { isFlexbufferOperator, readFlexbuffer } from './flexbuffer.js';
import { listOf, type Operator, type Options, type SubGraph, type Tensor } from './model.js';
import { builtinName, opName } from './operator-name.js';
import { optionsOf } from './operator-options.js';
import { rules } from './operator-rules.js';
import { integersOf } from './tensor-data.js';

/** A part of an operator: an input by position, an option by name, or `outputs[0]`. */
export type Place = number | string;

/** An operator as the rules see it. */
export interface OperatorView {
  readonly options: Options;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  /** Integers of a constant input; `undefined` where it is not constant or not of integers. */
  constant(position: number): readonly number[] | undefined;
  /** The number in an option. */
  number(option: string): number;
  /** Refuses the operator for what is wrong at a place of it. */
  refuse(place: Place, message: string): never;
}

/** Checks operators' options and constant operands, as far as that needs no shape inference. */
export function verifyOperators(check: Check, subgraph: SubGraph, path: string): void {
  listOf(subgraph.operators).forEach((operator, o) => {
    const place = `${path}.operators[${o}]`;
    const type = builtinName(check.model, operator);
    if (type === 'CUSTOM') verifyCustomOptions(check, operator, place);
    const parts = rules.get(type);
    if (!parts) return;
    const view = viewOperator(check, subgraph, operator, type, place);
    for (const rule of parts) rule(view);
  });
}

function viewOperator(check: Check, subgraph: SubGraph, operator: Operator, type: string, path: string): OperatorView {
  const { model, fail } = check;
  const options = optionsOf(model, operator);
  const inputs = listOf(operator.inputs).map((index) => subgraph.tensors?.[index]);
  return {
    options,
    inputs,
    outputs: listOf(operator.outputs).map((index) => subgraph.tensors![index]!),
    constant(position) {
      const tensor = inputs[position];
      const data = tensor && constantBytes(model, tensor);
      return tensor && !tensor.sparsity && data ? integersOf(tensor.type, data) : undefined;
    },
    number: (option) => options[option] as number,
    refuse(place, message) {
      const part =
        typeof place === 'number' ? `inputs[${place}]` : place in options ? `builtinOptions.${place}` : place;
      return fail('bad-operator', `${path}.${part}`, `${type}: ${message}`);
    },
  };
}

function verifyCustomOptions({ model, fail }: Check, operator: Operator, path: string): void {
  const name = opName(model, operator);
  if (!isFlexbufferOperator(name)) return;
  try {
    if (readFlexbuffer(operator.customOptions ?? new Uint8Array(0)) instanceof Map) return;
  } catch (error) {
    fail('bad-flexbuffer', `${path}.customOptions`, `${quoted(name)}: ${(error as Error).message}`);
  }
  fail('bad-flexbuffer', `${path}.customOptions`, `${quoted(name)}: the options are no map`);
}
