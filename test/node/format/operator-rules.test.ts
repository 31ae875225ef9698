import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Model, Options, SubGraph, Tensor } from '../../../src/format/model.js';
import { readModel } from '../../../src/format/read.js';
import { enums, optionsTableOf } from '../../../src/format/schema.js';
import { writeModel } from '../../../src/format/write.js';
import { operator, tensor } from './sample.js';

/** An operand: a shape for an activation, numbers for a constant int32 vector. */
type Operand = { readonly shape: readonly number[] } | { readonly constant: readonly number[] };

/** A model of one operator with one output. */
function single(type: string, operands: readonly Operand[], options?: Options, outputs = 1): Model {
  const data = operands.flatMap((operand) =>
    'constant' in operand ? [Uint8Array.from(new Uint8Array(Int32Array.from(operand.constant).buffer))] : [],
  );
  let buffer = 0;
  const tensors: Tensor[] = operands.map((operand) =>
    'constant' in operand
      ? tensor({ shape: [operand.constant.length], type: 'INT32', buffer: ++buffer })
      : tensor({ shape: operand.shape }),
  );
  const results = Array.from({ length: outputs }, (_, i) => operands.length + i);
  const inputs = operands.map((_, i) => i);
  return {
    version: 3,
    operatorCodes: [code(type)],
    buffers: [{}, ...data.map((bytes) => ({ data: bytes }))],
    subgraphs: [
      {
        tensors: [...tensors, ...results.map(() => tensor({ shape: [1] }))],
        inputs: inputs.filter((i) => 'shape' in operands[i]!),
        outputs: results,
        operators: [operator({ inputs, outputs: results, ...withOptions(type, options) })],
        debugMetadataIndex: -1,
      },
    ],
  };
}

function code(type: string) {
  const value = enums.get('BuiltinOperator')!.values.get(type)!;
  return { deprecatedBuiltinCode: Math.min(value, 127), version: 1, builtinCode: type };
}

function withOptions(type: string, builtinOptions: Options | undefined) {
  return builtinOptions ? { builtinOptionsType: optionsTableOf(type)!.name, builtinOptions } : {};
}

function refused(model: Model, message: RegExp): void {
  assert.throws(() => readModel(writeModel(model)), message);
}

const image = { shape: [1, 4, 4, 2] };
const matrix = { shape: [2, 3] };

describe('rules for operators', () => {
  it('wants windows to move and to cover something', () => {
    const pool = { padding: 'SAME', strideW: 1, strideH: 1, filterWidth: 2, filterHeight: 2 };
    readModel(writeModel(single('MAX_POOL_2D', [image], pool)));
    refused(single('MAX_POOL_2D', [image], { ...pool, strideW: 0 }), /strideW 0; accepted: 1 and more/);
    refused(single('MAX_POOL_2D', [image], { ...pool, filterHeight: -3 }), /filterHeight -3/);
    refused(
      single('MAX_POOL_2D', [image], { ...pool, padding: 'VALID', filterWidth: 5 }),
      /a window of 2x5 on an image of 4x4/,
    );
  });

  it('wants axes in range', () => {
    readModel(writeModel(single('SUM', [matrix, { constant: [-2] }])));
    refused(single('SUM', [matrix, { constant: [2] }]), /axis 2 for rank 2; accepted: -2 to 1/);
    refused(single('CONCATENATION', [matrix, matrix], { axis: -3 }), /axis -3 for rank 2/);
    readModel(writeModel(single('PACK', [matrix, matrix], { valuesCount: 2, axis: 2 })));
    refused(single('PACK', [matrix, matrix], { valuesCount: 2, axis: 3 }), /axis 3 for rank 3/);
  });

  it('wants a permutation of all dimensions', () => {
    refused(single('TRANSPOSE', [matrix, { constant: [0, 0] }]), /\[0,0\] is no permutation of 2 dimensions/);
    refused(single('TRANSPOSE', [matrix, { constant: [0] }]), /\[0\] is no permutation/);
  });

  it('wants slices inside the tensor', () => {
    readModel(writeModel(single('SLICE', [matrix, { constant: [1, 0] }, { constant: [1, -1] }])));
    refused(
      single('SLICE', [matrix, { constant: [1, 1] }, { constant: [2, 1] }]),
      /size 2 of dimension 0; accepted: -1 to 1/,
    );
    refused(single('SLICE', [matrix, { constant: [-1, 0] }, { constant: [1, 1] }]), /begin -1 of dimension 0/);
  });

  it('wants constant indices in range', () => {
    refused(single('GATHER', [matrix, { constant: [2] }], { axis: 0, batchDims: 0 }), /index 2 of a dimension of 2/);
    refused(single('GATHER', [matrix, { constant: [-1] }], { axis: 0, batchDims: 0 }), /index -1 of a dimension of 2/);
  });

  it('wants as many outputs as the options say', () => {
    refused(single('SPLIT', [{ constant: [0] }, matrix], { numSplits: 3 }, 2), /numSplits 3 with 2 outputs/);
  });

  it('wants the inputs that the operator cannot do without', () => {
    refused(single('ADD', [matrix]), /"ADD" with 1 inputs; it takes at least 2/);
  });

  it('wants the options of the operator itself', () => {
    const model = single('RELU', [matrix]);
    const main = model.subgraphs![0]!;
    const operators = [operator({ ...main.operators![0]!, builtinOptionsType: 'ReshapeOptions', builtinOptions: {} })];
    refused({ ...model, subgraphs: [{ ...main, operators }] }, /RELU with ReshapeOptions; accepted: none/);
  });
});

describe('subgraphs that run each other', () => {
  /** Subgraph `i` runs `targets[i]` in both branches of an IF; −1: it runs nothing. */
  function calling(targets: readonly number[]): Model {
    const subgraphs = targets.map((target): SubGraph => {
      const branch = {
        builtinOptionsType: 'IfOptions',
        builtinOptions: { thenSubgraphIndex: target, elseSubgraphIndex: target },
      };
      const run = operator({ inputs: [0, 0], outputs: [1], ...branch });
      const condition = tensor({ type: 'BOOL', shape: [] });
      return {
        tensors: [condition, condition],
        inputs: [0],
        outputs: [target < 0 ? 0 : 1],
        operators: target < 0 ? [] : [run],
        debugMetadataIndex: -1,
      };
    });
    return { version: 3, operatorCodes: [code('IF')], buffers: [{}], subgraphs };
  }

  it('may form a chain', () => {
    readModel(writeModel(calling([1, 2, -1])));
  });

  it('may not form a ring', () => {
    refused(calling([0]), /subgraph 0 runs subgraph 0, which runs it again/);
    refused(calling([1, 2, 1]), /which runs it again/);
  });

  it('may not be more than 16 deep', () => {
    refused(calling(Array.from({ length: 3000 }, (_, i) => (i < 2999 ? i + 1 : -1))), /more than 16 deep/);
  });

  it('must exist', () => {
    refused(calling([7]), /thenSubgraphIndex: subgraph 7, but there are 1 subgraphs/);
  });
});
