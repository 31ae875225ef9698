// Moves that passes make of several: what one op does the corpus has.
import { ints } from '../node/delegate/build.js';
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
