import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Graph, Node, Value } from '../../../delegate/ir/graph.js';
import { makePlan } from '../../../delegate/plan/plan.js';
import type { Choice } from '../../../delegate/shader/target.js';
import { finish } from '../../../delegate/task.js';
import { type Bench, type Extent, type Store, Tuner } from '../../../delegate/tuning/tuner.js';
import { activation, constant, graphOf, node, target as software } from './build.js';

const target = { ...software, targets: 4 as const };
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

/** A device on which a run takes what `milliseconds` says of the first kernel, and a record of what was done on it. */
function fakeBench(milliseconds: (kernel: string) => number = () => 1) {
  const record = { live: 0, timed: 0 };
  const bench: Bench = {
    plan: (one, choice) => {
      const inputs = one.inputs.filter((value) => value !== undefined && !value.data) as Value[];
      return finish(makePlan(graphOf(inputs, [one], one.outputs), target, () => choice));
    },
    compile: async (plan) => {
      record.live++;
      return {
        time: async (runs) => {
          record.timed++;
          return runs * milliseconds(plan.draws[0]!.kernel.name);
        },
        dispose: () => void record.live--,
      };
    },
    pause: async () => {},
  };
  return { bench, record };
}

function memoryStore(): Store & { readonly winners: Map<string, number> } {
  const winners = new Map<string, number>();
  return { winners, get: async (key) => winners.get(key), put: async (key, winner) => void winners.set(key, winner) };
}

const directTakes = (milliseconds: number) => fakeBench((kernel) => (kernel === 'conv_3x3' ? milliseconds : 1)).bench;
const look = (graph: Graph, { store = memoryStore(), bench = fakeBench().bench, extent = 'all' as Extent } = {}) =>
  new Tuner(bench, store, choices, extent).tuningOf(graph);
const never = new AbortController().signal;
const firstKernel = (nodes: Graph, choiceOf: (node: Node) => Choice) =>
  finish(makePlan(nodes, target, choiceOf)).draws[0]!.kernel.name;

describe('tuning', () => {
  it('tries what makes other kernels, and nothing twice', async () => {
    const [few] = (await look(chain(8, 8))).untuned;
    assert.deepEqual(few!.candidates, [{}, filtered, uniform]);
    const [many] = (await look(chain(64, 64))).untuned;
    assert.deepEqual(many!.candidates, [{}, direct]);
  });

  it('keeps the fastest for the next compilation', async () => {
    const [graph, store] = [chain(64, 64), memoryStore()];
    const before = await look(graph, { store, bench: directTakes(0.5) });
    assert.equal(firstKernel(graph, before.choiceOf), 'winograd_columns');
    await before.start(never);
    const again = chain(64, 64);
    const after = await look(again, { store });
    assert.deepEqual(after.untuned, []);
    assert.equal(firstKernel(again, after.choiceOf), 'conv_3x3');
  });

  it('takes nothing that gains less than a tenth', async () => {
    const store = memoryStore();
    await (await look(chain(64, 64), { store, bench: directTakes(0.95) })).start(never);
    assert.deepEqual([...store.winners.values()], [0]);
  });

  it('asks once for layers that are alike', async () => {
    assert.equal((await look(chain(16, 16, 16, 16))).untuned.length, 1);
  });

  it('leaves light layers alone where only the heaviest are asked for', async () => {
    const graph = chain(128, 128, 4, 4);
    assert.equal((await look(graph, { extent: 'heaviest' })).untuned.length, 1);
    assert.equal((await look(graph)).untuned.length, 3);
  });

  it('ends when aborted, with nothing left on the device', async () => {
    const [store, life] = [memoryStore(), new AbortController()];
    const { bench, record } = fakeBench();
    const { start } = await look(chain(64, 64, 8), { store, bench });
    bench.pause = async () => life.abort();
    await start(life.signal);
    assert.deepEqual([record.timed, record.live, store.winners.size], [1, 0, 0]);
  });

  it('tells where the device gives out, and lets the next graph have its turn', async () => {
    const { bench, record } = fakeBench();
    const store = memoryStore();
    const tuner = new Tuner(bench, store, choices, 'all');
    const [one, other] = [await tuner.tuningOf(chain(64, 64)), await tuner.tuningOf(chain(8, 8))];
    const { compile } = bench;
    bench.compile = async () => {
      bench.compile = compile;
      throw new Error('gone');
    };
    const [first, second] = [one.start(never), other.start(never)];
    await assert.rejects(first, /gone/);
    await second;
    assert.deepEqual([record.live, store.winners.size], [0, 1]);
  });

  it('does not take a stored number that is no candidate', async () => {
    const [graph, store] = [chain(64, 64), memoryStore()];
    store.winners.set((await look(graph, { store })).untuned[0]!.key, 7);
    assert.equal((await look(graph, { store })).untuned.length, 1);
  });
});
