import type { DType, TensorData } from './dtype.js';
import type { Attrs, Node, TensorType } from './graph.js';
import type { Shape } from './shape.js';

/** An input as shape inference sees it: constant (or already known) values have `data`. */
export interface InferInput extends TensorType {
  readonly data?: TensorData;
}

/** A tensor in plain memory. */
export interface CpuTensor extends TensorType {
  readonly data: TensorData;
}

/** What an op is: one value per `BuiltinOperator`, generic over its attributes under their schema names. */
export interface OpSpec<A = Attrs> {
  readonly type: string;
  /**
   * Types of the outputs. `undefined` for an output whose shape depends on values that are not known yet
   * (an input without `data`). `outputs` are the declared types: their number and dtypes count, their shapes
   * only where the op says so. Throws ModelError where the inputs do not fit the op.
   */
  infer(
    inputs: readonly (InferInput | undefined)[],
    attrs: A,
    outputs: readonly TensorType[],
  ): readonly (TensorType | undefined)[];
  /** The meaning, on plain memory. `outputs` are the inferred types, all known. Absent: this op has no CPU form. */
  cpu?(inputs: readonly (CpuTensor | undefined)[], attrs: A, outputs: readonly TensorType[]): readonly TensorData[];
  /**
   * Works on the integers that quantised tensors store: true, or the types where it does. All other ops work on the numbers
   * that these stand for.
   */
  readonly onStored?: boolean | readonly DType[];
  /** Makes no numbers of its own: each element of an output is one of an input, or 0. */
  readonly picks?: boolean;
  /** True where equal inputs may give different outputs or there are effects: never folded or dropped. */
  readonly stateful?: boolean;
}

/** Widens a spec for lists: its attributes come from the reader, which follows the schema. */
export function defineOp<A>(spec: OpSpec<A>): OpSpec {
  return spec as unknown as OpSpec;
}

/** The input at `position`, which the op cannot do without. */
export function required<T>(inputs: readonly (T | undefined)[], position: number): T {
  const input = inputs[position];
  if (!input) throw new TypeError(`input ${position} is absent; this op needs it`);
  return input;
}

/** Numbers of a constant integer tensor (axes, shapes, paddings), or `undefined` where it is not constant. */
export function constantInts(input: InferInput | undefined): number[] | undefined {
  return input?.data ? Array.from(input.data as ArrayLike<number | bigint>, Number) : undefined;
}

/** A tensor type; what `infer` returns. */
export function typed(shape: Shape, dtype: DType): TensorType {
  return { shape, dtype };
}

/** A node with its attributes typed. */
export type TypedNode<A> = Omit<Node, 'attrs'> & { readonly attrs: A };
