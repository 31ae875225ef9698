import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { builtinOperators } from '../../../src/format/operators.js';
import { enums, optionsTableOf, tableOf, tables, unions } from '../../../src/format/schema.js';
import type { Field, Table } from '../../../src/format/schema-notation.js';
import { missingShared, shared } from './corpus.js';

interface ReferenceField {
  readonly name: string;
  readonly slot: number;
  readonly type: string;
  readonly default?: string;
}

interface Reference {
  readonly enums: Record<string, { base: string; values: Record<string, number> }>;
  readonly unions: Record<string, Record<string, number>>;
  readonly tables: Record<string, readonly ReferenceField[]>;
}

const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());

function typeText(field: Field): string {
  if (field.kind === 'union') return field.members.name;
  if (field.kind === 'string') return 'string';
  const element = 'table' in field ? field.table.name : (field.enumeration?.name ?? field.scalar);
  return field.kind === 'scalars' || field.kind === 'tables' ? `[${element}]` : element;
}

function flat(table: Table): unknown[] {
  return table.fields.flatMap((field) => {
    const row = {
      name: field.name,
      slot: field.slot,
      type: typeText(field),
      fallback: field.kind === 'scalars' || field.kind === 'tables' ? '' : String(field.fallback ?? 0),
    };
    return field.kind === 'union'
      ? [{ name: field.typeName, slot: field.slot - 1, type: 'ubyte', fallback: '0' }, row]
      : [row];
  });
}

describe('the schema table', () => {
  it('equals the published schema: names, slots, types, defaults', { skip: missingShared() }, () => {
    const reference = JSON.parse(readFileSync(shared('reference/tflite_schema.json'), 'utf8')) as Reference;
    for (const [name, { values }] of Object.entries(reference.enums)) {
      assert.deepEqual(Object.fromEntries(enums.get(name)!.values), values, name);
    }
    for (const [name, values] of Object.entries(reference.unions)) {
      assert.deepEqual(Object.fromEntries(unions.get(name)!.values), values, name);
    }
    for (const [name, fields] of Object.entries(reference.tables)) {
      const expected = fields.map((field) => {
        const zero =
          field.type === 'bool' ? 'false' : (Object.keys(reference.enums[field.type]?.values ?? {})[0] ?? '0');
        const fallback = field.type.startsWith('[') ? '' : (field.default ?? zero);
        return { name: camel(field.name), slot: field.slot, type: field.type.replace('int32', 'int'), fallback };
      });
      assert.deepEqual(flat(tableOf(name)), expected, name);
    }
    assert.equal(tables.size, Object.keys(reference.tables).length + 1, 'the tables and NONE');
  });

  it('has no table that contains itself, so that reading is as deep as the schema', () => {
    const depth = (table: Table, above: readonly Table[]): number => {
      assert.ok(!above.includes(table), `${table.name} contains itself`);
      const below = table.fields.flatMap((field) => {
        if ('table' in field) return [field.table];
        return field.kind === 'union' ? field.members.names.slice(1).map(tableOf) : [];
      });
      return 1 + Math.max(0, ...below.map((t) => depth(t, [...above, table])));
    };
    assert.equal(depth(tableOf('Model'), []), 6);
  });

  it('finds the options of operators that share a table', () => {
    assert.equal(optionsTableOf('CONV_2D')!.name, 'Conv2DOptions');
    assert.equal(optionsTableOf('MAX_POOL_2D')!.name, 'Pool2DOptions');
    assert.equal(optionsTableOf('SPLIT_V')!.name, 'SplitVOptions');
    assert.equal(optionsTableOf('STABLEHLO_COMPOSITE')!.name, 'StableHLOCompositeOptions');
    assert.equal(optionsTableOf('RELU'), undefined);
    assert.equal(builtinOperators.length, 210);
  });
});
