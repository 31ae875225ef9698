import { type Graph, type Value, valuesOf } from '../../delegate/index.js';
import type { Buffer, Model, Operator, Options, Tensor } from '../format/model.js';
import { optionsTableOf, unions } from '../format/schema.js';
import { BufferTable } from './buffer-table.js';
import { operatorCode } from './model-editor.js';

/** The name that TFLite's own converter gives its one signature. */
const SIGNATURE = 'serving_default';

/** Names of the signature's inputs and outputs, in the order of the graph's. */
export interface Names {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/** A graph of builtin operators as a model with one subgraph and one signature. Equal constants are stored once. */
export function toModel(graph: Graph, { inputNames, outputNames }: Names): Model {
  const table = new TensorTable(new Map(graph.outputs.map((value, i) => [value, outputNames[i]!])));
  for (const value of valuesOf(graph)) table.add(value);
  const types = [...new Set(graph.nodes.map(({ type }) => type))];
  const operators = graph.nodes.map(
    ({ type, attrs, inputs, outputs }): Operator => ({
      opcodeIndex: types.indexOf(type),
      inputs: inputs.map((value) => (value ? table.indexOf(value) : -1)),
      outputs: outputs.map((value) => table.indexOf(value)),
      ...optionsOf(type, attrs as Options),
      customOptionsFormat: 'FLEXBUFFERS',
      debugMetadataIndex: -1,
    }),
  );
  const [inputs, outputs] = [graph.inputs, graph.outputs].map((values) => values.map((v) => table.indexOf(v)));
  const maps = (indices: readonly number[], names: readonly string[]) =>
    indices.map((tensorIndex, i) => ({ name: names[i]!, tensorIndex }));
  return {
    version: 3,
    operatorCodes: types.map(operatorCode),
    subgraphs: [
      {
        name: graph.name,
        tensors: table.tensors,
        inputs: inputs!,
        outputs: outputs!,
        operators,
        debugMetadataIndex: -1,
      },
    ],
    buffers: table.buffers,
    signatureDefs: [
      {
        signatureKey: SIGNATURE,
        subgraphIndex: 0,
        inputs: maps(inputs!, inputNames),
        outputs: maps(outputs!, outputNames),
      },
    ],
  };
}

function optionsOf(type: string, attrs: Options) {
  const table = optionsTableOf(type)?.name;
  const isSecond = table !== undefined && unions.get('BuiltinOptions2')!.values.has(table);
  return {
    builtinOptionsType: table && !isSecond ? table : 'NONE',
    builtinOptions2Type: table && isSecond ? table : 'NONE',
    ...(table && (isSecond ? { builtinOptions2: attrs } : { builtinOptions: attrs })),
  };
}

/** The tensors of a subgraph and their buffers. */
class TensorTable {
  readonly tensors: Tensor[] = [];
  readonly #buffers = new BufferTable();
  readonly #indices = new Map<Value, number>();
  /** Constants by type, shape and buffer. */
  readonly #constants = new Map<string, number>();
  readonly #names = new Map<string, number>();
  readonly #given: ReadonlyMap<Value, string>;

  constructor(given: ReadonlyMap<Value, string>) {
    this.#given = given;
  }

  get buffers(): readonly Buffer[] {
    return this.#buffers.buffers;
  }

  indexOf(value: Value): number {
    return this.#indices.get(value)!;
  }

  add(value: Value): void {
    const buffer = value.data ? this.#buffers.add(value.data as Float32Array) : 0;
    const key = `${value.dtype} [${value.shape}] ${buffer}`;
    const known = value.data && !this.#given.has(value) ? this.#constants.get(key) : undefined;
    this.#indices.set(value, known ?? this.tensors.length);
    if (known !== undefined) return;
    if (value.data) this.#constants.set(key, this.tensors.length);
    this.tensors.push({
      name: this.#unique(this.#given.get(value) ?? value.name),
      shape: value.shape,
      ...(value.shapeSignature && { shapeSignature: value.shapeSignature }),
      type: value.dtype.toUpperCase(),
      buffer,
      isVariable: false,
      hasRank: true,
      externalBuffer: 0,
    });
  }

  #unique(name: string): string {
    const count = this.#names.get(name) ?? 0;
    this.#names.set(name, count + 1);
    return count ? this.#unique(`${name}_${count}`) : name;
  }
}
