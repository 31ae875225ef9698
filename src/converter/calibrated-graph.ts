import { constantBytes } from '../format/check.js';
import { listOf, type Model, type Operator, type SubGraph, type Tensor } from '../format/model.js';
import { builtinName } from '../format/operator-name.js';
import { tensorData } from '../format/tensor-data.js';
import { activationRange, isFiniteRange, type Range, rangeOf } from './affine.js';

/** A float subgraph with the ranges of its numbers; tensors are named by index. */
export class CalibratedGraph {
  readonly subgraph: SubGraph;
  readonly operators: readonly Operator[];
  readonly #model: Model;
  readonly #ranges: Map<number, Range>;
  readonly #constants = new Map<number, Float32Array | undefined>();
  readonly #producers = new Map<number, Operator>();
  readonly #readers = new Map<number, number>();

  constructor(model: Model, subgraph: SubGraph, ranges: ReadonlyMap<number, Range>) {
    this.subgraph = subgraph;
    this.operators = listOf(subgraph.operators);
    this.#model = model;
    this.#ranges = new Map([...ranges].map(([index, range]) => [index, activationRange(range)]));
    for (const operator of this.operators)
      for (const index of listOf(operator.outputs)) this.#producers.set(index, operator);
    for (const index of [...this.operators.flatMap(({ inputs }) => listOf(inputs)), ...listOf(subgraph.outputs)])
      this.#readers.set(index, this.readers(index) + 1);
  }

  tensor(index: number): Tensor {
    return this.subgraph.tensors![index]!;
  }

  /** A `BuiltinOperator` name. */
  nameOf(operator: Operator): string {
    return builtinName(this.#model, operator);
  }

  isFloat(index: number): boolean {
    return index >= 0 && this.tensor(index).type === 'FLOAT32';
  }

  /** The float32 operands of an operator, constants too. */
  floatInputs({ inputs }: Operator): number[] {
    return listOf(inputs).filter((index) => this.isFloat(index));
  }

  floatOutputs({ outputs }: Operator): number[] {
    return listOf(outputs).filter((index) => this.isFloat(index));
  }

  /** The values of a dense float constant. */
  constant(index: number): Float32Array | undefined {
    if (!this.#constants.has(index)) {
      const isDense = this.isFloat(index) && !this.tensor(index).sparsity;
      const bytes = isDense ? constantBytes(this.#model, this.tensor(index)) : undefined;
      this.#constants.set(index, bytes && (tensorData(this.tensor(index), bytes) as Float32Array));
    }
    return this.#constants.get(index);
  }

  /** What an activation reached or a constant holds; undefined where that is not finite or no sample came there. */
  range(index: number): Range | undefined {
    const data = this.#ranges.has(index) ? undefined : this.constant(index);
    if (data) this.#ranges.set(index, rangeOf(data));
    const range = this.#ranges.get(index);
    return range && isFiniteRange(range) ? range : undefined;
  }

  /** The operator that makes a tensor. */
  producer(index: number): Operator | undefined {
    return this.#producers.get(index);
  }

  /** How many operands and outputs of the subgraph the tensor is. */
  readers(index: number): number {
    return this.#readers.get(index) ?? 0;
  }
}
