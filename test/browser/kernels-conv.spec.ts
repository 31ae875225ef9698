// Convolutions and matrix products on the GPU against their meaning, over the channel counts at which layouts differ.
import { random } from '../support/random.js';
import { type Case, difference } from './support/agree.js';

/** One slice with fewer than four lanes, whole slices, an odd number of them, pairs, and pairs with an empty half. */
const channels = [1, 3, 4, 8, 12, 17, 20, 24];
/** Numbers of input and output channels at which the layouts of the two differ, and at which they do not. */
const pairs = [
  [1, 20],
  [3, 8],
  [20, 12],
  [24, 24],
] as const;

interface Filter {
  readonly size: readonly [number, number];
  readonly stride?: number;
  readonly dilation?: number;
  readonly padding?: string;
}

function attrsOf({ stride = 1, dilation = 1, padding = 'SAME' }: Filter) {
  return {
    padding,
    strideH: stride,
    strideW: stride,
    dilationHFactor: dilation,
    dilationWFactor: dilation,
    fusedActivationFunction: 'NONE',
  };
}

function conv(shape: readonly number[], outC: number, filter: Filter): Case {
  const inC = shape.at(-1)!;
  return {
    type: 'CONV_2D',
    attrs: attrsOf(filter),
    abs: 1e-4,
    rel: 1e-4,
    inputs: [{ shape }, { shape: [outC, ...filter.size, inC], constant: true }, { shape: [outC], constant: true }],
  };
}

function depthwise(shape: readonly number[], multiplier: number, filter: Filter): Case {
  const outC = shape.at(-1)! * multiplier;
  return {
    type: 'DEPTHWISE_CONV_2D',
    attrs: { ...attrsOf(filter), depthMultiplier: multiplier },
    abs: 1e-4,
    rel: 1e-4,
    inputs: [{ shape }, { shape: [1, ...filter.size, outC], constant: true }, { shape: [outC], constant: true }],
  };
}

function expectAgreement(test: Case): void {
  const operands = test.inputs.map((input) => `[${input?.shape}]`).join(' ');
  expect(difference(test))
    .withContext(`${test.type} ${operands} ${JSON.stringify(test.attrs)}`)
    .toBeUndefined();
}

describe('convolutions', () => {
  it('read weights that fit from a uniform buffer', () => {
    const options = { compileOptions: { preferredGlObjectType: 2 } } as const;
    for (const [inC, outC] of pairs)
      for (const size of [
        [1, 1],
        [3, 3],
        [8, 8],
      ] as const)
        expectAgreement({ ...conv([1, 9, 11, inC], outC, { size }), options });
    expectAgreement({ ...depthwise([1, 9, 11, 20], 1, { size: [3, 3] }), options });
  });
  for (const [inC, outC] of [
    [48, 48],
    [50, 61],
    [40, 96],
    [128, 36],
  ] as const)
    it(`3x3 from ${inC} to ${outC} channels, by minimal filtering`, () => {
      for (const shape of [
        [1, 8, 8, inC],
        [2, 7, 9, inC],
        [1, 6, 13, inC],
      ])
        for (const padding of ['SAME', 'VALID']) expectAgreement(conv(shape, outC, { size: [3, 3], padding }));
    });
  for (const inC of channels)
    it(`take ${inC} channels to any number of them, pointwise`, () => {
      for (const outC of channels) expectAgreement(conv([1, 5, 6, inC], outC, { size: [1, 1] }));
    });

  for (const filter of [
    { size: [3, 3] },
    { size: [3, 3], stride: 2 },
    { size: [3, 3], dilation: 2 },
    { size: [2, 4], padding: 'VALID' },
    { size: [5, 5], stride: 3 },
    { size: [9, 9] },
  ] as const)
    it(`agree with the op for ${JSON.stringify(filter)}`, () => {
      for (const [inC, outC] of pairs) expectAgreement(conv([2, 11, 10, inC], outC, filter));
    });

  for (let seed = 1; seed <= 6; seed++)
    it(`agree with the op for windows and images of any size, ${seed}`, () => {
      const next = random(seed);
      const int = (lo: number, hi: number) => lo + Math.floor(next() * (hi - lo + 1));
      for (let i = 0; i < 4; i++) {
        const size = [int(1, 9), int(1, 9)] as const;
        const dilation = int(0, 2) === 0 ? int(2, 3) : 1;
        const stride = dilation > 1 ? 1 : int(1, 4);
        const filter: Filter = { size, stride, dilation, padding: int(0, 1) ? 'SAME' : 'VALID' };
        const [h, w] = size.map((taps) => Math.max((taps - 1) * dilation + 1, int(5, 23)));
        const shape = [int(1, 2), h!, w!, int(1, 21)];
        const test = i % 2 === 0 ? conv(shape, int(1, 21), filter) : depthwise(shape, 1, filter);
        // Up to 81 · 21 products of numbers up to 2.
        expectAgreement({ ...test, abs: 1e-3 });
      }
    });

  it('take filters with more taps than a row of the arena has texels', () => {
    expectAgreement(conv([1, 1, 700, 1], 8, { size: [1, 600], padding: 'VALID' }));
    expectAgreement(conv([1, 20, 20, 5], 24, { size: [17, 18], padding: 'VALID' }));
  });

  it('are drawn in bands where one draw would take too long', () => {
    for (const largestDraw of [1000, 12345])
      expectAgreement({ ...conv([2, 9, 11, 24], 20, { size: [3, 3] }), target: { largestDraw } });
  });

  it('take in the rescaling of their image, padded with what it makes zero', () => {
    const scale = { constant: true, range: [0.5, 2] } as const;
    for (const [type, shape, inC] of [
      ['MUL', [3], 3],
      ['DIV', [1, 1, 1, 4], 4],
      ['ADD', [1], 1],
      ['SUB', [], 3],
    ] as const)
      for (const filter of [{ size: [3, 3] }, { size: [5, 4], stride: 2 }, { size: [9, 9], dilation: 2 }] as const)
        expectAgreement({
          ...conv([2, 7, 6, inC], 20, filter),
          after: { type, attrs: { fusedActivationFunction: 'NONE' }, constants: [{ ...scale, shape }] },
        });
  });

  it('agree with the op depthwise', () => {
    for (const inC of channels)
      for (const multiplier of [1, 2])
        for (const filter of [{ size: [3, 3] }, { size: [3, 3], stride: 2 }, { size: [9, 9], dilation: 2 }] as const)
          expectAgreement(depthwise([1, 7, 6, inC], multiplier, filter));
  });

  it('agree with the op transposed', () => {
    for (const [inC, outC] of pairs)
      for (const [size, stride] of [
        [2, 2],
        [3, 2],
        [4, 2],
        [3, 1],
        [5, 3],
      ] as const)
        expectAgreement({
          type: 'TRANSPOSE_CONV',
          attrs: { padding: 'SAME', strideH: stride, strideW: stride, fusedActivationFunction: 'NONE' },
          abs: 1e-4,
          rel: 1e-4,
          inputs: [
            { shape: [4], dtype: 'int32', constant: true, values: [1, 5 * stride, 4 * stride, outC] },
            { shape: [outC, size, size, inC], constant: true },
            { shape: [1, 5, 4, inC] },
          ],
        });
  });
});

describe('matrix products', () => {
  it('agree with the op for rows of any length', () => {
    for (const inC of channels)
      for (const outC of channels)
        expectAgreement({
          type: 'FULLY_CONNECTED',
          attrs: { fusedActivationFunction: 'NONE' },
          abs: 1e-4,
          rel: 1e-4,
          inputs: [{ shape: [5, inC] }, { shape: [outC, inC], constant: true }, { shape: [outC], constant: true }],
        });
  });

  for (const adjX of [false, true])
    for (const adjY of [false, true])
      it(`agree with the op, left ${adjX ? '' : 'not '}transposed, right ${adjY ? '' : 'not '}transposed`, () => {
        for (const batch of [[], [3], [2, 3]])
          for (const [m, k, n] of [
            [1, 7, 5],
            [6, 9, 20],
            [5, 3, 24],
          ] as const)
            expectAgreement({
              type: 'BATCH_MATMUL',
              attrs: { adjX, adjY },
              abs: 1e-4,
              rel: 1e-4,
              inputs: [
                { shape: [...batch, ...(adjX ? [k, m] : [m, k])] },
                { shape: [...batch, ...(adjY ? [n, k] : [k, n])] },
              ],
            });
      });
});
