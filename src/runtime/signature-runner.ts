import { lanesOf, quoted, type TensorData, type Value } from '../../delegate/index.js';
import { listOf, type SignatureDef } from '../format/model.js';
import type { Subgraph } from './subgraph.js';
import { detailsOf, type TensorDetails } from './tensor-details.js';
import { copyValues, type InputData } from './tensor-values.js';

/** The value of a named input; with a shape, the input is resized to it first. */
export type NamedInput = InputData | { readonly data: InputData; readonly shape: readonly number[] };

/** A signature as a function of named inputs that gives named outputs. Calls run one after another. */
export interface SignatureRunner {
  (inputs?: Readonly<Record<string, NamedInput>>): Promise<Record<string, TensorData>>;
  readonly key: string;
  getInputDetails(): Record<string, TensorDetails>;
  getOutputDetails(): Record<string, TensorDetails>;
}

/** Positions of a signature's tensors by name. */
interface Names {
  readonly inputs: ReadonlyMap<string, number>;
  readonly outputs: ReadonlyMap<string, number>;
}

/** Makes the runner of a signature on its subgraph. */
export function signatureRunner(definition: SignatureDef, subgraph: Subgraph): SignatureRunner {
  const names = namesOf(definition, subgraph);
  const key = definition.signatureKey ?? '';
  const run = async (inputs: Readonly<Record<string, NamedInput>> = {}) => {
    const given = inputsOf(key, inputs, names);
    const { session } = subgraph;
    const change = () => {
      for (const [position, input] of given) subgraph.resize(position, shapeOf(input, subgraph.inputs[position]!));
      subgraph.applyShapes();
      for (const [position, input] of given) subgraph.set(position, dataOf(input));
    };
    return session.invoke({
      prepare: () => session.change(change),
      wanted: () => [...names.outputs.values()],
      take: async (outputs) => {
        const read = [...names.outputs].map(async ([name, position]) => {
          return [name, copyValues((await outputs.readAsync(position)).data)] as const;
        });
        const result: Record<string, TensorData> = Object.create(null);
        for (const [name, data] of await Promise.all(read)) result[name] = data;
        return result;
      },
    });
  };
  return Object.assign(run, {
    key,
    getInputDetails: () => named(names.inputs, subgraph.inputs),
    getOutputDetails: () => named(names.outputs, subgraph.outputs),
  });
}

function namesOf({ inputs, outputs }: SignatureDef, { file }: Subgraph): Names {
  const positions = (values: readonly Value[]) => (index: number) => values.findIndex(({ id }) => id === index);
  const inputAt = positions(file.inputs);
  const outputAt = positions(file.outputs);
  return {
    inputs: new Map(listOf(inputs).map(({ name = '', tensorIndex }) => [name, inputAt(tensorIndex)])),
    outputs: new Map(listOf(outputs).map(({ name = '', tensorIndex }) => [name, outputAt(tensorIndex)])),
  };
}

function inputsOf(key: string, inputs: Readonly<Record<string, NamedInput>>, names: Names): [number, NamedInput][] {
  const accepted = [...names.inputs.keys()].map((name) => quoted(name)).join(', ');
  const where = `signature ${quoted(key)}`;
  const given = new Map(Object.entries(inputs));
  for (const name of given.keys()) {
    if (!names.inputs.has(name))
      throw new TypeError(`${where}: there is no input ${quoted(name)}; accepted: ${accepted}`);
  }
  return [...names.inputs].map(([name, position]) => {
    const input = given.get(name);
    if (input === undefined) throw new TypeError(`${where}: input ${quoted(name)} is missing; accepted: ${accepted}`);
    return [position, input];
  });
}

function dataOf(input: NamedInput): InputData {
  return 'shape' in input ? input.data : input;
}

/** The shape given; without one, the only shape of that many elements where one size is free; else as it is. */
function shapeOf(input: NamedInput, { shape, dtype, shapeSignature = [] }: Value): readonly number[] {
  if ('shape' in input) return input.shape;
  const free = shapeSignature.indexOf(-1);
  if (free < 0 || shapeSignature.lastIndexOf(-1) !== free) return shape;
  const rest = shapeSignature.reduce((product, size, i) => (i === free ? product : product * size), 1);
  const size = input.length / lanesOf(dtype) / rest;
  return Number.isInteger(size) ? shapeSignature.map((known, i) => (i === free ? size : known)) : shape;
}

function named(positions: ReadonlyMap<string, number>, values: readonly Value[]): Record<string, TensorDetails> {
  const details: Record<string, TensorDetails> = Object.create(null);
  for (const [name, position] of positions) details[name] = detailsOf(values[position]!);
  return details;
}
