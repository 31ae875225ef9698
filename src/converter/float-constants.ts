import { constantBytes } from '../format/check.js';
import { listOf, type Model, type Operator, type SubGraph, type Tensor } from '../format/model.js';
import { tensorData } from '../format/tensor-data.js';
import type { ModelEditor } from './model-editor.js';

/** Where an operator reads a tensor. */
export interface Use {
  readonly operator: Operator;
  readonly input: number;
}

/** A constant of float32 that operators read. */
export interface FloatConstant {
  /** Its index in the subgraph. */
  readonly index: number;
  readonly tensor: Tensor;
  readonly data: Float32Array;
  readonly uses: readonly Use[];
}

/** The float32 constants of a subgraph that operators read, in the tensors' order; not those that it gives away. */
export function floatConstants(model: Model, { tensors, operators, outputs }: SubGraph): FloatConstant[] {
  const uses = new Map<number, Use[]>();
  for (const operator of listOf(operators))
    for (const [input, index] of listOf(operator.inputs).entries())
      uses.set(index, [...(uses.get(index) ?? []), { operator, input }]);
  const given = new Set(listOf(outputs));
  return listOf(tensors).flatMap((tensor, index) => {
    const read = uses.get(index);
    const isCandidate =
      tensor.type === 'FLOAT32' && read && !given.has(index) && !tensor.isVariable && !tensor.sparsity;
    const bytes = isCandidate ? constantBytes(model, tensor) : undefined;
    if (!read || !bytes?.length) return [];
    return [{ index, tensor, data: tensorData(tensor, bytes) as Float32Array, uses: read }];
  });
}

/** A tensor that an operator makes, of the same shape as another. */
export function activationLike({ shape, shapeSignature, name = '' }: Tensor, type: string, suffix: string): Tensor {
  return {
    name: name + suffix,
    ...(shape && { shape }),
    ...(shapeSignature && { shapeSignature }),
    type,
    buffer: 0,
    isVariable: false,
    hasRank: true,
    externalBuffer: 0,
  };
}

/** Makes one tensor of another, the same numbers in another form. */
export function conversion(editor: ModelEditor, name: 'DEQUANTIZE' | 'QUANTIZE', from: number, to: number): Operator {
  return {
    opcodeIndex: editor.codeOf(name),
    inputs: [from],
    outputs: [to],
    builtinOptionsType: name === 'QUANTIZE' ? 'QuantizeOptions' : 'DequantizeOptions',
    builtinOptions: {},
    builtinOptions2Type: 'NONE',
    customOptionsFormat: 'FLEXBUFFERS',
    debugMetadataIndex: -1,
  };
}
