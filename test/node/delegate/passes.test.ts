import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkGraph, type Graph, type Node, printGraph, type Value } from '../../../delegate/index.js';
import { canonicalPasses } from '../../../delegate/passes/canonicalize.js';
import { fusingPasses } from '../../../delegate/passes/fuse.js';
import { shrinkOperand } from '../../../delegate/passes/fusing.js';
import { type Pass, runPasses } from '../../../delegate/passes/pass.js';
import { activation, constant, graphOf, ints, node } from './build.js';

/** The graph after all passes of a list, checked after each of them, and what they said. */
function after(graph: Graph, passes: readonly Pass[]): { text: string; log: string[] } {
  const log: string[] = [];
  let now = graph;
  for (const pass of passes) {
    now = runPasses(now, [pass], (line) => log.push(line));
    assert.deepEqual(checkGraph(now), [], `after ${pass.name}`);
  }
  return { text: printGraph(now), log };
}

const canonical = (graph: Graph) => after(graph, canonicalPasses);
const fused = (graph: Graph) => after(graph, fusingPasses);
const conv = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };

describe('canonical passes', () => {
  it('split a fused activation from its op', () => {
    const [x, y] = [activation([1, 4]), activation([1, 4])];
    const add = node('ADD', [x, constant([1], [1])], [y], { fusedActivationFunction: 'RELU6' });
    assert.equal(
      canonical(graphOf([x], [add], [y])).text,
      `(%0: float32[1,4]) {
  %1: float32[1,4] = ADD(%0, float32[1]{1})
  %2: float32[1,4] = RELU6(%1)
} -> %2`,
    );
  });

  it('fold what follows from constants alone, and drop what then does nothing', () => {
    const [x, y, z] = [activation([2, 3], 'x'), activation([2, 3], 'y'), activation([2, 3], 'z')];
    const negated = activation([3], 'negated');
    const nodes = [
      node('NEG', [constant([3], [1, 2, 3])], [negated]),
      node('ADD', [x, negated], [y], { fusedActivationFunction: 'NONE' }),
      node('RESHAPE', [y, ints(2, 3)], [z]),
      node('ABS', [z], [activation([2, 3], 'unread')]),
    ];
    const out = activation([2, 3], 'out');
    nodes.push(node('EXP', [z], [out]));
    assert.equal(
      canonical(graphOf([x], nodes, [out])).text,
      `(%0: float32[2,3]) {
  %1: float32[2,3] = ADD(%0, float32[3]{-1,-2,-3})
  %2: float32[2,3] = EXP(%1)
} -> %2`,
    );
  });

  it('keep a node whose result is a graph output, with the reason', () => {
    const [x, y] = [activation([2]), activation([2])];
    const { text, log } = canonical(graphOf([x], [node('RESHAPE', [x, ints(2)], [y])], [y]));
    assert.match(text, /RESHAPE/);
    assert.ok(
      log.some((line) => line.startsWith('drop-identity') && line.endsWith('"v" is a graph output')),
      log.join('\n'),
    );
  });

  it('make a product with a constant matrix a fully connected layer', () => {
    const [x, y] = [activation([2, 2]), activation([2, 3])];
    const matmul = node('BATCH_MATMUL', [x, constant([2, 3], [1, 2, 3, 4, 5, 6])], [y], { adjX: false, adjY: false });
    assert.equal(
      canonical(graphOf([x], [matmul], [y])).text,
      `(%0: float32[2,2]) {
  %1: float32[2,3] = FULLY_CONNECTED(%0, float32[3,2]{1,4,2,5,3,6})
} -> %1`,
    );
  });
});

describe('fusing passes on transformers', () => {
  const binary = { fusedActivationFunction: 'NONE' };

  it('read and write heads where they are', () => {
    const [q, k] = [activation([1, 9, 32], 'q'), activation([1, 9, 32], 'k')];
    const nodes: Node[] = [];
    const apart = (x: Value, perm: readonly number[]): Value => {
      const [split, moved] = [activation([1, 9, 4, 8]), activation(perm.map((axis) => [1, 9, 4, 8][axis]!))];
      nodes.push(node('RESHAPE', [x, ints(1, 9, 4, 8)], [split]), node('TRANSPOSE', [split, ints(...perm)], [moved]));
      return moved;
    };
    const [shares, values] = [activation([1, 4, 9, 9]), activation([1, 4, 9, 8])];
    const [together, out] = [activation([1, 9, 4, 8]), activation([1, 9, 32], 'out')];
    nodes.push(
      node('BATCH_MATMUL', [apart(q, [0, 2, 1, 3]), apart(k, [0, 2, 3, 1])], [shares], { adjX: false, adjY: false }),
      node('BATCH_MATMUL', [shares, apart(k, [0, 2, 1, 3])], [values], { adjX: false, adjY: false }),
      node('TRANSPOSE', [values, ints(0, 2, 1, 3)], [together]),
      node('RESHAPE', [together, ints(1, 9, 32)], [out]),
    );
    const graph = runPasses(graphOf([q, k], nodes, [out]), fusingPasses);
    assert.deepEqual(
      graph.nodes.map(({ type, attrs }) => [type, attrs.heads, attrs.adjY]),
      [
        ['BATCH_MATMUL', [4, 4, 0], true],
        ['BATCH_MATMUL', [0, 4, 4], false],
      ],
    );
  });

  it('make layer normalisation one node, unless its mean is read elsewhere', () => {
    for (const isRead of [false, true]) {
      const x = activation([1, 4, 16], 'x');
      const [mean, variance, shifted, root] = [0, 1, 2, 3].map(() => activation([1, 4, 1])) as [
        Value,
        Value,
        Value,
        Value,
      ];
      const [squares, centred, out] = [0, 1, 2].map(() => activation([1, 4, 16])) as [Value, Value, Value];
      const nodes = [
        node('MEAN', [x, ints(2)], [mean], { keepDims: true }),
        node('SQUARED_DIFFERENCE', [x, mean], [squares]),
        node('MEAN', [squares, ints(-1)], [variance], { keepDims: true }),
        node('ADD', [variance, constant([], [0.5])], [shifted], binary),
        node('RSQRT', [shifted], [root]),
        node('SUB', [x, mean], [centred], binary),
        node('MUL', [centred, root], [out], binary),
      ];
      const { text } = fused(graphOf([x], nodes, isRead ? [out, mean] : [out]));
      assert.equal(text.includes('NORMALIZATION(%0)'), !isRead, text);
    }
  });

  it('make what is reshaped by the draw before, where only dimensions of size 1 differ', () => {
    const [x, y] = [activation([4, 8], 'x'), activation([1, 4, 8], 'y')];
    const [layer, wide, sum] = [activation([4, 8]), activation([1, 4, 8]), activation([1, 4, 8])];
    const filter = constant([8, 8], new Array(64).fill(1));
    for (const nodes of [
      [node('FULLY_CONNECTED', [x, filter], [layer]), node('ADD', [y, layer], [sum], binary)],
      [
        node('FULLY_CONNECTED', [x, filter], [layer]),
        node('RESHAPE', [layer, ints(1, 4, 8)], [wide]),
        node('ADD', [y, wide], [sum], binary),
      ],
    ])
      assert.equal(
        fused(graphOf([x, y], nodes, [sum])).text,
        `(%0: float32[4,8], %1: float32[1,4,8]) {
  %2: float32[1,4,8] = FULLY_CONNECTED(%0, float32[8,8]{…}) |> ADD(%1, _)
} -> %2`,
      );
  });
});

describe('fusing passes', () => {
  const [x, y] = [activation([1, 4, 4, 4], 'x'), activation([1, 4, 4, 8], 'y')];
  const filter = (): Value => constant([8, 1, 1, 4], new Array(32).fill(1));

  it('make PAD part of the convolution that reads it', () => {
    const padded = activation([1, 6, 6, 4], 'padded');
    const pads: Value = { ...ints(0, 0, 1, 1, 1, 1, 0, 0), shape: [4, 2] };
    const out = activation([1, 4, 4, 4], 'out');
    const nodes = [
      node('PAD', [x, pads], [padded]),
      node('CONV_2D', [padded, constant([4, 3, 3, 4], new Array(144).fill(1))], [out], { ...conv, padding: 'VALID' }),
    ];
    assert.equal(
      fused(graphOf([x], nodes, [out])).text,
      `(%0: float32[1,4,4,4]) {
  %1: float32[1,4,4,4] = CONV_2D(%0, float32[4,3,3,4]{…})
} -> %1`,
    );
  });

  it('take the way round of x · sigmoid(x) into the draw that makes x', () => {
    const [s, z] = [activation([1, 4, 4, 8]), activation([1, 4, 4, 8])];
    const nodes = [
      node('CONV_2D', [x, filter()], [y], conv),
      node('LOGISTIC', [y], [s]),
      node('MUL', [y, s], [z], { fusedActivationFunction: 'NONE' }),
    ];
    assert.equal(
      fused(graphOf([x], nodes, [z])).text,
      `(%0: float32[1,4,4,4]) {
  %1: float32[1,4,4,8] = CONV_2D(%0, float32[8,1,1,4]{…}) |> MUL(_, _ |> LOGISTIC)
} -> %1`,
    );
  });

  it('keep the order of operands where ways meet: x − relu6(x + 3), and what follows', () => {
    const [a, b, c, d] = [0, 1, 2, 3].map(() => activation([1, 4, 4, 8]));
    const nodes = [
      node('CONV_2D', [x, filter()], [y], conv),
      node('ADD', [constant([1], [3]), y], [a!]),
      node('RELU6', [a], [b!]),
      node('SUB', [y, b], [c!]),
      node('ABS', [c], [d!]),
    ];
    assert.equal(
      fused(graphOf([x], nodes, [d!])).text,
      `(%0: float32[1,4,4,4]) {
  %1: float32[1,4,4,8] = CONV_2D(%0, float32[8,1,1,4]{…}) |> SUB(_, _ |> ADD(float32[1]{3}, _) |> RELU6) |> ABS
} -> %1`,
    );
  });

  it('make one move of a shuffle of channels and of the split behind it', () => {
    const shapes = [
      [1, 4, 4, 2, 6],
      [1, 4, 4, 6, 2],
      [1, 4, 4, 12],
      [1, 4, 4, 6],
      [1, 4, 4, 6],
    ];
    const image = activation([1, 4, 4, 12], 'image');
    const [a, b, c, d, e] = shapes.map((shape) => activation(shape));
    const nodes = [
      node('RESHAPE', [image, ints(...shapes[0]!)], [a!]),
      node('TRANSPOSE', [a, ints(0, 1, 2, 4, 3)], [b!]),
      node('RESHAPE', [b, ints(...shapes[2]!)], [c!]),
      node('SPLIT', [{ ...ints(3), shape: [] }, c], [d!, e!], { numSplits: 2 }),
    ];
    const { text } = fused(graphOf([image], nodes, [d!, e!]));
    assert.equal(
      text,
      `(%0: float32[1,4,4,12]) {
  %1: float32[1,4,4,6] = VIEW(%0)
  %2: float32[1,4,4,6] = VIEW(%0)
} -> %1, %2`,
    );
  });

  it('make PAD part of the pool that reads it, unless the pool has padding of its own', () => {
    for (const [padding, size] of [
      ['VALID', 2],
      ['SAME', 3],
    ] as const) {
      const padded = activation([1, 6, 6, 4], 'padded');
      const pads: Value = { ...ints(0, 0, 1, 1, 1, 1, 0, 0), shape: [4, 2] };
      const attrs = { padding, strideH: 2, strideW: 2, filterHeight: 3, filterWidth: 3 };
      const out = activation([1, size, size, 4], 'out');
      const nodes = [node('PAD', [x, pads], [padded]), node('MAX_POOL_2D', [padded], [out], attrs)];
      const { text, log } = fused(graphOf([x], nodes, [out]));
      assert.equal(text.includes('PAD'), padding === 'SAME');
      assert.equal(
        log.some((line) => line.endsWith('declined: the pool has padding of its own')),
        padding === 'SAME',
      );
    }
  });

  it('make a pool part of the convolution whose image nothing else reads', () => {
    const [x, image, positive, pooled] = [
      [1, 9, 9, 3],
      [1, 9, 9, 4],
      [1, 9, 9, 4],
      [1, 4, 4, 4],
    ].map((shape) => activation(shape)) as [Value, Value, Value, Value];
    const windows = { filterHeight: 2, filterWidth: 2, strideH: 2, strideW: 2, padding: 'VALID' };
    const filter = constant([4, 3, 3, 3], Array(108).fill(1));
    const nodes = [
      node('CONV_2D', [x, filter], [image], conv),
      node('RELU', [image], [positive]),
      node('MAX_POOL_2D', [positive], [pooled], windows),
    ];
    const { text } = fused(graphOf([x], nodes, [pooled]));
    assert.match(text, /^\(%0: float32\[1,9,9,3\]\) \{\n {2}%1: float32\[1,4,4,4\] = POOLED_CONV_2D.*RELU\n\} -> %1$/);
    const refusal = (attrs: object, shape: readonly number[], outputs: (made: Value) => Value[]) => {
      const made = activation(shape);
      const pool = node('MAX_POOL_2D', [positive], [made], { ...windows, ...attrs });
      const graph = graphOf([x], [...nodes.slice(0, 2), pool], outputs(made));
      return fused(graph).log.filter((line) => line.startsWith('fuse-pool'));
    };
    const only = (made: Value) => [made];
    assert.match(refusal({ filterHeight: 3, filterWidth: 3 }, [1, 4, 4, 4], only)[0]!, /windows overlap or leave gaps/);
    assert.match(refusal({ padding: 'SAME' }, [1, 5, 5, 4], only)[0]!, /reach outside the image/);
    assert.match(refusal({}, [1, 4, 4, 4], (made) => [made, positive])[0]!, /read elsewhere/);
  });

  it('leave a PAD of channels before a convolution, with the reason', () => {
    const padded = activation([1, 4, 4, 5], 'padded');
    const pads: Value = { ...ints(0, 0, 0, 0, 0, 0, 0, 1), shape: [4, 2] };
    const nodes = [
      node('PAD', [x, pads], [padded]),
      node('CONV_2D', [padded, constant([8, 1, 1, 5], new Array(40).fill(1))], [y], conv),
    ];
    const { text, log } = fused(graphOf([x], nodes, [y]));
    assert.match(text, /PAD/);
    assert.ok(log.some((line) => line.endsWith('declined: it pads batch or channels')));
  });

  it('make a scale and a shift per channel part of filter and bias', () => {
    const [scaled, shifted] = [activation(y.shape, 'scaled'), activation(y.shape, 'shifted')];
    const nodes = [
      node('CONV_2D', [x, filter(), constant([8], new Array(8).fill(1))], [y], conv),
      node('MUL', [y, constant([1], [3])], [scaled]),
      node('ADD', [scaled, constant([8], [1, 2, 3, 4, 5, 6, 7, 8])], [shifted]),
    ];
    const graph = runPasses(graphOf([x], nodes, [shifted]), fusingPasses);
    assert.equal(graph.nodes.length, 1);
    const [, weights, bias] = graph.nodes[0]!.inputs;
    assert.deepEqual(Array.from(new Set(weights!.data as Float32Array)), [3]);
    assert.deepEqual(Array.from(bias!.data as Float32Array), [4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('make the rescaling of an image part of the filter and bias behind it, padded with what becomes 0', () => {
    const [image, scaled, shifted] = [activation([1, 4, 4, 2]), activation([1, 4, 4, 2]), activation([1, 4, 4, 2])];
    const out = activation([1, 4, 4, 1], 'out');
    const nodes = [
      node('MUL', [image, constant([1], [0.5])], [scaled]),
      node('SUB', [scaled, constant([2], [1, 2])], [shifted]),
      node('CONV_2D', [shifted, constant([1, 1, 3, 2], [1, 2, 3, 4, 5, 6]), constant([1], [100])], [out], conv),
    ];
    const graph = runPasses(graphOf([image], nodes, [out]), fusingPasses);
    assert.equal(graph.nodes.length, 1);
    const [{ inputs, attrs }] = graph.nodes as [Graph['nodes'][0]];
    assert.deepEqual(Array.from(inputs[1]!.data as Float32Array), [0.5, 1, 1.5, 2, 2.5, 3]);
    assert.deepEqual(Array.from(inputs[2]!.data as Float32Array), [100 - (1 + 3 + 5) - 2 * (2 + 4 + 6)]);
    assert.deepEqual(attrs.padValues, [2, 4]);
  });

  it('store a constant once that repeats along dimensions of the other operand', () => {
    const [image, channels, rows, out] = [
      activation([1, 2, 2, 2]),
      activation([1, 2, 2, 2]),
      activation([1, 2, 2, 2]),
      activation([1, 2, 2, 2]),
    ];
    const perPixel = constant([1, 2, 2, 2], [1, 2, 1, 2, 1, 2, 1, 2]);
    const perRow = constant([2, 2, 2], [0, 0, 0, 0, -0, -0, -0, -0]);
    const nodes = [
      node('SQUARED_DIFFERENCE', [perPixel, image], [channels]),
      node('MUL', [channels, perRow], [rows]),
      node('ADD', [rows, constant([1, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])], [out]),
    ];
    const graph = runPasses(graphOf([image], nodes, [out]), [shrinkOperand]);
    const constants = graph.nodes.map(({ inputs }) => inputs.find((v) => v!.data)!);
    assert.deepEqual(
      constants.map(({ shape }) => shape),
      [
        [1, 1, 1, 2],
        [2, 1, 1],
        [1, 2, 2, 2],
      ],
    );
    assert.deepEqual(Array.from(constants[0]!.data as Float32Array), [1, 2]);
    assert.ok(Object.is(constants[1]!.data![1], -0));
    assert.equal(graph.nodes[0]!.inputs[1], image);
  });

  it('leave a constant that has dimensions of its own', () => {
    const [row, out] = [activation([1, 2]), activation([3, 2])];
    const nodes = [node('ADD', [row, constant([3, 2], [1, 2, 1, 2, 1, 2])], [out])];
    const { text } = fused(graphOf([row], nodes, [out]));
    assert.match(text, /ADD\(%0, float32\[3,2\]/);
  });

  it('leave a scale of 0 before a padded convolution, with the reason', () => {
    const [image, scaled, shifted] = [activation([1, 4, 4, 1]), activation([1, 4, 4, 1]), activation([1, 4, 4, 1])];
    const out = activation([1, 4, 4, 1], 'out');
    const nodes = [
      node('ADD', [image, constant([1], [2])], [shifted]),
      node('MUL', [shifted, constant([1], [0])], [scaled]),
      node('CONV_2D', [scaled, constant([1, 3, 3, 1], new Array(9).fill(1))], [out], conv),
    ];
    const { text, log } = fused(graphOf([image], nodes, [out]));
    assert.match(text, /ADD.* \|> MUL/);
    assert.ok(log.some((line) => line.startsWith('fold-scale-before') && line.endsWith('no padding would become 0')));
  });

  /** A pointwise convolution of x [1,4,4,1], of one pixel spread over as much, and of x again. */
  function spreadAndConvolved(taps = 1) {
    const [image, pixel] = [activation([1, 4, 4, 1], 'image'), activation([1, 1, 1, 1], 'pixel')];
    const [spread, joined] = [activation([1, 4, 4, 1], 'spread'), activation([1, 4, 4, 3], 'joined')];
    const out = activation([1, 4, 4, 2], 'out');
    const filter = constant(
      [2, taps, taps, 3],
      Array.from({ length: 6 * taps * taps }, (_, i) => i),
    );
    const nodes = [
      node('RESIZE_BILINEAR', [pixel, ints(4, 4)], [spread], { alignCorners: true, halfPixelCenters: false }),
      node('CONCATENATION', [image, spread, image], [joined], { axis: 3 }),
      node('CONV_2D', [joined, filter, constant([2], [7, 8])], [out], conv),
    ];
    return graphOf([image, pixel], nodes, [out]);
  }

  it('convolve a pixel before it is spread over an image', () => {
    const { text } = fused(spreadAndConvolved());
    assert.equal(
      text,
      `(%0: float32[1,4,4,1], %1: float32[1,1,1,1]) {
  %2: float32[1,1,1,2] = CONV_2D(%1, float32[2,1,1,1]{1,4}, float32[2]{7,8})
  %3: float32[1,4,4,2] = CONCATENATION(%0, %0)
  %4: float32[1,4,4,2] = CONV_2D(%3, float32[2,1,1,2]{0,2,3,5}, -) |> ADD(_, %2)
} -> %4`,
    );
    assert.ok(fused(spreadAndConvolved(3)).log.some((line) => line.endsWith('it is not pointwise')));
  });

  it('convolve a pixel that is joined twice, and drop what spread it once', () => {
    const { nodes, inputs, outputs } = spreadAndConvolved();
    const [resize, join, last] = nodes as [Graph['nodes'][0], Graph['nodes'][0], Graph['nodes'][0]];
    const [image, spread] = join.inputs;
    const twice = [resize, { ...join, inputs: [image, spread, spread] }, last];
    const { text } = fused(graphOf([...inputs], twice, [...outputs]));
    assert.doesNotMatch(text, /RESIZE/);
    assert.match(text, /CONV_2D\(%\d, float32\[2,1,1,1\]\{0,3\}, -\) \|> ADD/);
  });

  it('make a mean of squared differences from the mean one reduction', () => {
    const mean = activation([1, 1, 1, 4], 'mean');
    const [squares, variance] = [activation(x.shape, 'squares'), activation([1, 1, 1, 4], 'variance')];
    const nodes = [
      node('MEAN', [x, ints(1, 2)], [mean], { keepDims: true }),
      node('SQUARED_DIFFERENCE', [x, mean], [squares]),
      node('MEAN', [squares, ints(1, 2)], [variance], { keepDims: true }),
    ];
    assert.equal(
      fused(graphOf([x], nodes, [variance])).text,
      `(%0: float32[1,4,4,4]) {
  %1: float32[1,1,1,4] = MEAN(%0, int32[2]{1,2})
  %2: float32[1,1,1,4] = MEAN(%0, int32[2]{1,2}, %1)
} -> %2`,
    );
    const other = [nodes[0]!, nodes[1]!, node('MEAN', [squares, ints(1)], [activation([1, 1, 4, 4])])];
    const { text, log } = fused(graphOf([x], other, [other[2]!.outputs[0]!]));
    assert.match(text, /SQUARED_DIFFERENCE/);
    assert.ok(log.some((line) => line.endsWith('the difference is not from one value for each result')));
  });

  /** Normalisation of x [1,4,4,4] over its channels, as TensorFlow writes it: x · g + rest with g = r · gamma. */
  function normalized(rest: 'c - m * g' | '-m * g + c' | 'm * g + c', read = false) {
    const [m, r] = [activation([1, 4, 4, 1], 'm'), activation([1, 4, 4, 1], 'r')];
    const [gamma, c] = [constant([4], [1, 2, 3, 4]), constant([4], [5, 6, 7, 8])];
    const [g, scaled, n, product, shift, out] = ['g', 'scaled', 'n', 'product', 'shift', 'out'].map((name) =>
      activation(name === 'n' ? m.shape : x.shape, name),
    ) as [Value, Value, Value, Value, Value, Value];
    const nodes = [
      node('MUL', [r, gamma], [g]),
      node('MUL', [x, g], [scaled]),
      ...(rest === '-m * g + c' ? [node('NEG', [m], [n])] : []),
      node('MUL', [rest === '-m * g + c' ? n : m, g], [product]),
      rest === 'c - m * g' ? node('SUB', [c, product], [shift]) : node('ADD', [product, c], [shift]),
      node('ADD', [scaled, shift], [out]),
    ];
    return fused(graphOf([x, m, r], nodes, read ? [out, g] : [out])).text;
  }

  it('make one draw of a normalisation with its mean and deviation', () => {
    const draw = (first: string) => `(%0: float32[1,4,4,4], %1: float32[1,4,4,1], %2: float32[1,4,4,1]) {
  %3: float32[1,4,4,4] = ${first}(%0, %1) |> MUL(_, %2) |> MUL(_, float32[4]{1,2,3,4}) |> ADD(_, float32[4]{5,6,7,8})
} -> %3`;
    assert.equal(normalized('c - m * g'), draw('SUB'));
    assert.equal(normalized('-m * g + c'), draw('SUB'));
    assert.equal(normalized('m * g + c'), draw('ADD'));
    // What is read elsewhere is made, and used.
    assert.match(normalized('c - m * g', true), /= SUB\(%0, %1\) \|> MUL\(_, %3\) \|> ADD/);
  });

  it('carry activations and residual sums as the tail of a draw', () => {
    const [sum, out] = [activation(y.shape, 'sum'), activation(y.shape, 'out')];
    const skip = activation(y.shape, 'skip');
    const nodes = [
      node('CONV_2D', [x, filter()], [y], conv),
      node('ADD', [skip, y], [sum]),
      node('RELU', [sum], [out]),
    ];
    assert.equal(
      fused(graphOf([x, skip], nodes, [out])).text,
      `(%0: float32[1,4,4,4], %1: float32[1,4,4,8]) {
  %2: float32[1,4,4,8] = CONV_2D(%0, float32[8,1,1,4]{…}) |> ADD(%1, _) |> RELU
} -> %2`,
    );
  });

  it('add a tensor with fewer channels without padding it first', () => {
    const [padded, out] = [activation(y.shape, 'padded'), activation(y.shape, 'out')];
    const pads: Value = { ...ints(0, 0, 0, 0, 0, 0, 0, 4), shape: [4, 2] };
    const nodes = [
      node('CONV_2D', [x, filter()], [y], conv),
      node('PAD', [x, pads], [padded]),
      node('ADD', [padded, y], [out]),
    ];
    assert.equal(
      fused(graphOf([x], nodes, [out])).text,
      `(%0: float32[1,4,4,4]) {
  %1: float32[1,4,4,8] = CONV_2D(%0, float32[8,1,1,4]{…}) |> ADD(%0, _, padded)
} -> %1`,
    );
  });

  it('do not fuse into a draw whose result is read elsewhere', () => {
    const [out, other] = [activation(y.shape, 'out'), activation(y.shape, 'other')];
    const nodes = [
      node('CONV_2D', [x, filter()], [y], conv),
      node('RELU', [y], [out]),
      node('MAX_POOL_2D', [y], [other], { ...conv, filterWidth: 1, filterHeight: 1 }),
    ];
    const { text, log } = fused(graphOf([x], nodes, [out, other]));
    assert.doesNotMatch(text, /\|>/);
    assert.ok(log.some((line) => line.endsWith('declined: "y" is read elsewhere')));
  });

  it('read one pixel of an image where it is, and drop what took it out', () => {
    const image = activation([6, 8], 'image');
    const layer = (size: number) => {
      const [part, y] = [activation([1, size], 'part'), activation([1, 2], 'y')];
      const nodes = [
        node('SLICE', [image, ints(5, 0), ints(1, size)], [part]),
        node('FULLY_CONNECTED', [part, constant([2, size], Array(2 * size).fill(1))], [y]),
      ];
      return fused(graphOf([image], nodes, [y])).text;
    };
    assert.equal(
      layer(8),
      `(%0: float32[6,8]) {
  %1: float32[1,2] = FULLY_CONNECTED(%0, float32[2,8]{…})
} -> %1`,
    );
    assert.match(layer(4), /SLICE/);
    const [one, two, y] = [activation([1, 8]), activation([1, 8]), activation([1, 2])];
    const pair = activation([2, 1, 8], 'pair');
    const nodes = [
      node('UNPACK', [pair], [one, two], { num: 2, axis: 0 }),
      node('FULLY_CONNECTED', [two, constant([2, 8], Array(16).fill(1))], [y]),
    ];
    assert.match(fused(graphOf([pair], nodes, [y, one])).text, /UNPACK[\s\S]*FULLY_CONNECTED\(%0,/);
    assert.doesNotMatch(fused(graphOf([pair], nodes, [y])).text, /UNPACK/);
  });

  it('read a flattened image where it is', () => {
    const [flat, out] = [activation([1, 64], 'flat'), activation([1, 10], 'out')];
    const nodes = [
      node('RESHAPE', [x, ints(1, 64)], [flat]),
      node('FULLY_CONNECTED', [flat, constant([10, 64], new Array(640).fill(1))], [out]),
    ];
    assert.equal(
      fused(graphOf([x], nodes, [out])).text,
      `(%0: float32[1,4,4,4]) {
  %1: float32[1,10] = FULLY_CONNECTED(%0, float32[10,64]{…})
} -> %1`,
    );
  });
});
