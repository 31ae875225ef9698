import { newData, roundHalfEven } from '../ir/dtype.js';
import type { Attrs } from '../ir/graph.js';
import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { sizeOf } from '../ir/shape.js';
import { elementwise, expectNumbers } from './elementwise.js';
import { erf } from './erf.js';
import { arithmeticType, needsFloat } from './operand.js';

type Scalar = (x: number) => number;
const clamp =
  (lo: number, hi: number): Scalar =>
  (x) =>
    x < lo ? lo : Math.min(x, hi);
const gelu = ({ approximate }: Attrs): Scalar =>
  approximate
    ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
    : (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));

/** One row an op: its meaning on a float. */
const ROWS: Readonly<Record<string, (attrs: Attrs) => Scalar>> = {
  CEIL: () => Math.ceil,
  COS: () => Math.cos,
  ELU: () => (x) => (x < 0 ? Math.expm1(x) : x),
  EXP: () => Math.exp,
  FLOOR: () => Math.floor,
  GELU: gelu,
  HARD_SWISH: () => (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  LEAKY_RELU:
    ({ alpha }) =>
    (x) =>
      x < 0 ? x * Number(alpha) : x,
  LOG: () => Math.log,
  LOGISTIC: () => (x) => 1 / (1 + Math.exp(-x)),
  RELU: () => (x) => Math.max(x, 0),
  RELU6: () => clamp(0, 6),
  RELU_0_TO_1: () => clamp(0, 1),
  RELU_N1_TO_1: () => clamp(-1, 1),
  ROUND: () => roundHalfEven,
  RSQRT: () => (x) => 1 / Math.sqrt(x),
  SIN: () => Math.sin,
  SQRT: () => Math.sqrt,
  TANH: () => Math.tanh,
};

/** Rows that integers take as well. */
const ANY_NUMBER: Readonly<Record<string, Scalar>> = {
  ABS: Math.abs,
  NEG: (x) => -x,
  SIGN: Math.sign,
  SQUARE: (x) => x * x,
};

/** The same on 64-bit integers. */
const EXACT: Readonly<Record<string, (x: bigint) => bigint>> = {
  ABS: (x) => BigInt.asIntN(64, x < 0n ? -x : x),
  NEG: (x) => BigInt.asIntN(64, -x),
  SQUARE: (x) => BigInt.asIntN(64, x * x),
};

const floats = Object.entries(ROWS).map(
  ([type, make]): OpSpec =>
    defineOp({
      type,
      infer: (inputs, _attrs, outputs) => [
        { ...outputs[0], shape: required(inputs, 0).shape, dtype: arithmeticType(required(inputs, 0), outputs) },
      ],
      cpu(inputs, attrs: Attrs) {
        const x = required(inputs, 0);
        if (x.dtype === 'float16') return [elementwise(typed(x.shape, x.dtype), [x], make(attrs))];
        return [needsFloat(type, x).map(make(attrs))];
      },
    }),
);

const numbers = Object.entries(ANY_NUMBER).map(
  ([type, f]): OpSpec =>
    defineOp({
      type,
      onStored: type === 'NEG',
      infer: (inputs) => [required(inputs, 0)],
      cpu(inputs, _attrs, [output]) {
        const x = required(inputs, 0);
        if (type !== 'NEG') expectNumbers(type, x);
        return [elementwise(output!, [x], f, EXACT[type])];
      },
    }),
);

/** Ops of one operand, element by element. */
export const unaryOps: readonly OpSpec[] = [
  ...floats,
  ...numbers,
  defineOp({
    type: 'LOGICAL_NOT',
    infer: (inputs) => [required(inputs, 0)],
    cpu: (inputs, _attrs, [output]) => [
      Uint8Array.from({ length: sizeOf(output!.shape) }, (_, i) => Number(!required(inputs, 0).data[i])),
    ],
  }),
  defineOp({
    type: 'ZEROS_LIKE',
    onStored: true,
    infer: (inputs) => [required(inputs, 0)],
    cpu: (_inputs, _attrs, [output]) => [newData(output!.dtype, sizeOf(output!.shape))],
  }),
];
