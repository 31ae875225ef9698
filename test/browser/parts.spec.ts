// What is concatenated is written into the result where that can be: whole graphs on the GPU against their meaning.
import type { Graph, Node, Value } from '../../delegate/index.js';
import { constant } from '../node/delegate/build.js';
import { random } from '../support/random.js';
import { graphDifference } from './support/agree.js';
import { type Apply, graph } from './support/graph.js';

const attrs = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
const draw = random(3);
const numbers = (count: number) => Array.from({ length: count }, () => draw() - 0.5);

/** What networks are made of here; images keep their sizes. */
function layersOf(apply: Apply) {
  const image = (x: Value, channels: number) => [...x.shape.slice(0, 3), channels];
  return {
    conv(x: Value, channels: number, size = 1): Value {
      const from = x.shape[3]!;
      const filter = constant([channels, size, size, from], numbers(channels * size * size * from));
      return apply('CONV_2D', [x, filter, constant([channels], numbers(channels))], image(x, channels), attrs);
    },
    one: (type: string, inputs: readonly Value[], attributes: Node['attrs'] = {}): Value =>
      apply(type, inputs, inputs[0]!.shape, attributes),
    join(...parts: readonly Value[]): Value {
      const channels = parts.reduce((sum, { shape }) => sum + shape[3]!, 0);
      return apply('CONCATENATION', parts, image(parts[0]!, channels), { axis: 3 });
    },
  };
}

function build(
  shape: readonly number[],
  make: (net: ReturnType<typeof layersOf>, x: Value) => Value | readonly Value[],
): Graph {
  return graph([shape], (apply, [x]) => make(layersOf(apply), x!));
}

describe('parts of a concatenation', () => {
  const cases: Record<string, Graph> = {
    'two convolutions': build([1, 9, 7, 8], (net, x) => net.conv(net.join(net.conv(x, 16), net.conv(x, 24, 3)), 5)),
    'a last one that ends in the middle of a texel': build([1, 6, 6, 8], (net, x) =>
      net.conv(net.join(net.conv(x, 8), net.conv(x, 8), net.conv(x, 11)), 4),
    ),
    'one that is read elsewhere, an input and a constant': build([1, 5, 5, 8], (net, x) => {
      const read = net.conv(x, 8);
      const c = constant([1, 5, 5, 8], numbers(200));
      return [net.conv(net.join(x, read, c, net.conv(read, 16)), 6), net.one('TANH', [read])];
    }),
    'a part that adds one of its size, and one that goes through softmax': build([1, 8, 8, 16], (net, x) => {
      const sum = net.one('ADD', [net.conv(x, 16), x]);
      const rows = net.one('SOFTMAX', [net.conv(x, 8)], { beta: 1 });
      return net.conv(net.join(sum, rows, net.one('MUL', [x, x])), 7);
    }),
    'concatenations of concatenations': build([1, 7, 9, 8], (net, x) => {
      const left = net.join(net.conv(x, 8), net.conv(x, 8, 3));
      const right = net.join(net.conv(x, 16), net.conv(x, 8));
      return net.conv(net.join(net.conv(x, 24), left, right), 9);
    }),
    'the same twice': build([1, 4, 4, 8], (net, x) => {
      const y = net.conv(x, 8);
      return net.conv(net.join(y, net.conv(x, 16), y), 3);
    }),
    'minimal filtering': build([1, 12, 12, 64], (net, x) => net.conv(net.join(net.conv(x, 64, 3), net.conv(x, 64)), 4)),
    'the output of the graph': build([1, 10, 6, 8], (net, x) => net.join(net.conv(x, 16), net.conv(x, 8))),
    'a batch': build([3, 5, 5, 8], (net, x) => net.conv(net.join(net.conv(x, 8), net.conv(x, 8)), 4)),
  };
  for (const [name, net] of Object.entries(cases))
    it(`is right for ${name}`, () => {
      for (const targets of [undefined, 1, 4] as const)
        expect(graphDifference(net, 1, { abs: 1e-4, target: targets ? { targets } : {} })).toBeUndefined();
    });

  it('is right for any channels, at any width of textures', () => {
    const next = random(11);
    const upTo = (most: number) => 1 + Math.floor(next() * most);
    for (let i = 0; i < 12; i++) {
      const net = build([1, upTo(20), upTo(20), 4 * upTo(3)], (layers, x) => {
        const parts = Array.from({ length: 1 + upTo(4) }, () => layers.conv(x, next() < 0.9 ? 8 * upTo(6) : upTo(40)));
        return layers.conv(layers.join(...parts), upTo(9));
      });
      const narrowest = [16, 32, 64, 128][upTo(4) - 1]!;
      expect(graphDifference(net, i, { abs: 1e-4, target: { narrowest } })).toBeUndefined();
    }
  });
});
