import { ModelError } from '../../delegate/index.js';
import { decodeText, type Scalar, scalars, viewOf } from './flatbuffer.js';

/** A value of a FlexBuffer. Keys come from the file, so maps are `Map`s. */
export type FlexValue =
  | null
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly FlexValue[]
  | ReadonlyMap<string, FlexValue>;

const DEPTH = 32;
const FLEX_OPERATORS = new Set(['TFLite_Detection_PostProcess', 'AudioSpectrogram', 'Mfcc', 'NumericVerify']);

/** True for TFLite's own custom operators, whose options are a FlexBuffer map. */
export function isFlexbufferOperator(name: string): boolean {
  return FLEX_OPERATORS.has(name);
}

// Type numbers of the format; typed vectors 11–15 and 36 hold elements of type − 10, fixed ones 16–24 two to four numbers.
const NULL = 0,
  INT = 1,
  UINT = 2,
  FLOAT = 3,
  KEY = 4,
  STRING = 5,
  INDIRECT_INT = 6,
  INDIRECT_UINT = 7,
  INDIRECT_FLOAT = 8;
/** Numbers by type and by the logarithm of their width. */
const NUMBERS: Readonly<Record<number, readonly (Scalar | undefined)[]>> = {
  [INT]: ['byte', 'short', 'int', 'long'],
  [UINT]: ['ubyte', 'ushort', 'uint', 'ulong'],
  [FLOAT]: [undefined, undefined, 'float', 'double'],
};
const MAP = 9,
  VECTOR = 10,
  VECTOR_KEY = 14,
  VECTOR_STRING = 15,
  FIXED_INT2 = 16,
  FIXED_FLOAT4 = 24,
  BLOB = 25,
  BOOL = 26,
  VECTOR_BOOL = 36;

interface Reader {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Values that may still be read; bounds what shared offsets can multiply. */
  left: number;
}

/** Reads custom options: every offset and length is checked, nesting is at most 32. Throws ModelError. */
export function readFlexbuffer(bytes: Uint8Array): FlexValue {
  const size = bytes.length;
  if (size < 3) fail(`${size} bytes; a FlexBuffer has at least 3`, 0);
  const reader: Reader = { view: viewOf(bytes), bytes, left: 4 * size };
  const width = bytes[size - 1]!;
  const packed = bytes[size - 2]!;
  requireWidth(width, size - 1);
  return readValue(reader, size - 2 - width, width, packed, DEPTH);
}

function readValue(reader: Reader, at: number, width: number, packed: number, depth: number): FlexValue {
  const type = packed >> 2;
  const childWidth = 1 << (packed & 3);
  if (--reader.left < 0 || depth === 0) fail('values are nested or shared too often', at);
  switch (type) {
    case NULL:
      return null;
    case INT:
    case UINT:
    case FLOAT:
      return readNumber(reader, type, at, width);
    case BOOL:
      return readNumber(reader, UINT, at, width) !== 0;
  }
  const target = indirect(reader, at, width);
  switch (type) {
    case KEY:
      return readKey(reader, target);
    case STRING:
      return decodeText(readBytes(reader, target, childWidth));
    case BLOB:
      return readBytes(reader, target, childWidth);
    case INDIRECT_INT:
    case INDIRECT_UINT:
    case INDIRECT_FLOAT:
      return readNumber(reader, type - INDIRECT_INT + INT, target, childWidth);
    case VECTOR:
      return readVector(reader, target, childWidth, depth);
    case MAP:
      return readMap(reader, target, childWidth, depth);
  }
  if ((type > VECTOR && type <= VECTOR_STRING) || type === VECTOR_BOOL) {
    const element = type === VECTOR_STRING || type === VECTOR_KEY ? KEY : type - VECTOR;
    return elements(reader, target, childWidth, lengthAt(reader, target, childWidth), element << 2, depth);
  }
  if (type >= FIXED_INT2 && type <= FIXED_FLOAT4) {
    const element = ((type - FIXED_INT2) % 3) + INT;
    return elements(reader, target, childWidth, Math.floor((type - FIXED_INT2) / 3) + 2, element << 2, depth);
  }
  return fail(`type ${type} is not known`, at);
}

function elements(
  reader: Reader,
  at: number,
  width: number,
  count: number,
  packed: number,
  depth: number,
): FlexValue[] {
  require(reader, at, count * width);
  return Array.from({ length: count }, (_, i) => readValue(reader, at + i * width, width, packed, depth - 1));
}

function readVector(reader: Reader, at: number, width: number, depth: number): FlexValue[] {
  const count = lengthAt(reader, at, width);
  require(reader, at, count * (width + 1));
  return Array.from({ length: count }, (_, i) => {
    return readValue(reader, at + i * width, width, reader.bytes[at + count * width + i]!, depth - 1);
  });
}

/** A map is a vector of values with, in front, the offset and width of a vector of keys. */
function readMap(reader: Reader, at: number, width: number, depth: number): Map<string, FlexValue> {
  const keysAt = indirect(reader, at - 3 * width, width);
  const keyWidth = lengthAt(reader, at - width, width);
  requireWidth(keyWidth, at - 2 * width);
  const values = readVector(reader, at, width, depth);
  const keys = elements(reader, keysAt, keyWidth, values.length, KEY << 2, depth);
  return new Map(values.map((value, i) => [keys[i] as string, value]));
}

function readKey(reader: Reader, at: number): string {
  const end = reader.bytes.indexOf(0, at);
  if (end < 0) fail('a key without its NUL', at);
  reader.left -= end - at;
  return decodeText(reader.bytes.subarray(at, end));
}

function readBytes(reader: Reader, at: number, width: number): Uint8Array {
  const count = lengthAt(reader, at, width);
  require(reader, at, count);
  reader.left -= count;
  return reader.bytes.subarray(at, at + count);
}

function lengthAt(reader: Reader, at: number, width: number): number {
  return Number(readNumber(reader, UINT, at - width, width));
}

function indirect(reader: Reader, at: number, width: number): number {
  const back = Number(readNumber(reader, UINT, at, width));
  if (back === 0 || back > at) fail(`an offset of ${back} back from byte ${at}`, at);
  return at - back;
}

function readNumber(reader: Reader, type: number, at: number, width: number): number | bigint {
  require(reader, at, width);
  const scalar = NUMBERS[type]![Math.log2(width)] ?? fail(`a floating-point number of ${width} bytes`, at);
  return scalars[scalar].read(reader.view, at) as number | bigint;
}

function requireWidth(width: number, at: number): void {
  if (![1, 2, 4, 8].includes(width)) fail(`a width of ${width} bytes; accepted: 1, 2, 4, 8`, at);
}

function require({ bytes }: Reader, at: number, count: number): void {
  if (at < 0 || count > bytes.length - at) fail(`${count} bytes at ${at} of ${bytes.length}`, at);
}

function fail(message: string, offset: number): never {
  throw new ModelError('bad-flexbuffer', message, { offset });
}
