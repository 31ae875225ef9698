import { listOf, type Model, type OperatorCode, type SubGraph } from '../format/model.js';
import { effectiveName } from '../format/operator-name.js';
import { builtinOperators } from '../format/operators.js';
import { BufferTable } from './buffer-table.js';

/** Operator codes beyond this are in a second field; the first then says so. */
const LAST_OLD_CODE = 127;

/** The code of a builtin operator, at its first version. */
export function operatorCode(builtinCode: string): OperatorCode {
  const deprecatedBuiltinCode = Math.min(builtinOperators.indexOf(builtinCode), LAST_OLD_CODE);
  return { deprecatedBuiltinCode, builtinCode, version: 1 };
}

/** A model under change: buffers and operator codes are added to its lists, so that indices stay what they are. */
export class ModelEditor {
  readonly #model: Model;
  readonly #buffers: BufferTable;
  readonly #codes: OperatorCode[];

  constructor(model: Model) {
    this.#model = model;
    this.#buffers = new BufferTable(model.buffers);
    this.#codes = [...listOf(model.operatorCodes)];
  }

  /** The index of a buffer with these bytes. */
  addBuffer(data: ArrayBufferView): number {
    return this.#buffers.add(data);
  }

  /** The index of a builtin operator's code, which is added where the model has none. */
  codeOf(name: string): number {
    const index = this.#codes.findIndex((code) => effectiveName(code) === name);
    return index >= 0 ? index : this.#codes.push(operatorCode(name)) - 1;
  }

  /** The model with these subgraphs, without what they use no more. */
  finish(subgraphs: readonly SubGraph[]): Model {
    const changed = { ...this.#model, subgraphs, buffers: this.#buffers.buffers, operatorCodes: this.#codes };
    return withoutUnusedCodes(withoutUnusedBuffers(changed));
  }
}

/** Buffer 0 is the empty one and stays. */
function withoutUnusedBuffers(model: Model): Model {
  const tensors = listOf(model.subgraphs).flatMap(({ tensors }) => listOf(tensors));
  const used = new Set([0, ...tensors.map((t) => t.buffer), ...listOf(model.metadata).map((m) => m.buffer)]);
  for (const index of listOf(model.metadataBuffer)) used.add(index);
  const kept = listOf(model.buffers).flatMap((_, i) => (used.has(i) ? [i] : []));
  const place = new Map(kept.map((index, i) => [index, i]));
  const moved = <T extends { readonly buffer: number }>(row: T): T => ({ ...row, buffer: place.get(row.buffer)! });
  return {
    ...model,
    buffers: kept.map((index) => model.buffers![index]!),
    subgraphs: listOf(model.subgraphs).map((s) => ({ ...s, tensors: listOf(s.tensors).map(moved) })),
    ...(model.metadata && { metadata: model.metadata.map(moved) }),
    ...(model.metadataBuffer && { metadataBuffer: model.metadataBuffer.map((index) => place.get(index)!) }),
  };
}

function withoutUnusedCodes(model: Model): Model {
  const operators = listOf(model.subgraphs).flatMap((s) => listOf(s.operators));
  const kept = [...new Set(operators.map(({ opcodeIndex }) => opcodeIndex))].sort((a, b) => a - b);
  const place = new Map(kept.map((index, i) => [index, i]));
  return {
    ...model,
    operatorCodes: kept.map((index) => model.operatorCodes![index]!),
    subgraphs: listOf(model.subgraphs).map((s) => ({
      ...s,
      operators: listOf(s.operators).map((o) => ({ ...o, opcodeIndex: place.get(o.opcodeIndex)! })),
    })),
  };
}
