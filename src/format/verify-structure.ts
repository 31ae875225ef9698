import { ModelError } from '../../delegate/index.js';
import { fieldAt, firstSlot, follow, readScalar, scalarBytes, viewOf } from './flatbuffer.js';
import type { Limits } from './limits.js';
import { tableOf } from './schema.js';
import type { Enumeration, Field, Table } from './schema-notation.js';

/** Tables still to visit: `count` offsets from `at` on, of which `next` have been taken. */
interface Frame {
  readonly table: Table;
  readonly name: string;
  readonly parent: Frame | undefined;
  readonly vector: boolean;
  readonly at: number;
  readonly count: number;
  next: number;
}

interface Walk {
  readonly view: DataView;
  readonly size: number;
  readonly stack: Frame[];
  readonly limits: Limits;
  bytesLeft: number;
  tablesLeft: number;
}

const HARD_LIMIT = 2 ** 31 - 1;

/**
 * Checks that every offset, vtable, vector, string, union and enum of the FlatBuffer is what the schema says and lies
 * inside the file. Afterwards the tree can be read without further checks. Throws ModelError.
 */
export function verifyStructure(bytes: Uint8Array, limits: Limits): void {
  const size = bytes.byteLength;
  verifyContainer(bytes, limits);
  const root: Frame = { table: tableOf('Model'), name: '', parent: undefined, vector: false, at: 0, count: 1, next: 0 };
  const walk: Walk = {
    view: viewOf(bytes),
    size: Math.min(size, HARD_LIMIT),
    stack: [root],
    limits,
    bytesLeft: size * limits.visitsPerByte,
    tablesLeft: limits.tables,
  };
  for (let frame = walk.stack.at(-1); frame; frame = walk.stack.at(-1)) {
    if (frame.next === frame.count) walk.stack.pop();
    else verifyTable(walk, frame, frame.at + 4 * frame.next++);
  }
}

function verifyContainer(bytes: Uint8Array, limits: Limits): void {
  const size = bytes.byteLength;
  if (size < 8) throw new ModelError('truncated', `the file has ${size} bytes; a model has at least 8`, { offset: 0 });
  if (size > limits.fileBytes) {
    throw new ModelError('too-large', `the file has ${size} bytes; the limit is ${limits.fileBytes}`, { offset: 0 });
  }
  const identifier = String.fromCharCode(...bytes.subarray(4, 8));
  if (identifier !== 'TFL3') {
    const found = JSON.stringify(identifier.replace(/[^ -~]/g, '?'));
    throw new ModelError('not-a-model', `the file identifier is ${found}; a .tflite file has "TFL3" there`, {
      offset: 4,
    });
  }
}

function verifyTable(walk: Walk, frame: Frame, offsetAt: number): void {
  const { view, size } = walk;
  const at = checkedFollow(walk, frame, '', offsetAt);
  if (--walk.tablesLeft < 0) fail(frame, '', 'too-large', `more than ${walk.limits.tables} tables`, at);
  const vtable = at - view.getInt32(at, true);
  if (vtable < 0 || vtable > size - 4 || vtable % 2)
    fail(frame, '', 'bad-vtable', `its vtable is at ${vtable} of ${size} bytes`, at);
  const length = view.getUint16(vtable, true);
  if (length < 4 || length % 2 || length > size - vtable) {
    fail(frame, '', 'bad-vtable', `its vtable at ${vtable} has a length of ${length} bytes`, at);
  }
  const tableBytes = view.getUint16(vtable + 2, true);
  if (tableBytes < 4 || tableBytes > size - at)
    fail(frame, '', 'bad-vtable', `its vtable says that it has ${tableBytes} bytes`, at);
  spend(walk, frame, '', tableBytes, at);
  const slots = (length - 4) / 2;
  for (const field of frame.table.fields) {
    if (firstSlot(field) >= slots) break;
    const fieldBytes = field.kind === 'scalar' && !field.vector ? scalarBytes[field.scalar] : 4;
    const place = checkedField(walk, frame, field.name, at, field.slot, fieldBytes, tableBytes);
    const member = field.kind === 'union' ? unionMember(walk, frame, field, at, tableBytes, place) : undefined;
    if (place) verifyField(walk, frame, field, place, member);
  }
}

function verifyField(walk: Walk, frame: Frame, field: Field, place: number, member: Table | undefined): void {
  if (field.vector) verifyVector(walk, frame, field, checkedFollow(walk, frame, field.name, place));
  else if (field.kind === 'string')
    verifyString(walk, frame, field.name, checkedFollow(walk, frame, field.name, place));
  else if (field.kind === 'scalar') verifyEnum(walk, frame, field.name, field.enumeration, place);
  else push(walk, frame, field.name, member ?? (field as { table: Table }).table, false, place, 1);
}

function verifyVector(walk: Walk, frame: Frame, field: Field, at: number): void {
  const count = walk.view.getUint32(at, true);
  const bytes = field.kind === 'scalar' ? scalarBytes[field.scalar] : 4;
  if (count * bytes > walk.size - at - 4) {
    fail(
      frame,
      field.name,
      'truncated',
      `${count} elements of ${bytes} bytes, but ${walk.size - at - 4} bytes are left in the file`,
      at,
    );
  }
  if (field.kind === 'scalar' && field.scalar === 'ubyte') return;
  spend(walk, frame, field.name, count * bytes, at);
  if (field.kind === 'table') push(walk, frame, field.name, field.table, true, at + 4, count);
  if (field.kind !== 'scalar' || !field.enumeration) return;
  for (let i = 0; i < count; i++) verifyEnum(walk, frame, field.name, field.enumeration, at + 4 + i * bytes);
}

function verifyString(walk: Walk, frame: Frame, name: string, at: number): void {
  const count = walk.view.getUint32(at, true);
  const left = walk.size - at - 4;
  if (count >= left)
    fail(frame, name, 'truncated', `a string of ${count} bytes and a NUL, but ${left} bytes are left in the file`, at);
  if (walk.view.getUint8(at + 4 + count)) fail(frame, name, 'bad-string', `no NUL after its ${count} bytes`, at);
  spend(walk, frame, name, count, at);
}

function verifyEnum(walk: Walk, frame: Frame, name: string, known: Enumeration | undefined, at: number): void {
  if (!known) return;
  const value = readScalar(walk.view, known.base, at) as number;
  if (value < 0 || value >= known.names.length) {
    fail(frame, name, 'bad-enum', `${value} is not a ${known.name}; accepted: 0 to ${known.names.length - 1}`, at);
  }
}

function unionMember(
  walk: Walk,
  frame: Frame,
  field: Field,
  table: number,
  tableBytes: number,
  place: number,
): Table | undefined {
  if (field.kind !== 'union') return;
  const typeAt = checkedField(walk, frame, field.typeName, table, field.slot - 1, 1, tableBytes);
  const type = typeAt ? walk.view.getUint8(typeAt) : 0;
  const name = field.members.names[type];
  if (name === undefined)
    fail(frame, field.typeName, 'bad-union', `${type} is not a member of ${field.members.name}`, typeAt);
  if (!type !== !place)
    fail(frame, field.name, 'bad-union', `its type is ${name}, but the table is ${place ? 'there' : 'absent'}`, table);
  return place ? tableOf(name!) : undefined;
}

function checkedField(
  walk: Walk,
  frame: Frame,
  name: string,
  table: number,
  slot: number,
  bytes: number,
  tableBytes: number,
): number {
  const place = fieldAt(walk.view, table, slot);
  const offset = place - table;
  if (place && (offset < 4 || offset + bytes > tableBytes || place % bytes)) {
    fail(
      frame,
      name,
      'bad-offset',
      `a field of ${bytes} bytes at ${offset} of a table of ${tableBytes} bytes at ${table}`,
      table,
    );
  }
  return place;
}

function checkedFollow(walk: Walk, frame: Frame, name: string, at: number): number {
  const offset = walk.view.getUint32(at, true);
  const target = follow(walk.view, at);
  if (offset === 0 || target > walk.size - 4 || target % 4) {
    fail(frame, name, 'bad-offset', `an offset of ${offset} from ${at} in a file of ${walk.size} bytes`, at);
  }
  return target;
}

function spend(walk: Walk, frame: Frame, name: string, bytes: number, at: number): void {
  walk.bytesLeft -= bytes;
  if (walk.bytesLeft < 0) {
    const limit = walk.limits.visitsPerByte;
    fail(
      frame,
      name,
      'too-large',
      `parts of the file are used so often that reading it takes more than ${limit} times its size`,
      at,
    );
  }
}

function push(walk: Walk, parent: Frame, name: string, table: Table, vector: boolean, at: number, count: number): void {
  walk.stack.push({ table, name, parent, vector, at, count, next: 0 });
}

function fail(frame: Frame, name: string, code: string, message: string, offset: number): never {
  const path = [pathOf(frame), name].filter(Boolean).join('.');
  throw new ModelError(code, message, { path, offset });
}

function pathOf(frame: Frame): string {
  const own = frame.vector ? `${frame.name}[${frame.next - 1}]` : frame.name;
  const above = frame.parent && pathOf(frame.parent);
  return above ? `${above}.${own}` : own;
}
