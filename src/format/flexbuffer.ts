import { ModelError } from '../../delegate/index.js';

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
  if (size < 3) throw new ModelError('bad-flexbuffer', `${size} bytes; a FlexBuffer has at least 3`);
  const reader: Reader = { view: new DataView(bytes.buffer, bytes.byteOffset, size), bytes, left: 4 * size };
  const width = bytes[size - 1]!;
  const packed = bytes[size - 2]!;
  requireWidth(width, size - 1);
  return readValue(reader, size - 2 - width, width, packed, DEPTH);
}

function readValue(reader: Reader, at: number, width: number, packed: number, depth: number): FlexValue {
  const type = packed >> 2;
  const childWidth = 1 << (packed & 3);
  if (--reader.left < 0 || depth === 0)
    throw new ModelError('bad-flexbuffer', 'values are nested or shared too often', { offset: at });
  switch (type) {
    case NULL:
      return null;
    case INT:
      return signed(reader, at, width);
    case UINT:
      return unsigned(reader, at, width);
    case BOOL:
      return unsigned(reader, at, width) !== 0;
    case FLOAT:
      return float(reader, at, width);
  }
  const target = indirect(reader, at, width);
  switch (type) {
    case KEY:
      return readKey(reader, target);
    case STRING:
      return decode(readBytes(reader, target, childWidth));
    case BLOB:
      return readBytes(reader, target, childWidth);
    case INDIRECT_INT:
      return signed(reader, target, childWidth);
    case INDIRECT_UINT:
      return unsigned(reader, target, childWidth);
    case INDIRECT_FLOAT:
      return float(reader, target, childWidth);
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
  throw new ModelError('bad-flexbuffer', `type ${type} is not known`, { offset: at });
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
  const keyWidth = Number(unsigned(reader, at - 2 * width, width));
  requireWidth(keyWidth, at - 2 * width);
  const values = readVector(reader, at, width, depth);
  const keys = elements(reader, keysAt, keyWidth, values.length, KEY << 2, depth);
  return new Map(values.map((value, i) => [keys[i] as string, value]));
}

function readKey(reader: Reader, at: number): string {
  const end = reader.bytes.indexOf(0, at);
  if (end < 0) throw new ModelError('bad-flexbuffer', 'a key without its NUL', { offset: at });
  reader.left -= end - at;
  return decode(reader.bytes.subarray(at, end));
}

function readBytes(reader: Reader, at: number, width: number): Uint8Array {
  const count = lengthAt(reader, at, width);
  require(reader, at, count);
  reader.left -= count;
  return reader.bytes.subarray(at, at + count);
}

function lengthAt(reader: Reader, at: number, width: number): number {
  return Number(unsigned(reader, at - width, width));
}

function indirect(reader: Reader, at: number, width: number): number {
  const back = Number(unsigned(reader, at, width));
  if (back === 0 || back > at)
    throw new ModelError('bad-flexbuffer', `an offset of ${back} back from byte ${at}`, { offset: at });
  return at - back;
}

function signed(reader: Reader, at: number, width: number): number | bigint {
  require(reader, at, width);
  const { view } = reader;
  if (width === 1) return view.getInt8(at);
  if (width === 2) return view.getInt16(at, true);
  return width === 4 ? view.getInt32(at, true) : exact(view.getBigInt64(at, true));
}

function unsigned(reader: Reader, at: number, width: number): number | bigint {
  require(reader, at, width);
  const { view } = reader;
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true);
  return width === 4 ? view.getUint32(at, true) : exact(view.getBigUint64(at, true));
}

function float(reader: Reader, at: number, width: number): number {
  require(reader, at, width);
  if (width === 4) return reader.view.getFloat32(at, true);
  if (width === 8) return reader.view.getFloat64(at, true);
  throw new ModelError('bad-flexbuffer', `a floating-point number of ${width} bytes`, { offset: at });
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function requireWidth(width: number, at: number): void {
  if (![1, 2, 4, 8].includes(width))
    throw new ModelError('bad-flexbuffer', `a width of ${width} bytes; accepted: 1, 2, 4, 8`, { offset: at });
}

function require({ bytes }: Reader, at: number, count: number): void {
  if (at < 0 || count > bytes.length - at) {
    throw new ModelError('bad-flexbuffer', `${count} bytes at ${at} of ${bytes.length}`, { offset: at });
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
