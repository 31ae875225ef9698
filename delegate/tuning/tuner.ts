// Times the ways in which a kernel can be had on the device and keeps the fastest for the next compilation. Loaded only
// where options ask for it, and so imports nothing of what is always loaded but types.
import type { Graph, Node } from '../ir/graph.js';
import type { Plan } from '../plan/plan.js';
import type { Choice } from '../shader/target.js';
import { heaviest, type Tunable, tunable } from './candidates.js';

/** A plan on the device. */
export interface Timed {
  /** Issues `runs` runs and resolves once the GPU has done them, to the milliseconds that took. */
  time(runs: number): Promise<number>;
  dispose(): void;
}

/** The compiler and the device as the tuner sees them. */
export interface Bench {
  /** The plan of a node alone. */
  plan(node: Node, choice: Choice): Plan;
  compile(plan: Plan): Promise<Timed>;
  /** Gives the page and the GPU a turn. */
  pause(): Promise<void>;
}

/** Winners by key: the position of a candidate. */
export interface Store {
  get(key: string): Promise<number | undefined>;
  put(key: string, winner: number): Promise<void>;
}

/** What to tune: `all` kernels with candidates, or the `heaviest`. */
export type Extent = 'all' | 'heaviest';

/** What was chosen earlier for the nodes of one graph, and what nobody has timed yet. */
export interface Tuning {
  readonly choiceOf: (node: Node) => Choice;
  readonly untuned: readonly Tunable[];
  /** Times what is untuned, for the next compilation, until done or aborted. Rejects where the device gives out. */
  start(signal: AbortSignal): Promise<void>;
}

/** Times of each candidate, taken in turns; the least counts, since whatever else runs only adds. */
const ROUNDS = 5;
/** A stretch of work for the GPU in milliseconds: long against the grain of fences, short for a page that waits. */
const STRETCH = 12;
const MOST_RUNS = 64;
/** What a candidate must gain on the untuned kernel to be chosen: less may be noise. */
const LEAST_GAIN = 1.1;

/** Tunes graphs, one at a time: two would time each other. */
export class Tuner {
  readonly #bench: Bench;
  readonly #store: Store;
  readonly #choices: readonly Choice[];
  readonly #extent: Extent;
  #turn: Promise<unknown> = Promise.resolve();

  /** `choices` are what may be chosen for a node instead of nothing. */
  constructor(bench: Bench, store: Store, choices: readonly Choice[], extent: Extent) {
    this.#bench = bench;
    this.#store = store;
    this.#choices = choices;
    this.#extent = extent;
  }

  /** Looks up what earlier tuning chose for a graph; the page gets a turn after each node. */
  async tuningOf(graph: Graph): Promise<Tuning> {
    const all: Tunable[] = [];
    for (const node of graph.nodes) {
      const found = tunable(node, this.#choices, this.#bench.plan);
      if (found) all.push(found);
      if (found) await this.#bench.pause();
    }
    const choices = new Map<Node, Choice>();
    const untuned = new Map<string, Tunable>();
    for (const one of this.#extent === 'all' ? all : heaviest(all)) {
      const winner = await this.#store.get(one.key);
      const choice = winner === undefined ? undefined : one.candidates[winner];
      if (choice) choices.set(one.node, choice);
      else untuned.set(one.key, one);
    }
    const list = [...untuned.values()];
    return {
      choiceOf: (node) => choices.get(node) ?? {},
      untuned: list,
      start: (signal) => {
        const work = this.#turn.then(() => this.#tune(list, signal));
        this.#turn = work.catch(() => {}); // the caller is told; the next graph has its turn all the same
        return work;
      },
    };
  }

  async #tune(untuned: readonly Tunable[], signal: AbortSignal): Promise<void> {
    for (const one of untuned) {
      const winner = await this.#fastest(one, signal);
      if (winner === undefined) return;
      await this.#store.put(one.key, winner);
    }
  }

  /** The position of the fastest candidate: the first, unless another is clearly faster. `undefined` when aborted. */
  async #fastest({ node, candidates }: Tunable, signal: AbortSignal): Promise<number | undefined> {
    const timed: Timed[] = [];
    try {
      for (const choice of candidates) {
        if (signal.aborted) return undefined;
        timed.push(await this.#bench.compile(this.#bench.plan(node, choice)));
      }
      const once = await timed[0]!.time(1);
      const runs = Math.ceil(Math.min(MOST_RUNS, STRETCH / once));
      const least = candidates.map(() => Number.POSITIVE_INFINITY);
      for (let round = 0; round < ROUNDS; round++)
        for (const [i, candidate] of timed.entries()) {
          await this.#bench.pause();
          if (signal.aborted) return undefined;
          least[i] = Math.min(least[i]!, await candidate.time(runs));
        }
      const best = least.indexOf(Math.min(...least));
      return least[best]! * LEAST_GAIN <= least[0]! ? best : 0;
    } finally {
      for (const one of timed) one.dispose();
    }
  }
}
