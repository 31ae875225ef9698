import type { DType, Value } from '../../delegate/index.js';
import type { SparsityParameters, Tensor } from '../format/model.js';
import { dtypeOf } from '../format/tensor-data.js';

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

/** A tensor of the file without its data. */
export function fileValue(
  { name = '', shape = [], shapeSignature, type, quantization, sparsity }: Tensor,
  id: number,
): Value {
  const { scale = [], zeroPoint, quantizedDimension = 0 } = quantization ?? {};
  const zeroPoints = scale.map((_, i) => Number(zeroPoint?.[i] ?? zeroPoint?.[0] ?? 0));
  return {
    id,
    name,
    shape,
    dtype: dtypeOf(type),
    ...(shapeSignature && { shapeSignature }),
    ...(scale.length > 0 && { quantization: { scales: scale, zeroPoints, quantizedDimension } }),
    ...(sparsity && { sparsity }),
  };
}
