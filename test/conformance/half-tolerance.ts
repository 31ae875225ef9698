// How far an op may be from the reference when its tensors are half-float textures and its sums are float32.
import type { Tolerance } from './compare.js';

/** Half an ULP of half precision, relative, and half its smallest step. */
const moves = { abs: 2 ** -25, rel: 2 ** -11 };
const arithmetic = { abs: 1e-3, rel: 2e-3 };
const functions = { abs: 1e-2, rel: 1e-2 };
const products = { abs: 1e-2, rel: 10 * 2 ** -10 };

const rows: readonly [Tolerance, readonly string[]][] = [
  [
    moves,
    [
      ...[
        'RESHAPE',
        'CONCATENATION',
        'PAD',
        'PADV2',
        'MIRROR_PAD',
        'SLICE',
        'STRIDED_SLICE',
        'SPLIT',
        'SPLIT_V',
        'TRANSPOSE',
      ],
      ...[
        'PACK',
        'UNPACK',
        'SPACE_TO_DEPTH',
        'DEPTH_TO_SPACE',
        'SPACE_TO_BATCH_ND',
        'BATCH_TO_SPACE_ND',
        'GATHER',
        'TILE',
      ],
      ...['SQUEEZE', 'EXPAND_DIMS', 'RESIZE_NEAREST_NEIGHBOR', 'CAST', 'DEQUANTIZE'],
    ],
  ],
  [
    arithmetic,
    [
      ...[
        'ADD',
        'SUB',
        'MUL',
        'RELU',
        'RELU6',
        'RELU_N1_TO_1',
        'RELU_0_TO_1',
        'MAXIMUM',
        'MINIMUM',
        'PRELU',
        'LEAKY_RELU',
      ],
      ...[
        'ABS',
        'NEG',
        'FLOOR',
        'CEIL',
        'ROUND',
        'SIGN',
        'SQUARED_DIFFERENCE',
        'SQUARE',
        'MAX_POOL_2D',
        'REDUCE_MAX',
        'REDUCE_MIN',
      ],
    ],
  ],
  [
    products,
    ['CONV_2D', 'DEPTHWISE_CONV_2D', 'TRANSPOSE_CONV', 'FULLY_CONNECTED', 'BATCH_MATMUL', 'Convolution2DTransposeBias'],
  ],
];

/** The looser of the case's own tolerance and the half-float one of its op; integer outputs keep their own. */
export function halfTolerance(op: string, dtype: string, own: Tolerance): Tolerance {
  if (!dtype.startsWith('float') || own.lsb !== undefined) return own;
  const row = rows.find(([, ops]) => ops.includes(op))?.[0] ?? functions;
  return { ...own, abs: Math.max(own.abs ?? 0, row.abs ?? 0), rel: Math.max(own.rel ?? 0, row.rel ?? 0) };
}
