import { ModelError } from '../../delegate/index.js';
import { fieldAt, follow, scalars, viewOf } from './flatbuffer.js';
import { defaultLimits, type Limits } from './limits.js';
import type { Model } from './model.js';
import { type Row, readTables } from './read-tables.js';
import { tableOf } from './schema.js';
import { verifySemantics } from './verify-semantics.js';

/**
 * Verifies a `.tflite` file and reads it. Weights are views of `bytes`, which must not change afterwards.
 * Throws ModelError with the place of what is wrong.
 */
export function readModel(bytes: Uint8Array, limits: Partial<Limits> = {}): Model {
  const effective = { ...defaultLimits, ...limits };
  const model = withOuterData(bytes, readTables(bytes, effective));
  verifySemantics(model, effective, (path) => offsetOf(bytes, path));
  return model;
}

/** Files above 2 GiB keep data behind the FlatBuffer, at an offset. */
function withOuterData(bytes: Uint8Array, model: Row): Model {
  const optionsOf = (path: string, { largeCustomOptionsOffset, largeCustomOptionsSize, ...operator }: Row): Row => {
    const outer = outerData(
      bytes,
      largeCustomOptionsOffset,
      largeCustomOptionsSize,
      `${path}.largeCustomOptionsOffset`,
    );
    return outer ? { ...operator, customOptions: outer } : operator;
  };
  const subgraphs = rowsOf(model.subgraphs)?.map((subgraph, s) => ({
    ...subgraph,
    operators: rowsOf(subgraph.operators)?.map((row, o) => optionsOf(`subgraphs[${s}].operators[${o}]`, row)),
  }));
  const buffers = rowsOf(model.buffers)?.map(({ data, offset, size }, b) => ({
    data: outerData(bytes, offset, size, `buffers[${b}].offset`) ?? data,
  }));
  return { ...model, subgraphs, buffers } as unknown as Model;
}

/** Offset and size 1 are a converter's placeholder for no data. */
function outerData(bytes: Uint8Array, offset: unknown, size: unknown, path: string): Uint8Array | undefined {
  if (Number(offset) <= 1 || Number(size) <= 1) return undefined;
  const length = bytes.byteLength;
  if (typeof offset === 'number' && typeof size === 'number' && size <= length && offset <= length - size)
    return bytes.subarray(offset, offset + size);
  const message = `${size} bytes at ${offset} of a file of ${length} bytes`;
  throw new ModelError('truncated', message, { path, offset: offsetOf(bytes, path) });
}

function rowsOf(list: unknown): readonly Row[] | undefined {
  return list as readonly Row[] | undefined;
}

/** The byte where a path such as `subgraphs[0].operators[1].inputs` leads, or that of its last part that exists. */
function offsetOf(bytes: Uint8Array, path: string): number {
  const view = viewOf(bytes);
  let table = tableOf('Model');
  let at = follow(view, 0);
  for (const [, name, index = '0'] of path.matchAll(/(\w+)(?:\[(\d+)\])?/g)) {
    const field = table.fields.find((f) => f.name === name);
    let place = field && fieldAt(view, at, field.slot);
    if (!field || !place) return at;
    if (field.kind === 'tables' || field.kind === 'scalars') {
      const vector = follow(view, place);
      if (Number(index) >= view.getUint32(vector, true)) return vector;
      place = vector + 4 + Number(index) * (field.kind === 'scalars' ? scalars[field.scalar].bytes : 4);
    }
    if (field.kind === 'scalar' || field.kind === 'scalars' || field.kind === 'string') return place;
    table =
      field.kind === 'union'
        ? tableOf(field.members.names[view.getUint8(fieldAt(view, at, field.slot - 1))]!)
        : field.table;
    at = follow(view, place);
  }
  return at;
}
