import type { Model, Operator, Tensor } from '../../../src/format/model.js';

/** A float32 tensor with the fields that differ given. */
export function tensor(fields: Partial<Tensor> = {}): Tensor {
  return { type: 'FLOAT32', buffer: 0, isVariable: false, hasRank: false, externalBuffer: 0, ...fields };
}

/** An operator with the fields that differ given. */
export function operator(fields: Partial<Operator> = {}): Operator {
  return {
    opcodeIndex: 0,
    builtinOptionsType: 'NONE',
    customOptionsFormat: 'FLEXBUFFERS',
    builtinOptions2Type: 'NONE',
    debugMetadataIndex: -1,
    ...fields,
  };
}

/** A convolution with float16 weights, a RESHAPE, and a custom operator with FlexBuffer options `{"a": 7}`. */
export function sampleModel(): Model {
  const float16 = new Uint8Array(new Uint16Array([0x3c00, 0x4000, 0xc000, 0x3800]).buffer);
  const conv = {
    padding: 'SAME',
    strideW: 1,
    strideH: 1,
    fusedActivationFunction: 'RELU',
    dilationWFactor: 1,
    dilationHFactor: 1,
    quantizedBiasType: 'FLOAT32',
  };
  return {
    version: 3,
    description: 'sample',
    operatorCodes: [
      { deprecatedBuiltinCode: 6, version: 1, builtinCode: 'DEQUANTIZE' },
      { deprecatedBuiltinCode: 3, version: 1, builtinCode: 'CONV_2D' },
      { deprecatedBuiltinCode: 22, version: 1, builtinCode: 'RESHAPE' },
      { deprecatedBuiltinCode: 32, customCode: 'Twice', version: 1, builtinCode: 'CUSTOM' },
    ],
    buffers: [{}, { data: float16 }, { data: new Uint8Array(new Int32Array([1, -1]).buffer) }],
    subgraphs: [
      {
        name: 'main',
        debugMetadataIndex: -1,
        tensors: [
          tensor({ shape: [1, 2, 2, 1], shapeSignature: [-1, 2, 2, 1], name: 'image' }),
          tensor({ shape: [1, 2, 2, 1], type: 'FLOAT16', buffer: 1, name: 'weights16' }),
          tensor({ shape: [1, 2, 2, 1], name: 'weights' }),
          tensor({ shape: [1, 2, 2, 1], name: 'features' }),
          tensor({ shape: [2], type: 'INT32', buffer: 2, name: 'shape' }),
          tensor({ shape: [1, 4], name: 'flat' }),
          tensor({ shape: [1, 4], name: 'out' }),
        ],
        inputs: [0],
        outputs: [6],
        operators: [
          operator({ opcodeIndex: 0, inputs: [1], outputs: [2] }),
          operator({
            opcodeIndex: 1,
            inputs: [0, 2, -1],
            outputs: [3],
            builtinOptionsType: 'Conv2DOptions',
            builtinOptions: conv,
          }),
          operator({ opcodeIndex: 2, inputs: [3, 4], outputs: [5] }),
          operator({
            opcodeIndex: 3,
            inputs: [5],
            outputs: [6],
            customOptions: Uint8Array.from([0x61, 0, 1, 3, 1, 1, 1, 7, 4, 2, 0x24, 1]),
          }),
        ],
      },
    ],
    signatureDefs: [
      {
        inputs: [{ name: 'x', tensorIndex: 0 }],
        outputs: [{ name: 'y', tensorIndex: 6 }],
        signatureKey: 'serving_default',
        subgraphIndex: 0,
      },
    ],
  };
}
