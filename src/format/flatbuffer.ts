/** A FlatBuffers scalar in memory. */
interface ScalarType {
  readonly bytes: number;
  read(view: DataView, at: number): number | bigint | boolean;
}

/** The scalars of FlatBuffers, little-endian; 64-bit integers are numbers where that is exact. */
export const scalars = {
  bool: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  byte: { bytes: 1, read: (view, at) => view.getInt8(at) },
  ubyte: { bytes: 1, read: (view, at) => view.getUint8(at) },
  short: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  ushort: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  int: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  uint: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  float: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  double: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  long: { bytes: 8, read: (view, at) => exact(view.getBigInt64(at, true)) },
  ulong: { bytes: 8, read: (view, at) => exact(view.getBigUint64(at, true)) },
} satisfies Readonly<Record<string, ScalarType>>;

/** The name of a scalar type. */
export type Scalar = keyof typeof scalars;

/** A view of the whole array for little-endian reads. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Text of a file; a byte order mark is part of it. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Where the offset at `at` leads. */
export function follow(view: DataView, at: number): number {
  return at + view.getUint32(at, true);
}

/** Where a field of a table lies, or 0 where the table does not have it. */
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
