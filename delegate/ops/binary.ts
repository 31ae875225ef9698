import { ModelError } from '../errors.js';
import { type DType, floatToHalf, type NumericData } from '../ir/dtype.js';
import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { broadcastShapes } from '../ir/shape.js';
import type { Activation } from '../ir/vocabulary.js';
import { elementwise, expectNumbers } from './elementwise.js';
import { activate } from './fused-activation.js';

interface BinaryAttrs {
  readonly fusedActivationFunction?: Activation;
}

interface Row {
  readonly float: (x: number, y: number) => number;
  readonly integer?: (x: number, y: number) => number;
  readonly exact?: (x: bigint, y: bigint) => bigint;
}

const floorMod = (x: number, y: number): number => {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
};
/** C's pow: 1 to any power is 1, as is −1 to an infinite one. */
const power = (x: number, y: number): number => {
  const isOne = x === 1 || y === 0 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY);
  return isOne ? 1 : x ** y;
};
const divisor = (op: string, y: number): number => {
  if (y === 0) throw new ModelError('division-by-zero', `${op} by zero; accepted: any other divisor`);
  return y;
};

/** As TFLite: a comparison with NaN is false, so the second operand wins. Math.max would give NaN. */
function larger<T extends number | bigint>(x: T, y: T): T {
  if (x > y) return x;
  return y;
}

function smaller<T extends number | bigint>(x: T, y: T): T {
  if (x < y) return x;
  return y;
}

const ROWS: Readonly<Record<string, Row>> = {
  ADD: { float: (x, y) => x + y, exact: (x, y) => BigInt.asIntN(64, x + y) },
  SUB: { float: (x, y) => x - y, exact: (x, y) => BigInt.asIntN(64, x - y) },
  MUL: { float: (x, y) => x * y, integer: Math.imul, exact: (x, y) => BigInt.asIntN(64, x * y) },
  DIV: { float: (x, y) => x / y, integer: (x, y) => Math.trunc(x / divisor('DIV', y)) },
  MAXIMUM: { float: larger, exact: larger },
  MINIMUM: { float: smaller, exact: smaller },
  SQUARED_DIFFERENCE: { float: (x, y) => (x - y) * (x - y), integer: (x, y) => Math.imul(x - y, x - y) },
  POW: {
    float: power,
    integer: (x, y) => {
      if (y < 0) throw new ModelError('exponent', `POW with the exponent ${y}; integers need one of 0 or more`);
      let result = 1;
      for (let square = x, left = y; left > 0; left = Math.floor(left / 2), square = Math.imul(square, square))
        if (left % 2) result = Math.imul(result, square);
      return result;
    },
  },
  PRELU: { float: (x, y) => (x < 0 ? x * y : x) },
  FLOOR_DIV: {
    float: (x, y) => Math.floor(x / divisor('FLOOR_DIV', y)),
    integer: (x, y) => Math.floor(x / divisor('FLOOR_DIV', y)),
  },
  FLOOR_MOD: {
    float: floatMod,
    integer: (x, y) => floorMod(x, divisor('FLOOR_MOD', y)),
    exact: (x, y) => {
      divisor('FLOOR_MOD', Number(y));
      const r = x % y;
      return r !== 0n && r < 0n !== y < 0n ? r + y : r;
    },
  },
  ATAN2: { float: Math.atan2 },
};

function floatMod(x: number, y: number): number {
  if (Math.abs(y) === Number.POSITIVE_INFINITY && Number.isFinite(x)) return x !== 0 && x < 0 !== y < 0 ? y : x;
  return floorMod(x, y);
}

/** Ops that choose one of their operands. */
const ORDERED = new Set(['MAXIMUM', 'MINIMUM']);
/** Ops that TFLite computes on the stored integers whatever the scales. */
const STORED = new Set(['FLOOR_DIV', 'FLOOR_MOD']);
/** Ops whose float results the activation NONE clamps to the largest float. */
const CLAMPED = new Set(['ADD', 'SUB', 'MUL', 'DIV']);
const INTEGERS: readonly DType[] = ['int32', 'int64', 'int16', 'int8', 'uint8', 'uint32'];

/** Ops of two operands under NumPy's broadcasting. */
export const binaryOps: readonly OpSpec[] = [
  ...Object.entries(ROWS).map(([type, row]) =>
    defineOp<BinaryAttrs>({
      type,
      onStored: STORED.has(type),
      picks: ORDERED.has(type),
      infer(inputs, _attrs, outputs) {
        const [x, y] = [required(inputs, 0), required(inputs, 1)];
        return [{ ...outputs[0], shape: broadcastShapes(x.shape, y.shape), dtype: x.dtype }];
      },
      cpu(inputs, attrs, [output]) {
        const [x, y] = [required(inputs, 0), required(inputs, 1)];
        if (!STORED.has(type)) expectNumbers(type, x, y);
        if (!INTEGERS.includes(x.dtype)) {
          expectNumbers(type, x, y);
          if (!CLAMPED.has(type)) return [elementwise(output!, [x, y], row.float)];
          const data = elementwise({ ...output!, dtype: 'float32' }, [x, y], row.float) as Float32Array;
          activate(data, attrs.fusedActivationFunction ?? 'NONE');
          return [output!.dtype === 'float16' ? Uint16Array.from(data, floatToHalf) : data];
        }
        const data = elementwise(output!, [x, y], row.integer ?? row.float, row.exact);
        return [clampIntegers(data as NumericData, attrs.fusedActivationFunction ?? 'NONE')];
      },
    }),
  ),
  defineOp({
    type: 'ADD_N',
    infer: (inputs) => [required(inputs, 0)],
    cpu(inputs, _attrs, [output]) {
      const all = inputs.map((_, i) => required(inputs, i));
      expectNumbers('ADD_N', ...all);
      return [
        all
          .slice(1)
          .reduce((sum, x) => elementwise(output!, [{ ...output!, data: sum }, x], (a, b) => a + b), all[0]!.data),
      ];
    },
  }),
];

function clampIntegers(data: NumericData, activation: Activation): NumericData {
  const range = ({ RELU: [0, undefined], RELU6: [0, 6], RELU_N1_TO_1: [-1, 1] } as const)[activation as 'RELU'];
  if (!range) return data;
  const [lo, hi] = range as readonly [number, number | undefined];
  const cells = data as unknown as Record<number, number | bigint>;
  const like = (v: number) => (data instanceof BigInt64Array ? BigInt(v) : v);
  for (let i = 0; i < data.length; i++) {
    if (cells[i]! < lo) cells[i] = like(lo);
    else if (hi !== undefined && cells[i]! > hi) cells[i] = like(hi);
  }
  return data;
}

const COMPARISONS: Readonly<Record<string, (x: unknown, y: unknown) => boolean>> = {
  EQUAL: (x, y) => x === y,
  NOT_EQUAL: (x, y) => x !== y,
  LESS: (x, y) => (x as number) < (y as number),
  LESS_EQUAL: (x, y) => (x as number) <= (y as number),
  GREATER: (x, y) => (x as number) > (y as number),
  GREATER_EQUAL: (x, y) => (x as number) >= (y as number),
  LOGICAL_AND: (x, y) => Boolean(x) && Boolean(y),
  LOGICAL_OR: (x, y) => Boolean(x) || Boolean(y),
};
const text = (bytes: unknown): unknown => (bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : bytes);

/** What TFLite compares as it is stored, whatever the scales. */
const COMPARED_STORED: readonly DType[] = ['int16'];

/** Comparisons and logic: bool results. */
export const compareOps: readonly OpSpec[] = Object.entries(COMPARISONS).map(([type, holds]) =>
  defineOp({
    type,
    onStored: COMPARED_STORED,
    infer: (inputs) => [typed(broadcastShapes(required(inputs, 0).shape, required(inputs, 1).shape), 'bool')],
    cpu(inputs, _attrs, [output]) {
      const [x, y] = [required(inputs, 0), required(inputs, 1)];
      if (x.dtype !== 'string' && !COMPARED_STORED.includes(x.dtype)) expectNumbers(type, x, y);
      const compare =
        x.dtype === 'string'
          ? (a: unknown, b: unknown) => Number(holds(text(a), text(b)))
          : (a: unknown, b: unknown) => Number(holds(a, b));
      return [elementwise(output!, [x, y], compare as (...v: number[]) => number)];
    },
  }),
);
