import { Builder } from 'flatbuffers';
import { ModelError } from '../../delegate/index.js';
import { type Scalar, scalars } from './flatbuffer.js';
import { listOf, type Model } from './model.js';
import { tableOf } from './schema.js';
import { type Field, type FieldOf, firstSlot, type Table } from './schema-notation.js';

type Row = Readonly<Record<string, unknown>>;

/** Constants start at multiples of this, as interpreters that map the file expect. */
const DATA_ALIGNMENT = 16;

/** Writes a model as a `.tflite` file. What `readModel` gives comes back equal. Throws ModelError for unknown enum names. */
export function writeModel(model: Model): Uint8Array {
  const builder = new Builder(expectedBytes(model));
  builder.finish(writeTable(builder, tableOf('Model'), model as unknown as Row), 'TFL3');
  return builder.asUint8Array().slice();
}

/** A little more than the file will have, so that the builder rarely grows. */
function expectedBytes(model: Model): number {
  const data = listOf(model.buffers).reduce((bytes, buffer) => bytes + (buffer.data?.length ?? 0) + 64, 0);
  const rows = listOf(model.subgraphs).reduce(
    (count, s) => count + listOf(s.tensors).length + listOf(s.operators).length,
    0,
  );
  return data + 256 * rows + 1024;
}

/** FlatBuffers are built from the leaves: everything that a table points to comes first. */
function writeTable(builder: Builder, table: Table, row: Row): number {
  const offsets = table.fields.map((field) => (isInline(field) ? 0 : writeChild(builder, table, field, row)));
  const last = table.fields.at(-1);
  builder.startObject(last ? last.slot + 1 : 0);
  table.fields.forEach((field, i) => {
    if (isInline(field)) writeScalarField(builder, table, field, row[field.name]);
    else if (offsets[i]) writeOffsetField(builder, field, row, offsets[i]!);
  });
  return builder.endObject();
}

function isInline(field: Field): field is FieldOf<'scalar'> {
  return field.kind === 'scalar';
}

function writeChild(builder: Builder, table: Table, field: Field, row: Row): number {
  const value = row[field.name];
  if (value === undefined) return 0;
  switch (field.kind) {
    case 'string':
      return builder.createString(value as string);
    case 'table':
      return writeTable(builder, field.table, value as Row);
    case 'union':
      return writeTable(builder, tableOf(row[field.typeName] as string), value as Row);
    case 'scalars':
    case 'tables':
      return writeVector(builder, table, field, value);
    default:
      throw new TypeError(`${table.name}.${field.name} is stored in the table itself`);
  }
}

function writeVector(builder: Builder, table: Table, field: FieldOf<'scalars' | 'tables'>, value: unknown): number {
  if (value instanceof Uint8Array) {
    builder.prep(table.name === 'Buffer' ? DATA_ALIGNMENT : 1, value.length);
    return builder.createByteVector(value);
  }
  const values = value as readonly unknown[];
  if (field.kind === 'tables') {
    const offsets = values.map((row) => writeTable(builder, field.table, row as Row));
    builder.startVector(4, offsets.length, 4);
    for (const offset of offsets.reverse()) builder.addOffset(offset);
    return builder.endVector();
  }
  const { bytes } = scalars[field.scalar];
  builder.startVector(bytes, values.length, bytes);
  for (let i = values.length - 1; i >= 0; i--) addScalar(builder, field.scalar, scalarValue(table, field, values[i]));
  return builder.endVector();
}

function writeOffsetField(builder: Builder, field: Field, row: Row, offset: number): void {
  if (field.kind === 'union') {
    const type = field.members.values.get(row[field.typeName] as string);
    builder.addFieldInt8(firstSlot(field), type!, 0);
  }
  builder.addFieldOffset(field.slot, offset, 0);
}

/** Defaults are left out; −0 is not the default 0. */
function writeScalarField(builder: Builder, table: Table, field: FieldOf<'scalar'>, value: unknown): void {
  if (value === undefined || Object.is(value, field.fallback)) return;
  addScalar(builder, field.scalar, scalarValue(table, field, value));
  builder.slot(field.slot);
}

function scalarValue(table: Table, field: FieldOf<'scalar' | 'scalars'>, value: unknown): number | bigint {
  if (!field.enumeration) return typeof value === 'bigint' ? value : Number(value);
  const number = field.enumeration.values.get(value as string);
  if (number === undefined) {
    const message = `${JSON.stringify(value)} is not a ${field.enumeration.name}`;
    throw new ModelError('bad-enum', message, { path: `${table.name}.${field.name}` });
  }
  return number;
}

function addScalar(builder: Builder, scalar: Scalar, value: number | bigint): void {
  if (scalar === 'float') builder.addFloat32(Number(value));
  else if (scalar === 'long' || scalar === 'ulong') builder.addInt64(BigInt(value));
  else if (scalars[scalar].bytes === 4) builder.addInt32(Number(value));
  else if (scalars[scalar].bytes === 2) builder.addInt16(Number(value));
  else builder.addInt8(Number(value));
}
