import type { DType } from '../ir/dtype.js';

/** What a reduction computes. */
export type Reduction = 'MEAN' | 'SUM' | 'REDUCE_PROD' | 'REDUCE_MAX' | 'REDUCE_MIN' | 'REDUCE_ANY' | 'REDUCE_ALL';

/** A reduction of numbers or bigints: `initial` is the value of an empty one, but for `finish`. */
export interface Reducer<T extends number | bigint = number | bigint> {
  readonly initial: T;
  fold(sum: T, x: T): T;
  finish(sum: T, count: number): T;
}

type Reducers = (type: Reduction) => Reducer | undefined;

/** The reductions that a dtype has, if any; those of int8, uint8 and int16 work on stored values. */
export function reducersOf(dtype: DType): Reducers | undefined {
  const reducers = REDUCERS[dtype];
  return reducers && ((type) => reducers[type] as Reducer | undefined);
}

const keep = <T>(sum: T): T => sum;

/** The larger value. A comparison with NaN is false, so NaN is passed over. */
function larger<T extends number | bigint>(sum: T, x: T): T {
  if (x > sum) return x;
  return sum;
}

function smaller<T extends number | bigint>(sum: T, x: T): T {
  if (x < sum) return x;
  return sum;
}

function extremes<T extends number | bigint>(low: T, high: T): Partial<Record<Reduction, Reducer<T>>> {
  return {
    REDUCE_MAX: { initial: low, fold: larger, finish: keep },
    REDUCE_MIN: { initial: high, fold: smaller, finish: keep },
  };
}

const FLOAT: Partial<Record<Reduction, Reducer<number>>> = {
  ...extremes<number>(-3.4028234663852886e38, 3.4028234663852886e38),
  SUM: { initial: 0, fold: (sum, x) => sum + x, finish: keep },
  MEAN: { initial: 0, fold: (sum, x) => sum + x, finish: (sum, count) => sum / count },
  REDUCE_PROD: { initial: 1, fold: (sum, x) => sum * x, finish: keep },
};

/** A sum of fewer than 2^22 int32 is exact in a double; storing it wraps. */
const INT32: Partial<Record<Reduction, Reducer<number>>> = {
  ...extremes<number>(-(2 ** 31), 2 ** 31 - 1),
  SUM: FLOAT.SUM!,
  MEAN: { initial: 0, fold: (sum, x) => sum + x, finish: (sum, count) => Math.trunc(sum / count) },
  REDUCE_PROD: { initial: 1, fold: Math.imul, finish: keep },
};

const INT64: Partial<Record<Reduction, Reducer<bigint>>> = {
  ...extremes(-(2n ** 63n), 2n ** 63n - 1n),
  SUM: { initial: 0n, fold: (sum, x) => sum + x, finish: keep },
  MEAN: { initial: 0n, fold: (sum, x) => sum + x, finish: (sum, count) => (count ? sum / BigInt(count) : 0n) },
  REDUCE_PROD: { initial: 1n, fold: (sum, x) => sum * x, finish: keep },
};

const BOOL: Partial<Record<Reduction, Reducer<number>>> = {
  REDUCE_ANY: { initial: 0, fold: (sum, x) => (x ? 1 : sum), finish: keep },
  REDUCE_ALL: { initial: 1, fold: (sum, x) => (x ? sum : 0), finish: keep },
};

const REDUCERS: Partial<Record<DType, Partial<Record<Reduction, Reducer<number> | Reducer<bigint>>>>> = {
  float32: FLOAT,
  int32: INT32,
  int64: INT64,
  int16: extremes(-(2 ** 15), 2 ** 15 - 1),
  int8: extremes(-128, 127),
  uint8: extremes(0, 255),
  bool: BOOL,
};
