import type { DType, Value } from '../../delegate/index.js';
import type { SparsityParameters } from '../format/model.js';

/** What Python's `Interpreter` tells of a tensor, in camelCase. */
export interface TensorDetails {
  readonly name: string;
  /** The tensor's index in its subgraph. */
  readonly index: number;
  readonly shape: number[];
  /** As `shape`, but −1 where the size may be changed. */
  readonly shapeSignature: number[];
  readonly dtype: DType;
  /** Scale and zero point of a tensor quantised as a whole; [0, 0] for others. */
  readonly quantization: [scale: number, zeroPoint: number];
  readonly quantizationParameters: { scales: Float32Array; zeroPoints: Int32Array; quantizedDimension: number };
  /** The schema's `SparsityParameters`; empty for dense tensors. */
  readonly sparsityParameters: SparsityParameters | Record<string, never>;
}

/** The details of a value whose shape is the one in force. */
export function detailsOf(value: Value): TensorDetails {
  const { scales = [], zeroPoints = [], quantizedDimension = 0 } = value.quantization ?? {};
  return {
    name: value.name,
    index: value.id,
    shape: [...value.shape],
    shapeSignature: [...(value.shapeSignature?.length ? value.shapeSignature : value.shape)],
    dtype: value.dtype,
    quantization: scales.length === 1 ? [scales[0]!, zeroPoints[0] ?? 0] : [0, 0],
    quantizationParameters: {
      scales: Float32Array.from(scales),
      zeroPoints: Int32Array.from(zeroPoints),
      quantizedDimension,
    },
    sparsityParameters: (value.sparsity ?? {}) as SparsityParameters | Record<string, never>,
  };
}
