import type { Field, Scalar } from './schema-notation.js';

/** Bytes of a FlatBuffers scalar. */
export const scalarBytes: Readonly<Record<Scalar, number>> = {
  bool: 1,
  byte: 1,
  ubyte: 1,
  short: 2,
  ushort: 2,
  int: 4,
  uint: 4,
  float: 4,
  long: 8,
  ulong: 8,
};

/** A view of the whole file for little-endian reads. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The scalar at `at`; 64-bit integers are numbers where that is exact. */
export function readScalar(view: DataView, scalar: Scalar, at: number): number | bigint | boolean {
  switch (scalar) {
    case 'bool':
      return view.getUint8(at) !== 0;
    case 'byte':
      return view.getInt8(at);
    case 'ubyte':
      return view.getUint8(at);
    case 'short':
      return view.getInt16(at, true);
    case 'ushort':
      return view.getUint16(at, true);
    case 'int':
      return view.getInt32(at, true);
    case 'uint':
      return view.getUint32(at, true);
    case 'float':
      return view.getFloat32(at, true);
    case 'long':
      return exact(view.getBigInt64(at, true));
    case 'ulong':
      return exact(view.getBigUint64(at, true));
    default:
      return scalar satisfies never;
  }
}

/** Where the offset at `at` leads. */
export function follow(view: DataView, at: number): number {
  return at + view.getUint32(at, true);
}

/** The first slot of a field; a union's type comes before its value. */
export function firstSlot(field: Field): number {
  return field.kind === 'union' ? field.slot - 1 : field.slot;
}

/** Slots of the table's vtable; fields beyond are absent. */
export function slotCount(view: DataView, table: number): number {
  return (view.getUint16(table - view.getInt32(table, true), true) - 4) / 2;
}

/** Where a field of a verified table lies, or 0 where the table does not have it. */
export function fieldAt(view: DataView, table: number, slot: number): number {
  const vtable = table - view.getInt32(table, true);
  const entry = 4 + 2 * slot;
  if (entry >= view.getUint16(vtable, true)) return 0;
  const offset = view.getUint16(vtable + entry, true);
  return offset && table + offset;
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
