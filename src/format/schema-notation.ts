/** The scalar types of FlatBuffers. */
export type Scalar = 'bool' | 'byte' | 'ubyte' | 'short' | 'ushort' | 'int' | 'uint' | 'long' | 'ulong' | 'float';

/** An enum or the members of a union: the value of a name is its position. */
export interface Enumeration {
  readonly name: string;
  readonly base: Scalar;
  readonly names: readonly string[];
  readonly values: ReadonlyMap<string, number>;
}

/** What a field holds. A union's value lies at `slot`, its type at `slot - 1`. */
export type FieldType =
  | { readonly kind: 'scalar'; readonly scalar: Scalar; readonly enumeration?: Enumeration }
  | { readonly kind: 'string' }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'union'; readonly members: Enumeration; readonly typeName: string };

/** One field of a table; `fallback` is the schema's default for scalars (enums by name). */
export type Field = FieldType & {
  readonly name: string;
  readonly slot: number;
  readonly vector: boolean;
  readonly fallback: number | boolean | string;
};

/** A table of the schema. */
export interface Table {
  readonly name: string;
  readonly fields: Field[];
}

/** The schema, ready for lookup by name. */
export interface Schema {
  readonly enums: ReadonlyMap<string, Enumeration>;
  readonly unions: ReadonlyMap<string, Enumeration>;
  readonly tables: ReadonlyMap<string, Table>;
}

/** Reads the notation of `schema.ts`: entries start a line, continuation lines are indented. */
export function parseSchema(enumText: string, unionText: string, tableText: string): Schema {
  const enums = new Map<string, Enumeration>();
  for (const [head, ...names] of entries(enumText)) {
    const [name, base] = head!.split(':');
    enums.set(name!, enumeration(name!, base as Scalar, names));
  }
  const unions = new Map<string, Enumeration>();
  for (const [name, ...members] of entries(unionText)) {
    unions.set(name!, enumeration(name!, 'ubyte', ['NONE', ...members]));
  }
  const tables = new Map<string, Table>();
  const rows = entries(tableText);
  for (const [name] of rows) tables.set(name!, { name: name!, fields: [] });
  for (const { names } of unions.values()) {
    for (const name of names) if (!tables.has(name)) tables.set(name, { name, fields: [] });
  }
  const schema = { enums, unions, tables };
  for (const [name, ...fields] of rows) {
    let slot = 0;
    for (const text of fields) {
      const field = parseField(text, slot, schema);
      tables.get(name!)!.fields.push(field);
      slot = field.slot + 1;
    }
  }
  return schema;
}

function entries(text: string): string[][] {
  const joined = text.trim().replace(/\n +/g, ' ');
  return joined.split('\n').map((line) => line.split(' '));
}

function enumeration(name: string, base: Scalar, names: readonly string[]): Enumeration {
  return { name, base, names, values: new Map(names.map((n, value) => [n, value])) };
}

function parseField(text: string, slot: number, schema: Schema): Field {
  const [, name, open, typeName, given] = /^(\w+):(\[?)(\w+)\]?(?:=(.+))?$/.exec(text)!;
  const type = fieldType(name!, typeName!, schema);
  const field = { ...type, name: name!, slot, vector: open === '[' };
  switch (type.kind) {
    case 'union':
      return { ...field, slot: slot + 1, fallback: 0 };
    case 'scalar':
      if (type.enumeration) return { ...field, fallback: given ?? type.enumeration.names[0]! };
      if (type.scalar === 'bool') return { ...field, fallback: given === 'true' };
      return { ...field, fallback: Number(given ?? 0) };
    default:
      return { ...field, fallback: 0 };
  }
}

function fieldType(fieldName: string, typeName: string, { enums, unions, tables }: Schema): FieldType {
  const enumeration = enums.get(typeName);
  if (enumeration) return { kind: 'scalar', scalar: enumeration.base, enumeration };
  const members = unions.get(typeName);
  if (members) return { kind: 'union', members, typeName: `${fieldName}Type` };
  const table = tables.get(typeName);
  if (table) return { kind: 'table', table };
  return typeName === 'string' ? { kind: 'string' } : { kind: 'scalar', scalar: typeName as Scalar };
}
