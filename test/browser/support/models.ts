// Small models, written by the project's own writer.
import type { Model, Operator, SignatureDef, SubGraph, Tensor } from '../../../src/format/model.js';
import { writeModel } from '../../../src/format/write.js';

/** A tensor; its sizes of −1 are 1 until resized. */
export function tensor(name: string, shape: readonly number[], type = 'FLOAT32'): Tensor {
  return {
    name,
    shape: shape.map((size) => Math.abs(size)),
    ...(shape.includes(-1) && { shapeSignature: shape }),
    type,
    buffer: 0,
    isVariable: false,
    hasRank: true,
    externalBuffer: 0,
  };
}

/** Built-in ops without options; all other names are custom ops. */
const BUILTINS = new Map([
  ['ADD', 0],
  ['RELU', 19],
  ['NEG', 59],
  ['ABS', 101],
]);

/** An operator: its op, then tensor indices. */
export type OpRow = readonly [op: string, inputs: readonly number[], outputs: readonly number[]];

/** One subgraph of a model. */
export interface GraphRow {
  readonly tensors: readonly Tensor[];
  readonly ops: readonly OpRow[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** The bytes of a `.tflite` file. */
export function modelBytes(graphs: readonly GraphRow[], signatureDefs: readonly SignatureDef[] = []): Uint8Array {
  const names = [...new Set(graphs.flatMap(({ ops }) => ops.map(([op]) => op)))];
  const model: Model = {
    version: 3,
    operatorCodes: names.map((name) => {
      const code = BUILTINS.get(name);
      return code === undefined
        ? { deprecatedBuiltinCode: 32, builtinCode: 'CUSTOM', customCode: name, version: 1 }
        : { deprecatedBuiltinCode: code, builtinCode: name, version: 1 };
    }),
    buffers: [{}],
    subgraphs: graphs.map(
      ({ tensors, ops, inputs, outputs }): SubGraph => ({
        tensors,
        inputs,
        outputs,
        operators: ops.map(([op, from, to]) => operator(names.indexOf(op), from, to)),
        debugMetadataIndex: -1,
      }),
    ),
    ...(signatureDefs.length > 0 && { signatureDefs }),
  };
  return writeModel(model);
}

function operator(opcodeIndex: number, inputs: readonly number[], outputs: readonly number[]): Operator {
  return {
    opcodeIndex,
    inputs,
    outputs,
    builtinOptionsType: 'NONE',
    builtinOptions2Type: 'NONE',
    customOptionsFormat: 'FLEXBUFFERS',
    debugMetadataIndex: -1,
  };
}
