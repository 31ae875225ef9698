// Corpus values (base64 of little-endian bytes) and the typed arrays that the interpreter takes and gives.

/** Every array the interpreter takes or gives for a numeric tensor. */
export type Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What one tensor holds: numbers, or byte strings. */
export type Values = Numbers | readonly (string | Uint8Array)[];

/** A tensor in a corpus file. */
export interface CorpusValue {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data?: string;
  readonly strings?: readonly string[];
  readonly name?: string;
}

/** The array type of each element type; float16 travels as half bits, complex64 as (re, im) pairs. */
export const arrayTypes = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  complex64: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** Decodes base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** The array type of `dtype`; throws for a name that is none. */
export function arrayTypeOf(dtype: string): (typeof arrayTypes)[keyof typeof arrayTypes] {
  const type = arrayTypes[dtype as keyof typeof arrayTypes];
  if (!type) throw new Error(`corpus: found element type "${dtype}"; known are ${Object.keys(arrayTypes).join(', ')}`);
  return type;
}

/** Reads numbers of `dtype` from base64. */
export function numbersOf(dtype: string, data: string): Numbers {
  const bytes = fromBase64(data);
  const type = arrayTypeOf(dtype);
  return new type(bytes.buffer, 0, bytes.byteLength / type.BYTES_PER_ELEMENT);
}

/** A corpus value as the interpreter takes it. */
export function valuesOf(value: CorpusValue): Values {
  return value.dtype === 'string' ? value.strings!.map(fromBase64) : numbersOf(value.dtype, value.data!);
}

/** Element `i` as a plain number; half bits are decoded. */
export function numberAt(dtype: string, values: Numbers, i: number): number {
  return dtype === 'float16' ? fromHalf(Number(values[i])) : Number(values[i]);
}

/** The value of 16 half-precision bits. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
