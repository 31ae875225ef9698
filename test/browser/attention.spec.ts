// What transformers are made of: heads that are read and written where they are, layer normalisation as one node.
import type { Graph, Value } from '../../delegate/index.js';
import { constant, ints } from '../node/delegate/build.js';
import { random } from '../support/random.js';
import { graphDifference } from './support/agree.js';
import { graph } from './support/graph.js';

const draw = random(5);
const numbers = (count: number) => Array.from({ length: count }, () => draw() - 0.5);

interface Attention {
  readonly batch?: number;
  readonly heads: number;
  readonly tokens: number;
  /** Of what is attended to; as many unless given. */
  readonly others?: number;
  readonly columns: number;
  /** Batch and heads are one dimension. */
  readonly folded?: boolean;
  /** The keys are transposed before the product, not by it. */
  readonly transposed?: boolean;
}

function attention({ batch = 1, heads, tokens, others = tokens, columns, folded, transposed }: Attention): Graph {
  const channels = heads * columns;
  const shapes = [tokens, others, others].map((rows) => [batch, rows, channels]);
  return graph(shapes, (apply, [q, k, v]) => {
    const lead = folded ? [batch * heads] : [batch, heads];
    const apart = (x: Value, perm: readonly number[]): Value => {
      const rows = x.shape[1]!;
      const split = [batch, rows, heads, columns];
      const moved = apply('RESHAPE', [x, ints(...split)], split);
      const shape = perm.map((axis) => split[axis]!);
      const image = apply('TRANSPOSE', [moved, ints(...perm)], shape);
      if (!folded) return image;
      const joined = [batch * heads, ...shape.slice(2)];
      return apply('RESHAPE', [image, ints(...joined)], joined);
    };
    const keys = apart(k!, transposed ? [0, 2, 3, 1] : [0, 2, 1, 3]);
    const products = apply('BATCH_MATMUL', [apart(q!, [0, 2, 1, 3]), keys], [...lead, tokens, others], {
      adjX: false,
      adjY: !transposed,
    });
    const scaled = apply('MUL', [products, constant([1], [0.3])], products.shape);
    const shares = apply('SOFTMAX', [scaled], products.shape, { beta: 1 });
    const values = apply('BATCH_MATMUL', [shares, apart(v!, [0, 2, 1, 3])], [...lead, tokens, columns], {
      adjX: false,
      adjY: false,
    });
    const split = [batch, heads, tokens, columns];
    const images = folded ? apply('RESHAPE', [values, ints(...split)], split) : values;
    const together = apply('TRANSPOSE', [images, ints(0, 2, 1, 3)], [batch, tokens, heads, columns]);
    const out = [batch, tokens, channels];
    return apply('RELU', [apply('RESHAPE', [together, ints(...out)], out)], out);
  });
}

describe('attention', () => {
  const cases: Record<string, Attention> = {
    'of 4 heads': { heads: 4, tokens: 9, columns: 8 },
    'of 3 heads of 12 columns': { heads: 3, tokens: 6, columns: 12 },
    'of heads that are no whole texels': { heads: 2, tokens: 5, columns: 6 },
    'to other tokens': { heads: 2, tokens: 5, others: 11, columns: 16 },
    'with transposed keys': { heads: 4, tokens: 7, columns: 8, transposed: true },
    'of a batch': { batch: 3, heads: 2, tokens: 6, columns: 8 },
    'of as many images as heads': { batch: 4, heads: 4, tokens: 4, columns: 8 },
    'of heads and batch in one dimension': { heads: 4, tokens: 7, columns: 8, folded: true },
    'of heads and a batch of 2 in one dimension': { batch: 2, heads: 2, tokens: 7, columns: 8, folded: true },
    'of one token': { heads: 4, tokens: 1, columns: 8 },
  };
  for (const [name, test] of Object.entries(cases))
    it(`is right ${name}`, () => {
      for (const targets of [undefined, 1] as const)
        expect(graphDifference(attention(test), 1, { abs: 1e-5, target: targets ? { targets } : {} })).toBeUndefined();
    });
});

describe('products of matrices that are broadcast', () => {
  it('are right where the heads of one are the images of the other', () => {
    const made = graph(
      [
        [5, 32],
        [1, 3, 8, 6],
      ],
      (apply, [x, y]) => {
        const split = apply('RESHAPE', [apply('TANH', [x!], [5, 32]), ints(5, 4, 8)], [5, 4, 8]);
        const heads = apply('TRANSPOSE', [split, ints(1, 0, 2)], [4, 5, 8]);
        const images = apply('RESHAPE', [heads, ints(4, 1, 5, 8)], [4, 1, 5, 8]);
        return apply('BATCH_MATMUL', [images, y!], [4, 3, 5, 6], { adjX: false, adjY: false });
      },
    );
    expect(graphDifference(made, 1, { abs: 1e-5 })).toBeUndefined();
  });

  it('are right where there is one matrix for a batch', () => {
    const made = graph(
      [
        [5, 8],
        [3, 8, 6],
      ],
      (apply, [x, y]) => {
        const one = apply('RESHAPE', [apply('TANH', [x!], [5, 8]), ints(1, 5, 8)], [1, 5, 8]);
        return apply('BATCH_MATMUL', [one, y!], [3, 5, 6], { adjX: false, adjY: false });
      },
    );
    expect(graphDifference(made, 1, { abs: 1e-5 })).toBeUndefined();
  });
});

describe('layer normalisation', () => {
  const normalized = (shape: readonly number[]): Graph =>
    graph([shape], (apply, [given]) => {
      const [c, kept] = [shape.at(-1)!, [...shape.slice(0, -1), 1]];
      const x = apply('TANH', [given!], shape);
      const mean = apply('MEAN', [x, ints(-1)], kept, { keepDims: true });
      const squares = apply('SQUARED_DIFFERENCE', [x, mean], shape);
      const variance = apply('MEAN', [squares, ints(shape.length - 1)], kept, { keepDims: true });
      const root = apply('RSQRT', [apply('ADD', [variance, constant([1], [1e-3])], kept)], kept);
      const centred = apply('SUB', [x, mean], shape);
      const scaled = apply('MUL', [apply('MUL', [centred, root], shape), constant([c], numbers(c))], shape);
      return apply('ADD', [scaled, constant([c], numbers(c))], shape);
    });
  for (const shape of [[3, 5], [2, 7, 8], [1, 64, 128], [1, 3, 3, 33], [2, 5, 4, 12], [300]])
    it(`is right for [${shape}]`, () => {
      expect(graphDifference(normalized(shape), 1, { abs: 1e-5, rel: 1e-4 })).toBeUndefined();
    });
});

describe('shapes that differ in outer dimensions of size 1', () => {
  it('are made by the draw before, with what follows', () => {
    const made = graph(
      [
        [6, 8],
        [1, 6, 12],
      ],
      (apply, [x, y]) => {
        const weights = [constant([12, 8], numbers(96)), constant([12], numbers(12))];
        const layer = apply('FULLY_CONNECTED', [x!, ...weights], [6, 12]);
        const sum = apply('ADD', [y!, layer], [1, 6, 12]);
        const squared = apply('SQUARE', [apply('ABS', [sum], [1, 6, 12])], [1, 6, 12]);
        const wide = apply('RESHAPE', [squared, ints(1, 1, 6, 12)], [1, 1, 6, 12]);
        return apply('MUL', [wide, wide], [1, 1, 6, 12]);
      },
    );
    expect(graphDifference(made, 1, { abs: 1e-4, rel: 1e-4 })).toBeUndefined();
  });
});
