import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Graph, Node } from '../../../delegate/ir/graph.js';
import { makePlan } from '../../../delegate/plan/plan.js';
import type { Choice, Target } from '../../../delegate/shader/target.js';
import { type Bench, chosen, type Extent, type Store, tune } from '../../../delegate/tuning/tuner.js';
import { activation, constant, graphOf, node } from './build.js';

const target: Target = {
  targets: 4,
  fetch: 'texture',
  maxTextureSize: 4096,
  varyings: 16,
  narrowest: 64,
  precision: 'float32',
  uniformWeights: false,
  halfWeights: false,
  winograd: 'cheaper',
  inlineParameters: false,
};
const direct: Choice = { winograd: 'never' };
const filtered: Choice = { winograd: 'always' };
const uniform: Choice = { winograd: 'never', uniformWeights: true };
const choices = [filtered, direct, uniform];

/** A chain of 3×3 convolutions of 16×16 pixels. */
function chain(...channels: readonly number[]): Graph {
  const [first, ...rest] = channels.map((c) => activation([1, 16, 16, c]));
  const attrs = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
  let last = first!;
  const nodes = rest.map((to) => {
    const [inC, outC] = [last.shape[3]!, to.shape[3]!];
    const made = node('CONV_2D', [last, constant([outC, 3, 3, inC], new Array(outC * 9 * inC).fill(0.1))], [to], attrs);
    last = to;
    return made;
  });
  return graphOf([first!], nodes, [last]);
}

/** A device on which a run takes what `milliseconds` says, and a record of what was done on it. */
function fakeBench(milliseconds: (choice: Choice) => number) {
  const record = { compiled: [] as Choice[], live: 0, timed: 0 };
  const bench: Bench = {
    pause: async () => {},
    async compile(_graph, choice) {
      record.compiled.push(choice);
      record.live++;
      return {
        async time(runs) {
          record.timed++;
          return runs * milliseconds(choice);
        },
        dispose: () => void record.live--,
      };
    },
  };
  return { bench, record };
}

function memoryStore(): Store & { readonly winners: Map<string, number> } {
  const winners = new Map<string, number>();
  return { winners, get: async (key) => winners.get(key), put: async (key, winner) => void winners.set(key, winner) };
}

const look = (graph: Graph, store: Store, extent: Extent = 'all') =>
  chosen(graph, target, choices, extent, { store, pause: async () => {} });
const never = new AbortController().signal;
const isDirect = (nodes: Graph, choiceOf: (node: Node) => Choice) =>
  makePlan(nodes, target, choiceOf).draws[0]!.kernel.name === 'conv_3x3';

describe('tuning', () => {
  it('tries what makes other kernels, and nothing twice', async () => {
    const [few] = (await look(chain(8, 8), memoryStore())).untuned;
    assert.deepEqual(few!.candidates, [{}, filtered, uniform]);
    const [many] = (await look(chain(64, 64), memoryStore())).untuned;
    assert.deepEqual(many!.candidates, [{}, direct]);
  });

  it('keeps the fastest for the next compilation', async () => {
    const [graph, store] = [chain(64, 64), memoryStore()];
    const before = await look(graph, store);
    assert.equal(isDirect(graph, before.choiceOf), false);
    await tune(before.untuned, fakeBench((choice) => (choice.winograd === 'never' ? 1 : 2)).bench, store, never);
    const after = await look(chain(64, 64), store);
    assert.deepEqual(after.untuned, []);
    const again = chain(64, 64);
    assert.equal(isDirect(again, (await look(again, store)).choiceOf), true);
  });

  it('takes nothing that gains less than a tenth', async () => {
    const [graph, store] = [chain(64, 64), memoryStore()];
    const { untuned } = await look(graph, store);
    await tune(untuned, fakeBench((choice) => (choice.winograd === 'never' ? 0.95 : 1)).bench, store, never);
    assert.deepEqual([...store.winners.values()], [0]);
  });

  it('asks once for layers that are alike', async () => {
    const { untuned } = await look(chain(16, 16, 16, 16), memoryStore());
    assert.equal(untuned.length, 1);
  });

  it('leaves light layers alone where only the heaviest are asked for', async () => {
    const graph = chain(128, 128, 8, 8);
    assert.equal((await look(graph, memoryStore(), 'heaviest')).untuned.length, 1);
    assert.equal((await look(graph, memoryStore())).untuned.length, 3);
  });

  it('ends when aborted, with nothing left on the device', async () => {
    const [store, life] = [memoryStore(), new AbortController()];
    const { bench, record } = fakeBench(() => 1);
    const { untuned } = await look(chain(64, 64, 8), store);
    await tune(untuned, { ...bench, pause: async () => life.abort() }, store, life.signal);
    assert.equal(record.timed, 1);
    assert.equal(record.live, 0);
    assert.equal(store.winners.size, 0);
  });

  it('does not take a stored number that is no candidate', async () => {
    const [graph, store] = [chain(64, 64), memoryStore()];
    store.winners.set((await look(graph, store)).untuned[0]!.key, 7);
    assert.equal((await look(graph, store)).untuned.length, 1);
  });
});
