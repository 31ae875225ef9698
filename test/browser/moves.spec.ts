// Moves that passes make of several: what one op does the corpus has.
import { constant, ints } from '../node/delegate/build.js';
import { random } from '../support/random.js';
import { graphDifference } from './support/agree.js';
import { graph } from './support/graph.js';

/** The channels of `groups` taken in turns, and of those the ones from `from` on. */
const shuffled = ([n, h, w, c]: readonly [number, number, number, number], groups: number, from: number) =>
  graph([[n, h, w, c]], (apply, [given]) => {
    const x = apply('TANH', [given!], [n, h, w, c]);
    const split = apply('RESHAPE', [x, ints(n, h, w, groups, c / groups)], [n, h, w, groups, c / groups]);
    const turned = apply('TRANSPOSE', [split, ints(0, 1, 2, 4, 3)], [n, h, w, c / groups, groups]);
    const all = apply('RESHAPE', [turned, ints(n, h, w, c)], [n, h, w, c]);
    const begin = ints(0, 0, 0, from);
    return apply('SLICE', [all, begin, ints(n, h, w, c - from)], [n, h, w, c - from]);
  });

describe('a shuffle of channels', () => {
  for (const [shape, groups, from] of [
    [[1, 5, 6, 48], 2, 0],
    [[1, 5, 6, 48], 2, 24],
    [[1, 4, 4, 24], 3, 0],
    [[2, 3, 5, 12], 4, 5],
    [[1, 7, 1, 10], 5, 0],
    [[1, 1, 1, 30], 2, 7],
    [[3, 2, 2, 6], 2, 0],
  ] as const)
    it(`of [${shape}] in ${groups} groups, from ${from} on, is right`, () => {
      for (const targets of [undefined, 1] as const)
        expect(
          graphDifference(shuffled(shape, groups, from), 1, { target: targets ? { targets } : {} }),
        ).toBeUndefined();
    });

  it('is right for any sizes', () => {
    const next = random(17);
    const upTo = (most: number) => 1 + Math.floor(next() * most);
    for (let i = 0; i < 10; i++) {
      const groups = upTo(6);
      const c = groups * upTo(9);
      const graphs = shuffled([upTo(2), upTo(6), upTo(6), c], groups, upTo(c) - 1);
      expect(graphDifference(graphs, i)).toBeUndefined();
    }
  });
});

describe('a fully connected layer of one pixel', () => {
  const draw = random(5);
  const numbers = (count: number) => Array.from({ length: count }, () => draw() - 0.5);
  /** Layers of each of these pixels, as steps in time that the layers before are added to. */
  const steps = (shape: readonly number[], pixels: readonly (readonly number[])[], units: number) =>
    graph([shape], (apply, [given]) => {
      const x = apply('TANH', [given!], shape);
      const c = shape.at(-1)!;
      const whole = [...shape.slice(0, -1).map(() => 1), c];
      const made = pixels.map((begin) => {
        const one = apply('SLICE', [x, ints(...begin, 0), ints(...whole)], whole);
        const row = apply('RESHAPE', [one, ints(1, c)], [1, c]);
        const [weights, bias] = [constant([units, c], numbers(units * c)), constant([units], numbers(units))];
        return apply('FULLY_CONNECTED', [row, weights, bias], [1, units], {
          weightsFormat: 'DEFAULT',
          keepNumDims: false,
        });
      });
      return made.reduce((sum, next) => apply('ADD', [apply('TANH', [sum], [1, units]), next], [1, units]));
    });

  for (const [shape, pixels, units] of [
    [
      [1, 9, 12],
      [
        [0, 0],
        [0, 5],
        [0, 8],
      ],
      7,
    ],
    [[9, 12], [[0], [5], [8]], 7],
    [
      [6, 1, 8],
      [
        [0, 0],
        [5, 0],
      ],
      40,
    ],
    [
      [1, 5, 7, 33],
      [
        [0, 4, 6],
        [0, 1, 2],
      ],
      19,
    ],
    [[2, 3, 5, 6], [[1, 2, 1]], 5],
    [[1, 1, 1, 4, 9], [[0, 0, 0, 3]], 5],
    [[1, 4, 10], [[0, 1]], 3],
  ] as const)
    it(`of [${shape}] at ${pixels.map((at) => `[${at}]`).join(' and ')} is right`, () => {
      for (const target of [{}, { targets: 1 }, { fetch: 'texelFetch' }, { uniformWeights: true }] as const)
        expect(graphDifference(steps(shape, pixels, units), 1, { target, abs: 3e-6 })).toBeUndefined();
    });
});
