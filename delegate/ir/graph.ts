import type { DType, TensorData } from './dtype.js';
import { type Shape, sameShape } from './shape.js';

/** What an attribute may hold: the schema's scalars, enums by name, vectors, and raw bytes of custom options. */
export type AttrValue =
  | number
  | bigint
  | boolean
  | string
  | undefined
  | readonly number[]
  | Uint8Array
  | readonly unknown[]
  | object;
/** Attributes under their schema names in camelCase. */
export type Attrs = Readonly<Record<string, AttrValue>>;

/** The schema's `QuantizationParameters`: real = scale · (stored − zeroPoint), per tensor or along one dimension. */
export interface Quantization {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly quantizedDimension: number;
}

/** Shape and element type of a tensor. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly quantization?: Quantization;
}

/** True where stored integers stand for other numbers. Those of 32 bits and more are taken for what they are. */
export function isQuantized({ dtype, quantization }: TensorType): boolean {
  return Boolean(quantization?.scales.length) && /^u?int(2|4|8|16)$/.test(dtype);
}

/** True where equal stored integers stand for equal numbers. */
export function haveOneGrid({ quantization: a }: TensorType, { quantization: b }: TensorType): boolean {
  const same = (x: readonly number[] = [], y: readonly number[] = []) => sameShape(x, y);
  return same(a?.scales, b?.scales) && same(a?.zeroPoints, b?.zeroPoints);
}

/** A tensor of the graph. Values are compared by identity. */
export interface Value extends TensorType {
  /** Unique in its graph; the tensor's index in the file for tensors of the file. */
  readonly id: number;
  readonly name: string;
  /** The file's `shape_signature`: −1 where a dimension is dynamic. */
  readonly shapeSignature?: Shape;
  /** Set for constants; absent for activations. */
  readonly data?: TensorData;
  /** The file's sparsity parameters, for constants that DENSIFY expands. */
  readonly sparsity?: object;
  readonly isVariable?: boolean;
}

/** A pointwise op fused behind a node: `type` on the running texel, and for binary ops the other operand. */
export interface TailStep {
  readonly type: string;
  readonly attrs: Attrs;
  /** Absent for unary ops, and where `branch` makes it. */
  readonly operand?: Value;
  /** The other operand is what these steps make of the running texel: x · sigmoid(x) and the like. */
  readonly branch?: readonly TailStep[];
  /** Channels of the output beyond the operand's have no operand: 0 is taken for it. */
  readonly padded?: boolean;
  /** True where the running texel is the second operand. */
  readonly flipped?: boolean;
}

/** One operation. `type` is a `BuiltinOperator` name, or the `custom_code` of a custom op. */
export interface Node {
  /** The operator's index in the file; nodes that passes make take the id of the node they come from. */
  readonly id: number;
  readonly type: string;
  readonly attrs: Attrs;
  /** Absent where the file says −1 (an optional input left out). */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** Pointwise ops fused behind this one, in order (only after the fusing passes). */
  readonly tail?: readonly TailStep[];
}

/** A subgraph: nodes in execution order. Immutable; passes make new ones. */
export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** What a node reads: its inputs, then the operands of its tail. */
export function readsOf(node: Node): Value[] {
  return [...node.inputs, ...stepsOf(node.tail).map((step) => step.operand)].filter((v) => v !== undefined);
}

/** The steps of a tail and of its branches. */
export function stepsOf(tail: readonly TailStep[] = []): TailStep[] {
  return tail.flatMap((step) => [step, ...stepsOf(step.branch)]);
}

/** All values of the graph that a node writes or reads, inputs first, each once. */
export function valuesOf(graph: Graph): Set<Value> {
  const values = new Set<Value>(graph.inputs);
  for (const node of graph.nodes) {
    for (const v of readsOf(node)) values.add(v);
    for (const v of node.outputs) values.add(v);
  }
  for (const v of graph.outputs) values.add(v);
  return values;
}

/** A name of the model in a message: escaped, at most 64 characters. */
export function quoted(name: string | undefined): string {
  const short = (name ?? '').slice(0, 64);
  return `"${short.replace(/[^\w ./:;-]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`)}"`;
}

/** Where a node or value is, for messages: `CONV_2D #12 "block_3/conv"`. */
export function nodeName(node: Node): string {
  return `${node.type} #${node.id} ${quoted(node.outputs[0]?.name)}`;
}
