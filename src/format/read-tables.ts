import { ModelError } from '../../delegate/index.js';
import { decodeText, fieldAt, follow, scalars, viewOf } from './flatbuffer.js';
import type { Limits } from './limits.js';
import { emptyRow, tableOf } from './schema.js';
import { type Field, type FieldOf, firstSlot, type Table } from './schema-notation.js';

/** A table's fields by name. */
export type Row = Record<string, unknown>;

interface Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Bytes that can belong to the FlatBuffer: all below 2 GiB. */
  readonly size: number;
  readonly limits: Limits;
  /** False where the file is only checked. */
  readonly keeps: boolean;
  /** Fields and indices from the root to what is being read. */
  readonly path: (string | number)[];
  bytesLeft: number;
  tablesLeft: number;
}

/**
 * Reads a file by the schema. Every offset, vtable, vector, string, union and enum is checked before it is used, and
 * what shared offsets can multiply is bounded by the limits. Throws ModelError with the place of what is wrong.
 */
export function readTables(bytes: Uint8Array, limits: Limits): Row {
  verifyContainer(bytes, limits);
  walk(bytes, limits, false);
  return walk(bytes, limits, true);
}

/** Checks the file, and with `keeps` gives what is in it. A file of shared offsets is refused before it takes memory. */
function walk(bytes: Uint8Array, limits: Limits, keeps: boolean): Row {
  const size = bytes.byteLength;
  const reader: Reader = {
    bytes,
    view: viewOf(bytes),
    size: Math.min(size, 2 ** 31 - 1),
    limits,
    keeps,
    path: [],
    bytesLeft: size * limits.visitsPerByte,
    tablesLeft: limits.tables,
  };
  return readTable(reader, tableOf('Model'), 0);
}

function verifyContainer(bytes: Uint8Array, limits: Limits): void {
  const size = bytes.byteLength;
  if (size < 8) throw new ModelError('truncated', `the file has ${size} bytes; a model has at least 8`, { offset: 0 });
  if (size > limits.fileBytes)
    throw new ModelError('too-large', `the file has ${size} bytes; the limit is ${limits.fileBytes}`, { offset: 0 });
  const identifier = String.fromCharCode(...bytes.subarray(4, 8));
  if (identifier !== 'TFL3') {
    const found = JSON.stringify(identifier.replace(/[^ -~]/g, '?'));
    const message = `the file identifier is ${found}; a .tflite file has "TFL3" there`;
    throw new ModelError('not-a-model', message, { offset: 4 });
  }
}

/** Where the fields of tables go that are only checked. */
const dropped: Row = {};

/** The table behind the offset at `offsetAt`. Recursion is as deep as the schema, which has no table inside itself. */
function readTable(reader: Reader, table: Table, offsetAt: number): Row {
  const { view, size } = reader;
  const at = target(reader, offsetAt);
  if (--reader.tablesLeft < 0) fail(reader, 'too-large', `more than ${reader.limits.tables} tables`, at);
  const vtable = at - view.getInt32(at, true);
  if (vtable < 0 || vtable > size - 4 || vtable % 2)
    fail(reader, 'bad-vtable', `its vtable is at ${vtable} of ${size} bytes`, at);
  const length = view.getUint16(vtable, true);
  if (length < 4 || length % 2 || length > size - vtable)
    fail(reader, 'bad-vtable', `its vtable at ${vtable} has a length of ${length} bytes`, at);
  const bytes = view.getUint16(vtable + 2, true);
  if (bytes < 4 || bytes > size - at) fail(reader, 'bad-vtable', `its vtable says that it has ${bytes} bytes`, at);
  spend(reader, bytes, at);

  const slots = (length - 4) / 2;
  // Tables without fields are all the same one: hundreds of thousands of them would cost time and memory.
  if (slots === 0) return emptyRow(table);
  const row: Row = reader.keeps ? { ...emptyRow(table) } : dropped;
  for (const field of table.fields) {
    if (firstSlot(field) >= slots) break;
    reader.path.push(field.name);
    const place = placeOf(reader, at, bytes, field.slot, field.kind === 'scalar' ? scalars[field.scalar].bytes : 4);
    if (field.kind === 'union') {
      const type = unionType(reader, field, at, bytes, place);
      row[field.typeName] = type;
      if (place) row[field.name] = readTable(reader, tableOf(type), place);
    } else if (place) row[field.name] = readField(reader, field, place);
    reader.path.pop();
  }
  return row;
}

/** Where a field of the table lies, or 0 where the table does not have it. */
function placeOf(reader: Reader, table: number, tableBytes: number, slot: number, bytes: number): number {
  const place = fieldAt(reader.view, table, slot);
  const offset = place - table;
  if (place && (offset < 4 || offset + bytes > tableBytes || place % bytes)) {
    const found = `a field of ${bytes} bytes at ${offset} of a table of ${tableBytes} bytes at ${table}`;
    fail(reader, 'bad-offset', found, table);
  }
  return place;
}

function unionType(reader: Reader, field: FieldOf<'union'>, table: number, tableBytes: number, place: number): string {
  const typeAt = placeOf(reader, table, tableBytes, field.slot - 1, 1);
  const type = typeAt && reader.view.getUint8(typeAt);
  const { name, names } = field.members;
  const member = names[type] ?? fail(reader, 'bad-union', `type ${type} is not a member of ${name}`, typeAt);
  if (!type !== !place)
    fail(reader, 'bad-union', `its type is ${member}, but the table is ${place ? 'there' : 'absent'}`, table);
  return member;
}

function readField(reader: Reader, field: Exclude<Field, FieldOf<'union'>>, place: number): unknown {
  switch (field.kind) {
    case 'scalar':
      return readScalar(reader, field, place);
    case 'string':
      return readString(reader, target(reader, place));
    case 'table':
      return readTable(reader, field.table, place);
    case 'scalars':
    case 'tables':
      return readVector(reader, field, target(reader, place));
    default:
      return field satisfies never;
  }
}

function readScalar(reader: Reader, { scalar, enumeration }: FieldOf<'scalar' | 'scalars'>, at: number): unknown {
  const value = scalars[scalar].read(reader.view, at);
  if (!enumeration) return value;
  const { name, names } = enumeration;
  const found = names[value as number];
  if (found === undefined)
    fail(reader, 'bad-enum', `${value} is not a ${name}; accepted: 0 to ${names.length - 1}`, at);
  return found;
}

function readString(reader: Reader, at: number): string {
  const count = reader.view.getUint32(at, true);
  const left = reader.size - at - 4;
  if (count >= left)
    fail(reader, 'truncated', `a string of ${count} bytes and a NUL, but ${left} bytes are left in the file`, at);
  const end = at + 4 + count;
  if (reader.bytes[end]) fail(reader, 'bad-string', `no NUL after its ${count} bytes`, at);
  spend(reader, count, at);
  return reader.keeps ? decodeText(reader.bytes.subarray(at + 4, end)) : '';
}

function readVector(reader: Reader, field: FieldOf<'scalars' | 'tables'>, at: number): unknown {
  const count = reader.view.getUint32(at, true);
  const bytes = field.kind === 'scalars' ? scalars[field.scalar].bytes : 4;
  const first = at + 4;
  const left = reader.size - first;
  if (count * bytes > left)
    fail(reader, 'truncated', `${count} elements of ${bytes} bytes, but ${left} bytes are left in the file`, at);
  if (field.kind === 'scalars' && field.scalar === 'ubyte') return reader.bytes.subarray(first, first + count);
  spend(reader, count * bytes, at);
  if (field.kind === 'scalars' && !field.enumeration && !reader.keeps) return undefined;
  const values = new Array<unknown>(reader.keeps ? count : 0);
  for (let i = 0; i < count; i++) {
    const place = first + i * bytes;
    reader.path.push(i);
    const value = field.kind === 'tables' ? readTable(reader, field.table, place) : readScalar(reader, field, place);
    if (reader.keeps) values[i] = value;
    reader.path.pop();
  }
  return values;
}

/** Where the offset at `at` leads. */
function target(reader: Reader, at: number): number {
  const to = follow(reader.view, at);
  if (to === at || to > reader.size - 4 || to % 4)
    fail(reader, 'bad-offset', `an offset of ${to - at} from ${at} in a file of ${reader.size} bytes`, at);
  return to;
}

function spend(reader: Reader, bytes: number, at: number): void {
  reader.bytesLeft -= bytes;
  if (reader.bytesLeft >= 0) return;
  const times = reader.limits.visitsPerByte;
  const message = `parts of the file are used so often that reading it takes more than ${times} times its size`;
  fail(reader, 'too-large', message, at);
}

function fail({ path }: Reader, code: string, message: string, offset: number): never {
  const place = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  throw new ModelError(code, message, { path: place.slice(1), offset });
}
