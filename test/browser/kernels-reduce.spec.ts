// Reductions and ops along the last axis on the GPU against their meaning.
import { type Case, difference } from './support/agree.js';

const reductions = ['SUM', 'MEAN', 'REDUCE_MAX', 'REDUCE_MIN', 'REDUCE_PROD'];

function reduction(type: string, shape: readonly number[], axes: readonly number[], keepDims: boolean): Case {
  return {
    type,
    attrs: { keepDims },
    abs: 1e-5,
    rel: 1e-5,
    inputs: [
      { shape, range: type === 'REDUCE_PROD' ? [0.7, 1.3] : [-2, 2] },
      { shape: [axes.length], dtype: 'int32', constant: true, values: axes },
    ],
  };
}

const axesOf: readonly (readonly [shape: readonly number[], axes: readonly number[]])[] = [
  [
    [2, 5, 7, 3],
    [1, 2],
  ],
  [
    [1, 8, 6, 9],
    [1, 2],
  ],
  [[2, 5, 7, 5], [1]],
  [[2, 5, 7, 5], [2]],
  [[2, 5, 7, 5], [-1]],
  [[3, 5, 7, 6], [0]],
  [
    [2, 5, 7, 5],
    [0, 3],
  ],
  [
    [2, 3, 4, 5],
    [0, 1, 2, 3],
  ],
  [[2, 9, 6], [1]],
  [[2, 9, 6], [2]],
  [[2, 9, 6], [0]],
  [[7, 10], [0]],
  [[7, 10], [1]],
  [[13], [0]],
  [
    [2, 3, 4, 5, 6],
    [1, 3],
  ],
  [
    [2, 3, 4, 5, 6],
    [0, 4],
  ],
  [
    [2, 2, 3, 2, 5, 3],
    [1, 2, 5],
  ],
  [
    [1, 40, 50, 3],
    [1, 2],
  ],
  [
    [1, 33, 35, 6],
    [1, 2, 3],
  ],
];

describe('reductions', () => {
  for (const type of reductions) {
    it(`${type} agrees with the op over any axes`, () => {
      for (const [shape, axes] of axesOf)
        for (const keepDims of [false, true]) {
          if (type === 'REDUCE_PROD' && shape.length === 4 && shape[1]! > 30) continue;
          expect(difference(reduction(type, shape, axes, keepDims)))
            .withContext(`[${shape}] over ${axes}, keepDims ${keepDims}`)
            .toBeUndefined();
        }
    });
  }
  it('of squared differences from a value for each result agree with the ops', () => {
    for (const [shape, axes] of axesOf) {
      const centre = shape.map((d, i) => (axes.some((axis) => (axis + shape.length) % shape.length === i) ? 1 : d));
      expect(
        difference({
          ...reduction('MEAN', shape, axes, true),
          after: { type: 'SQUARED_DIFFERENCE', constants: [{ shape: centre }] },
        }),
      )
        .withContext(`[${shape}] over ${axes}`)
        .toBeUndefined();
    }
  });
  it('of a scalar give it back', () => {
    expect(difference(reduction('SUM', [], [0], true))).toBeUndefined();
  });
  it('REDUCE_ANY and REDUCE_ALL fold truth values', () => {
    for (const type of ['REDUCE_ANY', 'REDUCE_ALL'])
      for (const values of [
        [0, 1, 0],
        [0, 0, 0],
        [1, 1, 1],
      ])
        expect(
          difference({
            type,
            attrs: { keepDims: false },
            outputs: ['bool'],
            inputs: [
              { shape: [3, 5, 3], dtype: 'bool', values },
              { shape: [1], dtype: 'int32', constant: true, values: [1] },
            ],
          }),
        ).toBeUndefined();
  });
  it('pass NaN over in a maximum', () => {
    const test = reduction('REDUCE_MAX', [3, 6], [1], false);
    expect(
      difference({ ...test, inputs: [{ shape: [3, 6], values: [Number.NaN, -1, -2, -3, -0.5] }, test.inputs[1]] }),
    ).toBeUndefined();
  });
});

describe('ops along the last axis', () => {
  const shapes = [
    [1, 1],
    [1, 10],
    [3, 5],
    [2, 7, 6],
    [2, 3, 5, 4],
    [1, 2, 3, 2, 9],
    [1, 1001],
    [130, 130],
  ];
  for (const [type, attrs] of [
    ['SOFTMAX', { beta: 1 }],
    ['SOFTMAX', { beta: 0.3 }],
    ['LOG_SOFTMAX', {}],
    ['L2_NORMALIZATION', { fusedActivationFunction: 'NONE' }],
  ] as const) {
    it(`${type} ${JSON.stringify(attrs)} keeps padding lanes out`, () => {
      for (const shape of shapes)
        expect(difference({ type, attrs, abs: 2e-6, rel: 2e-5, inputs: [{ shape, range: [-9, 4] }] }))
          .withContext(`[${shape}]`)
          .toBeUndefined();
    });
  }
  it('give the same in one and in two draws', () => {
    expect(difference({ type: 'SOFTMAX', attrs: { beta: 1 }, inputs: [{ shape: [2, 40, 450] }] })).toBeUndefined();
  });
  it('do not overflow for large logits', () => {
    expect(
      difference({ type: 'SOFTMAX', attrs: { beta: 1 }, rel: 1e-4, inputs: [{ shape: [4, 6], range: [-500, 800] }] }),
    ).toBeUndefined();
  });
});
