// Pools and resizes on the GPU against their meaning.
import { type Case, difference } from './support/agree.js';

const shapes: readonly (readonly [number, number, number, number])[] = [
  [1, 5, 7, 3],
  [2, 4, 6, 5],
  [1, 1, 9, 8],
  [1, 9, 1, 4],
  [2, 8, 8, 1],
];

function pool(type: string, filter: number, stride: number, padding: string): Case[] {
  return shapes.map((shape) => ({
    type,
    attrs: {
      filterHeight: filter,
      filterWidth: filter,
      strideH: stride,
      strideW: stride,
      padding,
      fusedActivationFunction: 'NONE',
    },
    inputs: [{ shape }],
  }));
}

describe('pools', () => {
  for (const type of ['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'L2_POOL_2D']) {
    for (const [filter, stride] of [
      [1, 1],
      [2, 2],
      [3, 1],
      [3, 2],
      [2, 1],
      [5, 3],
    ] as const) {
      it(`${type} ${filter}x${filter} of stride ${stride} leave padding out`, () => {
        for (const test of pool(type, filter, stride, 'SAME'))
          expect(difference(test)).withContext(`${test.inputs[0]!.shape}`).toBeUndefined();
      });
    }
    it(`${type} of zeros that a PAD adds, which take part`, () => {
      const attrs = { filterHeight: 3, filterWidth: 3, strideH: 2, strideW: 2, fusedActivationFunction: 'NONE' };
      for (const shape of shapes.filter(([, h, w]) => h > 1 && w > 1))
        for (const padding of ['VALID', 'SAME'])
          for (const values of [
            [0, 0, 1, 1, 1, 1, 0, 0],
            [0, 0, 0, 2, 2, 0, 0, 0],
          ]) {
            const pads = { shape: [4, 2], dtype: 'int32', constant: true, values } as const;
            const after = { type: 'PAD', constants: [pads] };
            const test: Case = { type, attrs: { ...attrs, padding }, after, inputs: [{ shape, range: [-3, -1] }] };
            expect(difference(test)).withContext(`${shape} ${padding} ${values}`).toBeUndefined();
          }
    });
    it(`${type} of large windows agree with the op`, () => {
      const attrs = { strideH: 2, strideW: 3, fusedActivationFunction: 'NONE' };
      for (const [padding, filterHeight, filterWidth, shape] of [
        ['SAME', 9, 8, [2, 17, 19, 6]],
        ['VALID', 10, 11, [1, 17, 19, 3]],
        ['VALID', 7, 7, [2, 7, 7, 10]],
        ['VALID', 13, 11, [2, 13, 11, 7]],
        ['VALID', 50, 40, [2, 50, 40, 5]],
      ] as const) {
        expect(difference({ type, attrs: { ...attrs, padding, filterHeight, filterWidth }, inputs: [{ shape }] }))
          .withContext(`${shape}`)
          .toBeUndefined();
      }
    });
  }
  it('pass NaN over in a maximum', () => {
    const attrs = {
      strideH: 2,
      strideW: 2,
      filterHeight: 2,
      filterWidth: 2,
      padding: 'VALID',
      fusedActivationFunction: 'NONE',
    };
    expect(
      difference({ type: 'MAX_POOL_2D', attrs, inputs: [{ shape: [1, 4, 4, 1], values: [Number.NaN, 1, -2, 3, -5] }] }),
    ).toBeUndefined();
  });
});

describe('resizes', () => {
  const sizes = [
    [6, 8],
    [3, 4],
    [7, 5],
    [1, 1],
    [10, 12],
  ] as const;
  for (const type of ['RESIZE_BILINEAR', 'RESIZE_NEAREST_NEIGHBOR']) {
    for (const [alignCorners, halfPixelCenters] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      it(`${type} agrees with the op, corners ${alignCorners ? '' : 'not '}aligned, centres at ${halfPixelCenters ? '.5' : '0'}`, () => {
        for (const shape of [
          [1, 3, 4, 3],
          [2, 5, 3, 5],
          [1, 1, 6, 8],
          [1, 7, 1, 4],
        ] as const)
          for (const size of sizes) {
            const test: Case = {
              type,
              attrs: { alignCorners, halfPixelCenters },
              abs: 1e-5,
              rel: 1e-4,
              inputs: [{ shape }, { shape: [2], dtype: 'int32', constant: true, values: size }],
            };
            expect(difference(test)).withContext(`[${shape}] to ${size}`).toBeUndefined();
          }
      });
    }
  }
});
