/** Operators that compute in integers: a row each, as TensorFlow's quantiser has them. */
import type { IntegerType } from './affine.js';

/** What an integer kernel asks of its operands and gives. */
export interface IntegerOp {
  /** The activations that there are kernels for. */
  readonly types: readonly IntegerType[];
  /**
   * Scale and zero point of what it makes. `own`: from its range; `shared`: those of its operands, which have one; else
   * what the kernel gives, by type.
   */
  readonly outputs:
    | 'own'
    | 'shared'
    | Readonly<Partial<Record<IntegerType, readonly [scale: number, zeroPoint: number]>>>;
  /** Where it is a sum of products with a constant. */
  readonly filter?: Filter;
}

/** Which inputs of a sum of products are what. */
export interface Filter {
  readonly x: number;
  /** The constant, with a scale for each index of the axis. */
  readonly weights: number;
  readonly axis: number;
  readonly bias: number;
}

const BYTES: readonly IntegerType[] = ['INT8'];
const BOTH: readonly IntegerType[] = ['INT8', 'INT16'];

const filter = (x: number, weights: number, axis: number, bias: number): IntegerOp => ({
  types: BOTH,
  outputs: 'own',
  filter: { x, weights, axis, bias },
});

function each(operators: string, row: IntegerOp): [string, IntegerOp][] {
  return operators.split(' ').map((operator) => [operator, row]);
}

/** The rows, by builtin operator. */
export const integerOps: ReadonlyMap<string, IntegerOp> = new Map([
  ['CONV_2D', filter(0, 1, 0, 2)],
  ['DEPTHWISE_CONV_2D', filter(0, 1, 3, 2)],
  ['FULLY_CONNECTED', filter(0, 1, 0, 2)],
  ['TRANSPOSE_CONV', filter(2, 1, 0, 3)],
  ...each('ADD SUB MUL BATCH_MATMUL MEAN SUM REDUCE_PROD ABS EXP LOG RSQRT RELU RELU6 LEAKY_RELU GELU', {
    types: BOTH,
    outputs: 'own',
  }),
  ...each('DIV SQUARED_DIFFERENCE SQRT PRELU HARD_SWISH RELU_N1_TO_1 RELU_0_TO_1', { types: BYTES, outputs: 'own' }),
  // What these make is no float.
  ...each('SHAPE RANK', { types: BOTH, outputs: 'own' }),
  ...each('ARG_MAX ARG_MIN EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL', { types: BYTES, outputs: 'own' }),
  ...each('SOFTMAX LOGISTIC', { types: BOTH, outputs: { INT8: [1 / 256, -128], INT16: [1 / 32768, 0] } }),
  ...each('TANH', { types: BOTH, outputs: { INT8: [1 / 128, 0], INT16: [1 / 32768, 0] } }),
  ...each('LOG_SOFTMAX', { types: BYTES, outputs: { INT8: [16 / 256, 127] } }),
  ...each('L2_NORMALIZATION', { types: BYTES, outputs: { INT8: [1 / 128, 0] } }),
  ...each('RESHAPE EXPAND_DIMS SQUEEZE TRANSPOSE REVERSE_V2 TILE BROADCAST_TO PAD PADV2 MIRROR_PAD', {
    types: BOTH,
    outputs: 'shared',
  }),
  ...each('SLICE STRIDED_SLICE SPLIT SPLIT_V UNPACK PACK CONCATENATION GATHER GATHER_ND FILL', {
    types: BOTH,
    outputs: 'shared',
  }),
  ...each('SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR', {
    types: BOTH,
    outputs: 'shared',
  }),
  ...each('AVERAGE_POOL_2D MAX_POOL_2D REDUCE_MAX REDUCE_MIN MAXIMUM MINIMUM SELECT SELECT_V2', {
    types: BOTH,
    outputs: 'shared',
  }),
  ...each('SPACE_TO_DEPTH DEPTH_TO_SPACE TOPK_V2 ONE_HOT', { types: BYTES, outputs: 'shared' }),
]);
