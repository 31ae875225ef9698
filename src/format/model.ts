/**
 * A `.tflite` file as plain objects: the tables of the schema with their field names in camelCase, enums by name.
 * A vector that the file does not have is `undefined`; an empty one is empty. Scalars that the file does not have hold
 * the schema's default. Integers of 64 bits are numbers where that is exact, else bigints.
 */
export interface Model {
  readonly version: number;
  readonly operatorCodes?: readonly OperatorCode[];
  readonly subgraphs?: readonly SubGraph[];
  readonly description?: string;
  readonly buffers?: readonly Buffer[];
  readonly metadataBuffer?: readonly number[];
  readonly metadata?: readonly Metadata[];
  readonly signatureDefs?: readonly SignatureDef[];
  readonly externalBufferGroups?: readonly { readonly name?: string }[];
  readonly externalBuffers?: readonly ExternalBuffer[];
}

/** Which operation an operator runs; `opName` gives the effective one. */
export interface OperatorCode {
  readonly deprecatedBuiltinCode: number;
  readonly customCode?: string;
  readonly version: number;
  readonly builtinCode: string;
}

/** One graph of the model. Operators are in execution order; tensors are named by index. */
export interface SubGraph {
  readonly tensors?: readonly Tensor[];
  readonly inputs?: readonly number[];
  readonly outputs?: readonly number[];
  readonly operators?: readonly Operator[];
  readonly name?: string;
  readonly debugMetadataIndex: number;
}

/** Shape, type and constant data (through `buffer`) of a value. */
export interface Tensor {
  readonly shape?: readonly number[];
  readonly type: string;
  readonly buffer: number;
  readonly name?: string;
  readonly quantization?: QuantizationParameters;
  readonly isVariable: boolean;
  readonly sparsity?: SparsityParameters;
  readonly shapeSignature?: readonly number[];
  readonly hasRank: boolean;
  readonly variantTensors?: readonly VariantSubType[];
  readonly externalBuffer: number;
}

/** real = scale · (stored − zeroPoint), per tensor or along one dimension. */
export interface QuantizationParameters {
  readonly min?: readonly number[];
  readonly max?: readonly number[];
  readonly scale?: readonly number[];
  readonly zeroPoint?: readonly Long[];
  readonly detailsType: string;
  readonly details?: Options;
  readonly quantizedDimension: number;
}

/** How a sparse constant is stored; DENSIFY expands it. */
export interface SparsityParameters {
  readonly traversalOrder?: readonly number[];
  readonly blockMap?: readonly number[];
  readonly dimMetadata?: readonly DimensionMetadata[];
}

/** One level of a sparse constant. */
export interface DimensionMetadata {
  readonly format: string;
  readonly denseSize: number;
  readonly arraySegmentsType: string;
  readonly arraySegments?: SparseIndexVector;
  readonly arrayIndicesType: string;
  readonly arrayIndices?: SparseIndexVector;
}

/** Numbers of a sparse level, stored as int32, uint16 or uint8. */
export interface SparseIndexVector {
  readonly values?: readonly number[] | Uint8Array;
}

/** Element of a variant tensor. */
export interface VariantSubType {
  readonly shape?: readonly number[];
  readonly type: string;
  readonly hasRank: boolean;
}

/** One operation. The tables in `builtinOptions…` are those named by `builtinOptions…Type`. */
export interface Operator {
  readonly opcodeIndex: number;
  readonly inputs?: readonly number[];
  readonly outputs?: readonly number[];
  readonly builtinOptionsType: string;
  readonly builtinOptions?: Options;
  /** Bytes of the file, not a copy. */
  readonly customOptions?: Uint8Array;
  readonly customOptionsFormat: string;
  readonly mutatingVariableInputs?: readonly boolean[];
  readonly intermediates?: readonly number[];
  readonly builtinOptions2Type: string;
  readonly builtinOptions2?: Options;
  readonly debugMetadataIndex: number;
}

/** Constant data, wherever the file keeps it: inside the FlatBuffer or behind it. Bytes of the file, not a copy. */
export interface Buffer {
  readonly data?: Uint8Array;
}

/** Named data that is not part of the computation. */
export interface Metadata {
  readonly name?: string;
  readonly buffer: number;
}

/** A named entry point: a subgraph with names for its inputs and outputs. */
export interface SignatureDef {
  readonly inputs?: readonly TensorMap[];
  readonly outputs?: readonly TensorMap[];
  readonly signatureKey?: string;
  readonly deprecatedTag?: string;
  readonly subgraphIndex: number;
}

/** The name of a signature's input or output. */
export interface TensorMap {
  readonly name?: string;
  readonly tensorIndex: number;
}

/** Data outside the file; never fetched. */
export interface ExternalBuffer {
  readonly id: number;
  readonly group: number;
  readonly offset: Long;
  readonly length: Long;
  readonly packing?: string;
}

/** A 64-bit integer: a number where that is exact. */
export type Long = number | bigint;

/** What a field of an options table holds. */
export type OptionValue =
  | number
  | bigint
  | boolean
  | string
  | undefined
  | Uint8Array
  | readonly (Long | boolean | string)[];

/** Fields of an options table of the schema. */
export type Options = Readonly<Record<string, OptionValue>>;

/** A subgraph, tensor, … of a list that may be absent. */
export function listOf<T>(list: readonly T[] | undefined): readonly T[] {
  return list ?? [];
}
