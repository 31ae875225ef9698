import { arrayOf, type DType, type NumericData, newData, type TensorData } from '../../delegate/index.js';
import { viewOf } from './flatbuffer.js';
import type { Tensor } from './model.js';

/** A schema's `TensorType` name as the delegate's dtype. */
export function dtypeOf(type: string): DType {
  return type.toLowerCase().replace('_', '') as DType;
}

/** Bytes that a dense constant of `elements` elements takes; types below a byte are packed; strings have no fixed size. */
export function denseBytes(type: string, elements: number): number | undefined {
  // Every name of fixed size but one tells the bits of an element: FLOAT8_E4M3FN, INT4, COMPLEX128.
  const bits = type === 'BOOL' ? 8 : Number(/\d+/.exec(type));
  return bits ? Math.ceil((elements * bits) / 8) : undefined;
}

/** The numbers of a constant of integers, 64-bit ones rounded; `undefined` for other types. */
export function integersOf(type: string, bytes: Uint8Array): number[] | undefined {
  if (!/^U?INT(8|16|32|64)$/.test(type)) return undefined;
  return Array.from(viewAs(dtypeOf(type), bytes) as ArrayLike<number | bigint>, Number);
}

/** The data of a constant without elements. */
export function emptyData(dtype: DType): TensorData {
  return dtype === 'resource' || dtype === 'variant' ? [] : newData(dtype, 0);
}

/** A constant's values: a view of the file where it is aligned, else a copy. Types below a byte are unpacked. */
export function tensorData(tensor: Tensor, bytes: Uint8Array): TensorData {
  switch (tensor.type) {
    case 'STRING':
      return strings(bytes);
    case 'INT4':
      return unpack(new Int8Array(storedElements(tensor, bytes, 4)), bytes, 4, true);
    case 'UINT4':
      return unpack(new Uint8Array(storedElements(tensor, bytes, 4)), bytes, 4, false);
    case 'INT2':
      return unpack(new Int8Array(storedElements(tensor, bytes, 2)), bytes, 2, true);
    default:
      return viewAs(dtypeOf(tensor.type), bytes);
  }
}

/** A sparse constant stores fewer elements than its shape has. */
function storedElements(tensor: Tensor, bytes: Uint8Array, bits: number): number {
  const capacity = (bytes.length * 8) / bits;
  return tensor.sparsity ? capacity : (tensor.shape ?? []).reduce((product, size) => product * size, 1);
}

function viewAs(dtype: DType, bytes: Uint8Array): NumericData {
  const array = arrayOf(dtype);
  // Node's Buffer has a `slice` that does not copy.
  const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new array(aligned.buffer, aligned.byteOffset, aligned.byteLength / array.BYTES_PER_ELEMENT);
}

/** The lowest bits of a byte come first. */
function unpack<T extends Int8Array | Uint8Array>(values: T, bytes: Uint8Array, bits: number, signed: boolean): T {
  const perByte = 8 / bits;
  for (let i = 0; i < values.length; i++) {
    const raised = bytes[Math.floor(i / perByte)]! << (32 - bits * ((i % perByte) + 1));
    values[i] = signed ? raised >> (32 - bits) : raised >>> (32 - bits);
  }
  return values;
}

/** The data is a count, that many offsets and an end, all int32, then the strings' bytes. */
function strings(bytes: Uint8Array): Uint8Array[] {
  const view = viewOf(bytes);
  const offset = (i: number) => view.getInt32(4 + 4 * i, true);
  return Array.from({ length: view.getInt32(0, true) }, (_, i) => bytes.subarray(offset(i), offset(i + 1)));
}
