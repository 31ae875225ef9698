import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ops } from '../../../delegate/ops/index.js';
import { corpusCases, failuresOf, inferenceFailuresOf, runsOnly, usesOnly } from '../support/corpus.js';

const all = [...ops.values()];
const plain = usesOnly('float32', 'int32', 'int64', 'bool', 'string');
const ARITHMETIC = [
  'ABS CEIL COS ELU EXP FLOOR GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC NEG PRELU RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1',
  'ROUND RSQRT SIGN SIN SQRT SQUARE TANH ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE POW FLOOR_DIV FLOOR_MOD',
  'ATAN2 ADD_N EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL LOGICAL_AND LOGICAL_OR LOGICAL_NOT CUMSUM RANGE',
];
/** Ops that move or convert: quantised values are only carried, or are what the op is about. */
const ANY_TYPE = [
  'CAST DEQUANTIZE QUANTIZE SELECT SELECT_V2 SHAPE RANK RESHAPE SQUEEZE EXPAND_DIMS PACK UNPACK SPLIT SPLIT_V SLICE',
  'STRIDED_SLICE PAD PADV2 MIRROR_PAD TRANSPOSE TILE BROADCAST_TO BROADCAST_ARGS GATHER GATHER_ND SPACE_TO_DEPTH',
  'DEPTH_TO_SPACE SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND REVERSE_V2 FILL ZEROS_LIKE ONE_HOT WHERE EMBEDDING_LOOKUP',
];
const words = (lines: readonly string[]) => lines.flatMap((line) => line.split(' '));

for (const type of words(ARITHMETIC)) {
  describe(type, () => {
    const cases = corpusCases(type);

    it('gives what TFLite gives in every case of the corpus that is not quantised', () => {
      assert.deepEqual(failuresOf(all, cases.filter(plain)), []);
    });

    it('infers the declared shapes for every type', () => {
      assert.deepEqual(inferenceFailuresOf(all, cases), []);
    });
  });
}

for (const type of words(ANY_TYPE)) {
  describe(type, () => {
    const cases = corpusCases(type, runsOnly(type));

    it('gives what TFLite gives for every type in the corpus', () => {
      assert.deepEqual(failuresOf(all, cases), []);
    });

    it('infers the declared shapes for every type', () => {
      assert.deepEqual(inferenceFailuresOf(all, cases), []);
    });
  });
}

describe('CONCATENATION and DENSIFY', () => {
  it('give what TFLite gives in every case that is not quantised', () => {
    for (const type of ['CONCATENATION', 'DENSIFY'])
      assert.deepEqual(failuresOf(all, corpusCases(type).filter(plain)), []);
  });
});
