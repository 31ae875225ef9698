import type { Scalar } from './flatbuffer.js';

/** An enum or the members of a union: the value of a name is its position. */
export interface Enumeration {
  readonly name: string;
  readonly base: Scalar;
  readonly names: readonly string[];
  readonly values: ReadonlyMap<string, number>;
}

interface Element {
  readonly scalar: Scalar;
  readonly enumeration?: Enumeration;
}

/** What a field holds: a value in the table itself, or the offset of a string, a table or a vector. */
export type FieldType =
  | ({ readonly kind: 'scalar' } & Element)
  | ({ readonly kind: 'scalars' } & Element)
  | { readonly kind: 'string' }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'tables'; readonly table: Table }
  | { readonly kind: 'union'; readonly members: Enumeration; readonly typeName: string };

/** One field of a table. A union's value lies at `slot`, its type at `slot - 1`. */
export type Field = FieldType & {
  readonly name: string;
  readonly slot: number;
  /** The schema's default: enums by name; `undefined` for what is not a scalar. */
  readonly fallback: number | boolean | string | undefined;
};

/** A field of one of these kinds. */
export type FieldOf<Kind extends Field['kind']> = Extract<Field, { readonly kind: Kind }>;

/** A table of the schema. */
export interface Table {
  readonly name: string;
  readonly fields: Field[];
}

/** The schema, ready for lookup by name. */
export interface Schema {
  readonly enums: Map<string, Enumeration>;
  readonly unions: Map<string, Enumeration>;
  readonly tables: Map<string, Table>;
}

/** The first slot of a field; a union's type comes before its value. */
export function firstSlot(field: Field): number {
  return field.kind === 'union' ? field.slot - 1 : field.slot;
}

/** Reads the notation of `schema.ts`. */
export function parseSchema(
  enumText: string,
  tableText: string,
  unionTexts: Readonly<Record<string, string>>,
  operators: readonly string[],
): Schema {
  const enums = new Map([['BuiltinOperator', enumeration('BuiltinOperator', 'int', operators)]]);
  for (const [head, ...names] of entriesOf(enumText)) {
    const [name, base] = head!.split(':') as [string, Scalar];
    enums.set(name, enumeration(name, base, names));
  }
  const unions = new Map<string, Enumeration>();
  const rows = [['NONE'], ...entriesOf(tableText)];
  for (const [name, text] of Object.entries(unionTexts)) {
    const members = entriesOf(text).map(([member, ...fields]) => [tableName(member!), ...fields]);
    unions.set(name, enumeration(name, 'ubyte', ['NONE', ...members.map(([member]) => member!)]));
    rows.push(...members);
  }
  const tables = new Map(rows.map(([name]): [string, Table] => [name!, { name: name!, fields: [] }]));
  const schema = { enums, unions, tables };
  for (const [name, ...texts] of rows) {
    const { fields } = tables.get(name!)!;
    for (const text of texts) fields.push(parseField(text, (fields.at(-1)?.slot ?? -1) + 1, schema));
  }
  return schema;
}

/** The options table of an operator: `Conv2DOptions` for `CONV_2D`. Other names stand for themselves. */
export function tableName(name: string): string {
  if (/[a-z]/.test(name)) return name;
  const words = name.split('_').map((word) => (/^\d/.test(word) ? word : word[0] + word.slice(1).toLowerCase()));
  return `${words.join('')}Options`;
}

function parseField(text: string, slot: number, { enums, unions, tables }: Schema): Field {
  const [, name, open, typeName, given = 0] = /^(\w+):(\[?)(\w+)\]?(?:=(.+))?$/.exec(text) as unknown as string[];
  const field = { name: name!, slot, fallback: undefined };
  const members = unions.get(typeName!);
  if (members) return { ...field, kind: 'union', members, typeName: `${name}Type`, slot: slot + 1 };
  const table = tables.get(typeName!);
  if (table) return { ...field, kind: open ? 'tables' : 'table', table };
  if (typeName === 'string') return { ...field, kind: 'string' };
  const enumeration = enums.get(typeName!);
  const scalar = enumeration?.base ?? (typeName as Scalar);
  const type = { scalar, ...(enumeration && { enumeration }) };
  if (open) return { ...field, ...type, kind: 'scalars' };
  const number = scalar === 'bool' ? given === 'true' : Number(given);
  return { ...field, ...type, kind: 'scalar', fallback: enumeration ? given || enumeration.names[0] : number };
}

/** The words of a text's entries: one starts a line, its continuation lines are indented. */
function entriesOf(text: string): string[][] {
  const joined = text.trim().replace(/\n +/g, ' ');
  return joined.split('\n').map((line) => line.split(' '));
}

function enumeration(name: string, base: Scalar, names: readonly string[]): Enumeration {
  return { name, base, names, values: new Map(names.map((n, value) => [n, value])) };
}
