// Changes of element type and selection on the GPU against their meaning.
import type { DType } from '../../delegate/ir/dtype.js';
import { type Case, difference } from './support/agree.js';

describe('CAST', () => {
  const values = [0, -0.5, 1.5, -1.5, 2.99, 255.7, 300, -7, 3e9, -3e9, Number.NaN, Number.POSITIVE_INFINITY, 1e-20];
  for (const to of ['int32', 'uint8', 'bool', 'float32'] as const) {
    it(`of float32 to ${to} truncates and saturates`, () => {
      expect(difference({ type: 'CAST', outputs: [to], inputs: [{ shape: [1, 3, 13], values }] })).toBeUndefined();
    });
  }
  for (const from of ['int32', 'uint8', 'bool'] as const) {
    it(`of ${from} to float32 keeps the number`, () => {
      const range: [number, number] = from === 'bool' ? [0, 2] : from === 'uint8' ? [0, 256] : [-1e6, 1e6];
      expect(
        difference({ type: 'CAST', abs: 0, rel: 0, inputs: [{ shape: [2, 3, 5, 6], dtype: from, range }] }),
      ).toBeUndefined();
    });
  }
});

describe('DEQUANTIZE', () => {
  for (const dtype of ['float16', 'int8', 'uint8', 'int16'] as const satisfies readonly DType[]) {
    it(`of ${dtype} gives real numbers`, () => {
      const quantization = { scales: [0.037], zeroPoints: [dtype === 'int16' ? 0 : 3], quantizedDimension: 0 };
      expect(
        difference({ type: 'DEQUANTIZE', inputs: [{ shape: [2, 3, 5, 6], dtype, range: [0, 100], quantization }] }),
      ).toBeUndefined();
    });
  }
});

describe('SELECT', () => {
  const select = (type: string, ...shapes: readonly (readonly number[])[]): Case => ({
    type,
    inputs: shapes.map((shape, i) => (i === 0 ? { shape, dtype: 'bool', range: [0, 2] } : { shape })),
  });
  it('takes each element from one of two', () => {
    expect(difference(select('SELECT', [2, 3, 5], [2, 3, 5], [2, 3, 5]))).toBeUndefined();
  });
  it('takes rows by a condition of rank 1', () => {
    for (const shape of [
      [6, 5],
      [6, 3, 5],
      [6, 2, 3, 4],
      [6, 2, 2, 2, 3],
    ])
      expect(difference(select('SELECT', [6], shape, shape))).toBeUndefined();
  });
  it('broadcasts in SELECT_V2', () => {
    expect(difference(select('SELECT_V2', [5, 1], [1, 6], [5, 6]))).toBeUndefined();
    expect(difference(select('SELECT_V2', [2, 1, 5, 1], [2, 3, 5, 6], [1]))).toBeUndefined();
    expect(difference(select('SELECT_V2', [3, 1, 2], [2, 3, 5, 2], [5, 2]))).toBeUndefined();
  });
});
