import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Graph, Node, Value } from '../../../delegate/index.js';
import { canonicalize } from '../../../delegate/passes/canonicalize.js';
import { fuse } from '../../../delegate/passes/fuse.js';
import { makePlan, type Plan } from '../../../delegate/plan/plan.js';
import { freeze, thaw } from '../../../delegate/serialization/frozen-plan.js';
import type { Kernel } from '../../../delegate/shader/kernel.js';
import type { Target } from '../../../delegate/shader/target.js';
import { finish } from '../../../delegate/task.js';
import { toGraph } from '../../../src/format/graph.js';
import { readModel } from '../../../src/format/read.js';
import { sharedFile, skipWithoutShared } from '../../support/files.js';
import { activation, constant, graphOf, node, target } from './build.js';

const planOf = (graph: Graph, options: Target) => finish(makePlan(graph, options));
const pointwise = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };

/** A chain of 1x1 convolutions to the given channels, each followed by an activation or none. */
function chain(layers: readonly (readonly [channels: number, activation?: string])[]): Graph {
  const x = activation([1, 8, 8, 16], 'x');
  let last: Value = x;
  const nodes = layers.flatMap(([channels, type]) => {
    const from = last.shape[3]!;
    const filter = constant([channels, 1, 1, from], new Array(channels * from).fill(0.1));
    const y = activation([1, 8, 8, channels]);
    const made = [node('CONV_2D', [last, filter, constant([channels], new Array(channels).fill(0))], [y], pointwise)];
    last = y;
    if (!type) return made;
    last = activation(y.shape);
    return [...made, node(type, [y], [last])];
  });
  return fuse(graphOf([x], nodes, [last]));
}

const programsOf = (graph: Graph) =>
  new Set(
    planOf(graph, target)
      .draws.filter((d) => d.node.type === 'CONV_2D')
      .map((d) => d.kernel.source),
  ).size;

describe('plan of half floats', () => {
  it('keeps sums that several others are made of, the residual stream, in float32, and what comes in and goes out', () => {
    const x = activation([1, 8, 8, 16], 'x');
    const [narrow, clamped, wide, sum, out] = ['narrow', 'clamped', 'wide', 'sum', 'out'].map((name) => {
      return activation([1, 8, 8, 16], name);
    }) as [Value, Value, Value, Value, Value];
    const filter = constant([16, 1, 1, 16], new Array(256).fill(0.1));
    const branch = activation([1, 8, 8, 16], 'branch');
    const nodes = [
      node('CONV_2D', [x, filter], [narrow], pointwise),
      node('CONV_2D', [narrow, filter], [wide], pointwise),
      node('RELU6', [wide], [clamped]),
      node('CONV_2D', [clamped, filter], [branch], pointwise),
      node('ADD', [branch, narrow], [sum]),
      node('CONV_2D', [sum, filter], [out], pointwise),
    ];
    const plan = planOf(fuse(graphOf([x], nodes, [out])), { ...target, precision: 'float16' });
    const halves = plan.draws.map(({ kernel }) => [kernel.output.name, plan.target.isHalf(kernel.output)]);
    assert.deepEqual(halves, [
      ['narrow', false],
      ['clamped', true],
      ['sum', true],
      ['out', false],
      ['out', false],
    ]);
  });

  it('keeps a sum that a convolution with a pool reads as one that a convolution reads', () => {
    const [x, sum, image] = ['x', 'sum', 'image'].map((name) => activation([1, 8, 8, 16], name)) as [
      Value,
      Value,
      Value,
    ];
    const [pooled, out] = [activation([1, 4, 4, 16], 'pooled'), activation([1, 8, 8, 16], 'out')];
    const filter = constant([16, 1, 1, 16], new Array(256).fill(0.1));
    const windows = { filterHeight: 2, filterWidth: 2, strideH: 2, strideW: 2, padding: 'VALID' };
    const nodes = [
      node('CONV_2D', [x, filter], [sum], pointwise),
      node('CONV_2D', [sum, filter], [image], pointwise),
      node('MAX_POOL_2D', [image], [pooled], windows),
      node('CONV_2D', [sum, filter], [out], pointwise),
    ];
    const fused = fuse(graphOf([x], nodes, [pooled, out]));
    assert.ok(fused.nodes.some(({ type }) => type === 'POOLED_CONV_2D'));
    const plan = planOf(fused, { ...target, precision: 'float16' });
    assert.equal(plan.target.isHalf(sum), false);
  });
});

describe('plan', () => {
  it('gives layers that differ in size and bounds of the activation one program', () => {
    assert.equal(programsOf(chain([[16, 'RELU'], [32, 'RELU6'], [24], [40, 'RELU_N1_TO_1']])), 1);
  });

  it('gives layers whose activations differ in kind two', () => {
    assert.equal(programsOf(chain([[16, 'RELU'], [32, 'TANH'], [16]])), 2);
  });

  it('lets fragments have as many parameters as varyings as the device has, and reads the rest from the buffer', () => {
    for (const varyings of [0, 3, 16]) {
      const { kernel } = planOf(chain([[16]]), { ...target, varyings }).draws[0]!;
      const texels = Math.ceil(kernel.params.length / 4);
      assert.equal(kernel.source.includes('flat in vec4 p0;'), texels <= varyings);
      assert.equal(kernel.source.includes('uniform Params { vec4 p0; '), texels > varyings);
      assert.equal(kernel.vertex.includes(` p${texels - 1} = u${texels - 1}`), texels <= varyings);
    }
  });
});

describe('casts', () => {
  const draws = (from: Value['dtype'], to: Value['dtype']) => {
    const typed = (dtype: Value['dtype'], name: string): Value => ({ ...activation([1, 64], name), dtype });
    const [x, negative, y, z] = [typed(from, 'x'), typed(from, 'negative'), typed(to, 'y'), typed(to, 'z')] as const;
    const nodes = [node('NEG', [x], [negative]), node('CAST', [negative], [y]), node('NEG', [y], [z])];
    return planOf(graphOf([x], nodes, [z]), target).draws.map((draw) => draw.node.type);
  };

  type Cast = readonly [from: Value['dtype'], to: Value['dtype']];
  const cases: readonly { what: string; expected: readonly string[]; casts: readonly Cast[] }[] = [
    {
      what: 'take no draw where the numbers stay the same',
      expected: ['NEG', 'NEG'],
      casts: [
        ['int32', 'float32'],
        ['uint8', 'float32'],
        ['uint8', 'int32'],
        ['bool', 'int32'],
      ],
    },
    {
      what: 'take one where they change',
      expected: ['NEG', 'CAST', 'NEG'],
      casts: [
        ['float32', 'int32'],
        ['float32', 'bool'],
        ['int32', 'bool'],
        ['float32', 'uint8'],
      ],
    },
  ];
  for (const { what, expected, casts } of cases)
    it(what, () => {
      for (const [from, to] of casts)
        assert.deepEqual(draws(from, to).slice(0, expected.length), expected, `${from} to ${to}`);
    });
});

describe('a pool behind a convolution', () => {
  const names = (size: number, [inC, outC]: readonly [number, number], window: number, on: Partial<Target> = {}) => {
    const x = activation([1, size, size, inC], 'x');
    const [image, y] = [activation([1, size, size, outC]), activation([1, size / window, size / window, outC])];
    const filter = constant([outC, 3, 3, inC], new Array(outC * 9 * inC).fill(0.1));
    const windows = { filterHeight: window, filterWidth: window, strideH: window, strideW: window, padding: 'VALID' };
    const nodes = [
      node('CONV_2D', [x, filter], [image], pointwise),
      node('MAX_POOL_2D', [image], [y], { ...windows, fusedActivationFunction: 'NONE' }),
    ];
    const { draws } = planOf(fuse(graphOf([x], nodes, [y])), { ...target, ...on });
    return draws.map(({ kernel }) => kernel.name).filter((name) => name !== 'reshape');
  };

  it('is one draw where its windows are the blocks of fragments', () => {
    assert.deepEqual(names(28, [3, 12], 2), ['conv_3x3_pool']);
    assert.deepEqual(names(28, [3, 12], 2, { targets: 4 }), ['conv_3x3_pool']);
  });

  it('is a draw of its own where they are not, where a GPU would be idle, and behind minimal filtering', () => {
    assert.deepEqual(names(27, [3, 12], 3), ['conv_3x3', 'max_pool_2d_3x3']);
    assert.deepEqual(names(28, [3, 12], 2, { targets: 1 }), ['conv_3x3', 'max_pool_2d_2x2']);
    assert.deepEqual(names(8, [512, 512], 2, { winograd: 'never' }), ['conv_3x3', 'max_pool_2d_2x2']);
    assert.equal(names(16, [64, 64], 2).at(-1), 'max_pool_2d_2x2');
  });
});

describe('minimal filtering', () => {
  const images = (size: number, inC: number, outC: number, stride = 1) => {
    const x = activation([1, size, size, inC], 'x');
    const y = activation([1, size / stride, size / stride, outC], 'y');
    const filter = constant([outC, 3, 3, inC], new Array(outC * 9 * inC).fill(0.1));
    const attrs = { ...pointwise, strideH: stride, strideW: stride };
    return graphOf([x], [node('CONV_2D', [x, filter], [y], attrs)], [y]);
  };
  const draws = (graph: Graph, precision: Target['precision'] = 'float32') =>
    planOf(graph, { ...target, precision }).draws.map(({ kernel }) => kernel);
  const names = (kernels: readonly Kernel[]) => kernels.map(({ name }) => name);

  it('takes 3x3 convolutions of many channels, in float32', () => {
    const filtered = ['winograd_columns', 'winograd_rows', 'winograd_products', 'winograd_pixels', 'reshape'];
    assert.deepEqual(names(draws(images(16, 64, 64))), filtered);
    assert.equal(draws(images(16, 64, 64), 'float16')[0]!.name, 'conv_3x3');
  });

  it('makes patches of 4x4 outputs, and of 2x2 where images are small or filters large', () => {
    const products = (graph: Graph) => draws(graph).find(({ name }) => name === 'winograd_products')!.output.shape;
    assert.deepEqual(products(images(16, 64, 64)), [36, 4, 4, 64]);
    assert.deepEqual(products(images(4, 64, 64)), [16, 2, 2, 64]);
    assert.deepEqual(products(images(16, 512, 512)), [16, 8, 8, 512]);
  });

  it('has one program for columns and rows', () => {
    const [columns, rows] = draws(images(16, 64, 64));
    assert.equal(columns!.source, rows!.source);
  });

  it('leaves few channels and other strides to the direct kernel', () => {
    assert.equal(draws(images(16, 8, 8))[0]!.name, 'conv_3x3');
    assert.equal(draws(images(16, 64, 64, 2))[0]!.name, 'conv_3x3');
  });
});

describe('concatenation', () => {
  const joined = (channels: readonly number[], more: (parts: readonly Value[]) => Node[] = () => []) => {
    const x = activation([1, 8, 8, 16], 'x');
    const parts = channels.map((c) => activation([1, 8, 8, c]));
    const whole = activation([1, 8, 8, channels.reduce((a, b) => a + b)], 'whole');
    const out = activation([1, 8, 8, 4], 'out');
    const conv = (from: Value, to: Value) => {
      const size = to.shape[3]! * from.shape[3]!;
      const filter = constant([to.shape[3]!, 1, 1, from.shape[3]!], new Array(size).fill(0.1));
      return node('CONV_2D', [from, filter], [to], pointwise);
    };
    const rest = more(parts);
    const join = node('CONCATENATION', parts, [whole], { axis: 3, fusedActivationFunction: 'NONE' });
    const nodes = [...parts.map((part) => conv(x, part)), join, ...rest, conv(whole, out)];
    return planOf(graphOf([x], nodes, [out, ...rest.flatMap(({ outputs }) => outputs)]), target);
  };
  const kernelsOf = ({ draws }: ReturnType<typeof joined>) => draws.map(({ kernel }) => kernel.name);

  it('takes no draw where its parts are written into it, each into tiles of its own', () => {
    const plan = joined([16, 24, 14]);
    assert.deepEqual(kernelsOf(plan), ['conv_1x1', 'conv_1x1', 'conv_1x1', 'conv_1x1', 'reshape']);
    const [a, b, c, out] = plan.draws.map(({ kernel }) => kernel) as Kernel[];
    const texture = plan.textureOf.get(a!.output);
    assert.deepEqual(
      [b, c].map((kernel) => plan.textureOf.get(kernel!.output)),
      [texture, texture],
    );
    assert.equal(plan.textureOf.get(out!.inputs[0]!), texture);
    const texels = [a, b, c].flatMap((kernel) =>
      plan
        .rectsOf(kernel!.output)
        .flatMap(({ x, y, width, height }) =>
          Array.from({ length: width * height }, (_, i) => `${x + (i % width)},${y + Math.floor(i / width)}`),
        ),
    );
    assert.equal(texels.length, 16 * (2 + 3 + 2));
    assert.equal(new Set(texels).size, texels.length);
  });

  it('has its parts in the same tiles where the plan was kept between visits', () => {
    const plan = joined([16, 24, 14]);
    const rects = ({ draws, rectsOf }: Plan) => draws.map(({ kernel }) => rectsOf(kernel.output));
    const kept = thaw(structuredClone(finish(freeze(plan))), target);
    assert.equal(
      new Set(
        rects(plan)
          .slice(0, 3)
          .map((each) => JSON.stringify(each)),
      ).size,
      3,
    );
    assert.deepEqual(rects(kept), rects(plan));
  });

  it('copies what is read elsewhere too, and draws all where a part ends within a texel', () => {
    const relu = ([part]: readonly Value[]) => [node('RELU', [part!], [activation([1, 8, 8, 16])])];
    assert.deepEqual(kernelsOf(joined([16, 24], relu)).slice(2, 3), ['copy']);
    assert.deepEqual(kernelsOf(joined([14, 24])).slice(2, 3), ['concatenation']);
  });
});

describe('memory of networks', () => {
  /** What they are compiled for on software GLs; others have four targets anyway. */
  const targetsOf = {
    'mobilenet_v1_1.0_224': 8,
    'mobilenet_v2_1.0_224': 8,
    mobilenet_v3_small_224: 4,
    efficientnet_b0: 8,
    resnet50: 8,
    squeezenet: 8,
    'shufflenet_v2_0.5_224': 4,
    style_transfer_128: 8,
    transformer_encoder_2l: 4,
    unet_128: 8,
  } as const;
  for (const [name, targets] of Object.entries(targetsOf))
    it(`is at most 1.05 of the bound for ${name}`, { skip: skipWithoutShared }, () => {
      const file = sharedFile(`networks/${name}/${name}_float32.tflite.gz`);
      const graph = fuse(canonicalize(toGraph(readModel(new Uint8Array(gunzipSync(file))), 0)));
      for (const [t, narrowest] of [
        [4, 64],
        [targets, 32],
        [targets, 128],
      ] as const) {
        const { activationBytes, lowerBoundBytes } = planOf(graph, { ...target, targets: t, narrowest });
        assert.ok(activationBytes <= 1.05 * lowerBoundBytes, `${narrowest}: ${activationBytes} of ${lowerBoundBytes}`);
      }
    });
});
