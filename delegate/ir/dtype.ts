/** Element types, as tfjs and Python's `Interpreter` spell them; the TFLite schema's `TensorType` in lower case. */
export type DType =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'float8e4m3fn'
  | 'float8e5m2'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'bool'
  | 'string'
  | 'complex64'
  | 'complex128'
  | 'resource'
  | 'variant';

/** Values of a tensor. float16 and bfloat16 are bit patterns in a Uint16Array; int4 one value per byte; complex64 re, im pairs. */
export type NumericData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Values of a tensor; strings are UTF-8 bytes. */
export type TensorData = NumericData | readonly Uint8Array[];

/** The constructor of a dtype's typed array. */
export interface NumericArray {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): NumericData;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): NumericData;
}

const ARRAYS: Readonly<Partial<Record<DType, unknown>>> = {
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float64: Float64Array,
  float8e4m3fn: Uint8Array,
  float8e5m2: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  int4: Int8Array,
  uint4: Uint8Array,
  int2: Int8Array,
  bool: Uint8Array,
  complex64: Float32Array,
  complex128: Float64Array,
};

/** The typed array that holds a dtype. Throws for string, resource and variant, which have none. */
export function arrayOf(dtype: DType): NumericArray {
  const array = ARRAYS[dtype] as NumericArray | undefined;
  if (!array) throw new TypeError(`dtype ${dtype} has no typed array`);
  return array;
}

/** Array elements per tensor element: 2 for complex numbers, else 1. */
export function lanesOf(dtype: DType): number {
  return dtype === 'complex64' || dtype === 'complex128' ? 2 : 1;
}

/** A zeroed array for `size` elements of `dtype`. */
export function newData(dtype: DType, size: number): TensorData {
  if (dtype === 'string') return Array.from({ length: size }, () => new Uint8Array(0));
  return new (arrayOf(dtype))(size * lanesOf(dtype));
}

/** True for types whose values are real floating-point numbers. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'float64' || dtype === 'bfloat16';
}

/** Least and greatest value of an integer type; `undefined` for other types. */
export function integerRange(dtype: DType): readonly [least: bigint, greatest: bigint] | undefined {
  const [, unsigned, bits] = /^(u?)int(\d+)$/.exec(dtype) ?? [];
  if (!bits) return undefined;
  const values = 1n << BigInt(bits);
  return unsigned ? [0n, values - 1n] : [-values / 2n, values / 2n - 1n];
}

/** The number that a half's 16 bits stand for. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The nearest half's bits, ties to even; overflow gives infinity. */
export function floatToHalf(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(scratch[0]!) * 2 ** 24);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | Math.min((rounded - 0x38000000) >>> 13, 0x7c00);
}

/** A whole array of half bits as floats: those of normal numbers are moved, since models have millions. */
export function halvesToFloats(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const magnitude = half & 0x7fff;
    if (magnitude >= 0x400 && magnitude < 0x7c00) bits[i] = ((half & 0x8000) << 16) | ((magnitude << 13) + 0x38000000);
    else floats[i] = halfToFloat(half);
  }
  return floats;
}

/** Rounds to the nearest integer, ties to even, as C's `rint`. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
