// Runs a model's main graph op by op on TensorFlow.js: what a user of its WebGL backend gets for the same network and weights.
import * as tf from '@tensorflow/tfjs-core';
import { listOf, type Model, type Operator, type SubGraph, type Tensor } from '../../src/format/model.js';
import { opName } from '../../src/format/operator-name.js';
import { optionsOf } from '../../src/format/operator-options.js';
import { readModel } from '../../src/format/read.js';
import { fromHalf } from '../../test/conformance/values.js';
import type { Input } from '../peers.js';
import { kernels } from './tfjs-kernels.js';

/** What a kernel sees of its operator. */
export interface Call {
  /** Input number `k`; constants are on the GPU already. */
  input(k: number): tf.Tensor;
  /** True where the operator has input number `k`. */
  has(k: number): boolean;
  /** The numbers of a constant input. */
  numbers(k: number): number[];
  /** A weight in another arrangement, made once. */
  arranged(k: number, arrange: (weight: tf.Tensor) => tf.Tensor): tf.Tensor;
  /** An option of the schema by name. */
  option<T>(name: string): T;
  /** The options of a custom op. */
  readonly customOptions: Uint8Array;
  readonly inputCount: number;
  readonly outputShape: number[];
}

/** A loaded model; `run` returns tensors that the caller disposes. */
export interface TfjsGraph {
  readonly opCount: number;
  run(inputs: readonly Input[]): tf.Tensor[];
  dispose(): void;
}

/** Reads a model and uploads its weights. Throws where an op or a type has no counterpart here. */
export function loadTfjsGraph(bytes: Uint8Array): TfjsGraph {
  const model = readModel(bytes);
  const graph = model.subgraphs![0]!;
  const tensors = listOf(graph.tensors);
  const constants = new Map<number, tf.Tensor>();
  const arrangements = new Map<number, tf.Tensor>();
  for (const [index, tensor] of tensors.entries()) {
    const values = constantOf(model, tensor);
    if (values)
      constants.set(index, tf.tensor(values, [...listOf(tensor.shape)], isInteger(tensor) ? 'int32' : 'float32'));
  }
  const steps = neededSteps(model, graph, constants);

  function callOf({ operator, name }: Step, known: ReadonlyMap<number, tf.Tensor>): Call {
    const inputs = listOf(operator.inputs);
    const options = optionsOf(model, operator);
    const input = (k: number) => known.get(inputs[k]!) ?? constants.get(inputs[k]!)!;
    return {
      input,
      has: (k) => (inputs[k] ?? -1) >= 0,
      numbers: (k) => [...numbersOf(model, tensors[inputs[k]!]!, name)],
      arranged(k, arrange) {
        const index = inputs[k]!;
        if (!arrangements.has(index)) arrangements.set(index, tf.keep(tf.tidy(() => arrange(input(k)))));
        return arrangements.get(index)!;
      },
      option: <T>(field: string) => options[field] as T,
      customOptions: operator.customOptions ?? new Uint8Array(0),
      inputCount: inputs.length,
      outputShape: [...listOf(tensors[operator.outputs![0]!]!.shape)],
    };
  }

  return {
    opCount: steps.length,
    run: (inputs) =>
      tf.tidy(() => {
        const known = new Map<number, tf.Tensor>();
        for (const [k, index] of listOf(graph.inputs).entries()) {
          const { data, shape, dtype } = inputs[k]!;
          known.set(index, tf.tensor(data, shape, dtype));
        }
        for (const step of steps) {
          const made = kernels[step.name]!(callOf(step, known));
          for (const [k, tensor] of [made].flat().entries()) known.set(step.operator.outputs![k]!, tensor);
        }
        return listOf(graph.outputs).map((index) => known.get(index)!);
      }),
    dispose() {
      for (const tensor of [...constants.values(), ...arrangements.values()]) tensor.dispose();
    },
  };
}

interface Step {
  readonly operator: Operator;
  readonly name: string;
}

/** The operators that the outputs depend on. Shapes are static here, so what computes a RESHAPE's shape is left out. */
function neededSteps(model: Model, graph: SubGraph, constants: Map<number, tf.Tensor>): Step[] {
  const needed = new Set(listOf(graph.outputs));
  const steps: Step[] = [];
  for (const operator of [...listOf(graph.operators)].reverse()) {
    const output = operator.outputs![0]!;
    const name = opName(model, operator);
    if (!listOf(operator.outputs).some((index) => needed.has(index))) continue;
    const [first, ...others] = listOf(operator.inputs);
    if (name === 'DEQUANTIZE' && constants.has(first!)) {
      constants.set(output, constants.get(first!)!);
      continue;
    }
    if (!kernels[name]) throw new Error(`${name} has no TensorFlow.js counterpart here`);
    for (const index of name === 'RESHAPE' ? [first!] : [first!, ...others]) needed.add(index);
    steps.unshift({ operator, name });
  }
  return steps;
}

function isInteger({ type }: Tensor): boolean {
  return type === 'INT32' || type === 'INT64';
}

function constantOf(model: Model, tensor: Tensor): Float32Array | Int32Array | undefined {
  const bytes = model.buffers![tensor.buffer]?.data;
  if (!bytes?.length) return undefined;
  const own = bytes.slice().buffer;
  switch (tensor.type) {
    case 'FLOAT32':
      return new Float32Array(own);
    case 'FLOAT16':
      return Float32Array.from(new Uint16Array(own), fromHalf);
    case 'INT32':
      return new Int32Array(own);
    case 'INT64':
      return Int32Array.from(new BigInt64Array(own), Number);
    default:
      throw new Error(`constants of type ${tensor.type} are not read here`);
  }
}

function numbersOf(model: Model, tensor: Tensor, name: string): Float32Array | Int32Array {
  const values = constantOf(model, tensor);
  if (!values) throw new Error(`${name} wants a constant for ${tensor.name}`);
  return values;
}
