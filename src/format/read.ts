import { ModelError } from '../../delegate/index.js';
import { fieldAt, firstSlot, follow, readScalar, scalarBytes, slotCount, viewOf } from './flatbuffer.js';
import { defaultLimits, type Limits } from './limits.js';
import type { Buffer, Long, Model, Operator, SubGraph } from './model.js';
import { emptyRow, tableOf } from './schema.js';
import type { Field, Table } from './schema-notation.js';
import { verifySemantics } from './verify-semantics.js';
import { verifyStructure } from './verify-structure.js';

type Row = Record<string, unknown>;

/**
 * Verifies a `.tflite` file and reads it. Weights are views of `bytes`, which must not change afterwards.
 * Throws ModelError with the place of what is wrong.
 */
export function readModel(bytes: Uint8Array, limits: Partial<Limits> = {}): Model {
  const effective = { ...defaultLimits, ...limits };
  verifyStructure(bytes, effective);
  const model = readTree(bytes);
  verifySemantics(model, effective, (path) => offsetOf(bytes, path));
  return model;
}

function readTree(bytes: Uint8Array): Model {
  const view = viewOf(bytes);
  const row = readTable(bytes, view, tableOf('Model'), follow(view, 0));
  const buffers = row.buffers as RawBuffer[] | undefined;
  const subgraphs = row.subgraphs as SubGraph[] | undefined;
  subgraphs?.forEach((subgraph, s) => {
    subgraph.operators?.forEach((operator, o) => {
      placeCustomOptions(bytes, operator as RawOperator, `subgraphs[${s}].operators[${o}]`);
    });
  });
  return {
    ...row,
    buffers: buffers?.map((buffer, i) => placeBuffer(bytes, buffer, `buffers[${i}]`)),
  } as unknown as Model;
}

interface RawBuffer extends Buffer {
  readonly offset: Long;
  readonly size: Long;
}

interface RawOperator extends Omit<Operator, 'customOptions'> {
  customOptions?: Uint8Array;
  largeCustomOptionsOffset?: Long;
  largeCustomOptionsSize?: Long;
}

/** Files above 2 GiB keep data behind the FlatBuffer. Offset and size 1 are a converter's placeholder for no data. */
function placeBuffer(bytes: Uint8Array, { data, offset, size }: RawBuffer, path: string): Buffer {
  return { data: offset > 1 && size > 1 ? rangeOf(bytes, offset, size, `${path}.offset`) : data };
}

function placeCustomOptions(bytes: Uint8Array, operator: RawOperator, path: string): void {
  const { largeCustomOptionsOffset: offset = 0, largeCustomOptionsSize: size = 0 } = operator;
  if (offset > 1 && size > 1) operator.customOptions = rangeOf(bytes, offset, size, `${path}.largeCustomOptionsOffset`);
  delete operator.largeCustomOptionsOffset;
  delete operator.largeCustomOptionsSize;
}

function rangeOf(bytes: Uint8Array, offset: Long, size: Long, path: string): Uint8Array {
  const length = bytes.byteLength;
  if (typeof offset === 'bigint' || typeof size === 'bigint' || size > length || offset > length - size) {
    throw new ModelError('truncated', `${size} bytes at ${offset} of a file of ${length} bytes`, {
      path,
      offset: offsetOf(bytes, path),
    });
  }
  return bytes.subarray(offset, offset + size);
}

/** As deep as the schema, which has no table inside itself. */
function readTable(bytes: Uint8Array, view: DataView, table: Table, at: number): Row {
  const row: Row = { ...emptyRow(table) };
  const slots = slotCount(view, at);
  for (const field of table.fields) {
    if (firstSlot(field) >= slots) break;
    const place = fieldAt(view, at, field.slot);
    if (!place) continue;
    if (field.kind === 'union') row[field.typeName] = unionType(view, field, at);
    row[field.name] = readField(bytes, view, field, at, place);
  }
  return row;
}

function readField(bytes: Uint8Array, view: DataView, field: Field, table: number, place: number): unknown {
  if (field.vector) return readVector(bytes, view, field, follow(view, place));
  switch (field.kind) {
    case 'scalar': {
      const value = readScalar(view, field.scalar, place);
      return field.enumeration ? field.enumeration.names[value as number] : value;
    }
    case 'string':
      return readString(bytes, view, follow(view, place));
    case 'table':
      return readTable(bytes, view, field.table, follow(view, place));
    case 'union':
      return readTable(bytes, view, tableOf(unionType(view, field, table)), follow(view, place));
    default:
      return field satisfies never;
  }
}

function readVector(bytes: Uint8Array, view: DataView, field: Field, at: number): unknown {
  const count = view.getUint32(at, true);
  const first = at + 4;
  if (field.kind === 'table') {
    return Array.from({ length: count }, (_, i) => readTable(bytes, view, field.table, follow(view, first + 4 * i)));
  }
  if (field.kind !== 'scalar') throw new TypeError(`${field.name}: the schema has no vectors of ${field.kind}`);
  const { scalar, enumeration } = field;
  if (scalar === 'ubyte') return bytes.subarray(first, first + count);
  const step = scalarBytes[scalar];
  const values = new Array<unknown>(count);
  for (let i = 0; i < count; i++) values[i] = readScalar(view, scalar, first + i * step);
  return enumeration ? values.map((value) => enumeration.names[value as number]) : values;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function readString(bytes: Uint8Array, view: DataView, at: number): string {
  return decoder.decode(bytes.subarray(at + 4, at + 4 + view.getUint32(at, true)));
}

function unionType(view: DataView, field: Field, table: number): string {
  if (field.kind !== 'union') throw new TypeError(`${field.name} is no union`);
  const place = fieldAt(view, table, field.slot - 1);
  return field.members.names[place ? view.getUint8(place) : 0]!;
}

/** The byte where a path such as `subgraphs[0].operators[1].inputs` leads, or that of its last part that exists. */
function offsetOf(bytes: Uint8Array, path: string): number {
  const view = viewOf(bytes);
  let table = tableOf('Model');
  let at = follow(view, 0);
  for (const [, name, index] of path.matchAll(/(\w+)(?:\[(\d+)\])?/g)) {
    const field = table.fields.find((f) => f.name === name);
    const place = field && fieldAt(view, at, field.slot);
    if (!field || !place) return at;
    const element = field.vector ? elementAt(view, field, place, index) : place;
    if (field.kind === 'scalar' || field.kind === 'string' || (field.vector && index === undefined)) return element;
    table = field.kind === 'table' ? field.table : tableOf(unionType(view, field, at));
    at = follow(view, element);
  }
  return at;
}

function elementAt(view: DataView, field: Field, place: number, index = '0'): number {
  const vector = follow(view, place);
  if (Number(index) >= view.getUint32(vector, true)) return vector;
  return vector + 4 + Number(index) * (field.kind === 'scalar' ? scalarBytes[field.scalar] : 4);
}
