// A convolution with a pool behind it, which is one draw where windows are the blocks of fragments: against their meaning.
import type { Graph, Value } from '../../delegate/index.js';
import { windowOutput } from '../../delegate/ir/shape.js';
import { constant } from '../node/delegate/build.js';
import { random } from '../support/random.js';
import { graphDifference, type Tolerance } from './support/agree.js';
import { type Apply, graph } from './support/graph.js';

interface Layers {
  readonly shape: readonly [n: number, h: number, w: number, c: number];
  readonly channels: number;
  readonly filter: number;
  readonly stride: number;
  readonly padding: 'SAME' | 'VALID';
  readonly pool: string;
  readonly window: readonly [h: number, w: number];
  readonly tail: keyof typeof tails;
}

/** What stands between the two. */
const tails = {
  none: (_: Apply, x: Value) => x,
  relu6: (apply: Apply, x: Value) => apply('RELU6', [x], x.shape),
  leaky: (apply: Apply, x: Value) => apply('MAXIMUM', [x, apply('MUL', [x, constant([1], [0.1])], x.shape)], x.shape),
  prelu: (apply: Apply, x: Value) => {
    const slopes = constant([1, 1, x.shape[3]!], numbers(x.shape[3]!));
    return apply('PRELU', [x, slopes], x.shape);
  },
};

const next = random(29);
const numbers = (count: number) => Array.from({ length: count }, () => next() - 0.5);

function build({ shape, channels, filter, stride, padding, pool, window, tail }: Layers): Graph {
  return graph([shape], (apply, [x]) => {
    const [n, h, w, c] = shape;
    const of = (size: number) => windowOutput(size, filter, stride, 1, padding).size;
    const weights = constant([channels, filter, filter, c], numbers(channels * filter * filter * c));
    const attrs = { padding, strideH: stride, strideW: stride, dilationHFactor: 1, dilationWFactor: 1 };
    const bias = constant([channels], numbers(channels));
    const image = apply('CONV_2D', [x!, weights, bias], [n, of(h), of(w), channels], attrs);
    const [rows, cols] = window;
    const pooled = [n, Math.floor(of(h) / rows), Math.floor(of(w) / cols), channels];
    const windows = { filterHeight: rows, filterWidth: cols, strideH: rows, strideW: cols, padding: 'VALID' };
    return apply(pool, [tails[tail](apply, image)], pooled, windows);
  });
}

const usual: Layers = {
  shape: [1, 28, 28, 1],
  channels: 12,
  filter: 3,
  stride: 1,
  padding: 'VALID',
  pool: 'MAX_POOL_2D',
  window: [2, 2],
  tail: 'relu6',
};

describe('a pool behind a convolution', () => {
  const cases: Record<string, Partial<Layers>> = {
    'of the tutorial': {},
    'of odd sizes': { shape: [1, 13, 17, 5], padding: 'SAME' },
    'of one row of windows': { shape: [1, 3, 40, 6], padding: 'SAME' },
    'of many channels, by points': { shape: [1, 12, 12, 40], channels: 33, filter: 1, tail: 'none' },
    'of a 5x5 filter, row by row': { shape: [1, 20, 18, 7], channels: 9, filter: 5, padding: 'SAME' },
    'of a 7x7 filter with steps': { shape: [1, 30, 31, 3], channels: 20, filter: 7, stride: 2, padding: 'SAME' },
    'of images in a batch': { shape: [3, 9, 10, 4], channels: 10, tail: 'leaky' },
    'of a slope a channel': { shape: [2, 10, 10, 6], channels: 21, tail: 'prelu' },
    'that averages': { shape: [1, 10, 11, 6], channels: 16, pool: 'AVERAGE_POOL_2D', tail: 'none' },
    'of squares': { shape: [1, 10, 11, 6], channels: 7, pool: 'L2_POOL_2D', tail: 'leaky' },
    'of a sequence': { shape: [1, 1, 50, 6], channels: 7, filter: 1, window: [1, 4] },
    'of a sequence by twos': { shape: [1, 1, 50, 6], channels: 7, filter: 1, window: [1, 2] },
    'of larger windows': { shape: [1, 15, 15, 6], channels: 7, window: [3, 3] },
    'to one pixel': { shape: [1, 2, 2, 6], channels: 9, filter: 1 },
  };
  const targets: Record<string, Tolerance> = {
    usual: {},
    'one target': { target: { targets: 1 } },
    'whole coordinates': { target: { fetch: 'texelFetch' } },
    'uniform weights': { target: { uniformWeights: true } },
    'minimal filtering': { target: { winograd: 'always' }, abs: 1e-5, rel: 1e-4 },
    halves: { options: { isPrecisionLossAllowed: 1 }, abs: 1e-2, rel: 1e-2 },
  };
  for (const [name, given] of Object.entries(cases))
    it(`${name} is right`, () => {
      for (const [target, tolerance] of Object.entries(targets))
        expect(graphDifference(build({ ...usual, ...given }), 1, { abs: 3e-6, ...tolerance }))
          .withContext(target)
          .toBeUndefined();
    });

  it('is right for any sizes', () => {
    const upTo = (most: number) => 1 + Math.floor(next() * most);
    const oneOf = <T>(...choices: readonly T[]) => choices[upTo(choices.length) - 1]!;
    for (let i = 0; i < 25; i++) {
      const layers: Layers = {
        shape: [upTo(2), 8 + upTo(14), 8 + upTo(14), upTo(11)],
        channels: upTo(26),
        filter: oneOf(1, 2, 3, 4),
        stride: oneOf(1, 1, 2),
        padding: oneOf('SAME', 'VALID'),
        pool: oneOf('MAX_POOL_2D', 'MAX_POOL_2D', 'AVERAGE_POOL_2D'),
        window: [2, 2],
        tail: oneOf(...(Object.keys(tails) as (keyof typeof tails)[])),
      };
      expect(graphDifference(build(layers), i, { abs: 3e-6 }))
        .withContext(JSON.stringify(layers))
        .toBeUndefined();
    }
  });

  it('takes its place in a concatenation', () => {
    const joined = graph([[1, 12, 12, 8]], (apply, [x]) => {
      const attrs = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
      const windows = { filterHeight: 2, filterWidth: 2, strideH: 2, strideW: 2, padding: 'VALID' };
      const parts = [8, 16, 11].map((channels) => {
        const filter = constant([channels, 3, 3, 8], numbers(channels * 72));
        const image = apply('CONV_2D', [x!, filter], [1, 12, 12, channels], attrs);
        return apply('MAX_POOL_2D', [image], [1, 6, 6, channels], windows);
      });
      return apply('CONCATENATION', parts, [1, 6, 6, 35], { axis: 3 });
    });
    expect(graphDifference(joined, 1, { abs: 3e-6 })).toBeUndefined();
  });

  it('passes NaN over where the pool does', () => {
    const blank = { ...usual, shape: [1, 6, 6, 2], channels: 3, filter: 1, tail: 'none' } as const;
    const divided = graph([blank.shape], (apply, [x]) => {
      const filter = constant([3, 1, 1, 2], numbers(6));
      const attrs = { padding: 'VALID', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
      const image = apply('CONV_2D', [x!, filter], [1, 6, 6, 3], attrs);
      const roots = apply('SQRT', [image], [1, 6, 6, 3]);
      const windows = { filterHeight: 2, filterWidth: 2, strideH: 2, strideW: 2, padding: 'VALID' };
      return apply('MAX_POOL_2D', [roots], [1, 3, 3, 3], windows);
    });
    expect(graphDifference(divided, 5, { abs: 3e-6 })).toBeUndefined();
  });
});
