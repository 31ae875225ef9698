// Times the ways in which a kernel can be had on the device and keeps the fastest for the next compilation.
import type { Graph, Node } from '../ir/graph.js';
import type { Choice, Target } from '../shader/target.js';
import { graphOf, heaviest, type Tunable, tunables } from './candidates.js';

/** A graph compiled to be timed. */
export interface Timed {
  /** Issues `runs` runs and resolves once the GPU has done them, to the milliseconds that took. */
  time(runs: number): Promise<number>;
  dispose(): void;
}

/** The device as the tuner sees it. */
export interface Bench {
  compile(graph: Graph, choice: Choice): Promise<Timed>;
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

/** A graph with what was chosen for its nodes earlier, and what nobody has timed yet. */
export interface Choices {
  readonly choiceOf: (node: Node) => Choice;
  readonly untuned: readonly Tunable[];
}

/** Times of each candidate, taken in turns; the least counts, since whatever else runs only adds. */
const ROUNDS = 5;
/** A stretch of work for the GPU: long against the grain of fences, short for a page that waits. */
const STRETCH = 12;
/** What a candidate must gain on the untuned kernel to be chosen: less may be noise. */
const LEAST_GAIN = 1.1;

/** What earlier tuning chose for the nodes of a graph. Works in pieces, between which `pause` is called. */
export async function chosen(
  graph: Graph,
  target: Target,
  axes: readonly Choice[],
  extent: Extent,
  { store, pause }: { readonly store: Store; readonly pause: () => Promise<void> },
): Promise<Choices> {
  const all: Tunable[] = [];
  for (const found of tunables(graph, target, axes)) {
    if (!found) continue;
    all.push(found);
    await pause();
  }
  const choices = new Map<Node, Choice>();
  const untuned = new Map<string, Tunable>();
  for (const tunable of extent === 'all' ? all : heaviest(all)) {
    const winner = await store.get(tunable.key);
    const choice = winner === undefined ? undefined : tunable.candidates[winner];
    if (choice) choices.set(tunable.node, choice);
    else untuned.set(tunable.key, tunable);
  }
  return { choiceOf: (node) => choices.get(node) ?? {}, untuned: [...untuned.values()] };
}

/** Times the candidates of each and stores the winners, until done or aborted. */
export async function tune(
  untuned: readonly Tunable[],
  bench: Bench,
  store: Store,
  signal: AbortSignal,
): Promise<void> {
  for (const { node, key, candidates } of untuned) {
    if (signal.aborted) return;
    const winner = await fastest(graphOf(node), candidates, bench, signal);
    if (winner !== undefined) await store.put(key, winner);
  }
}

/** The position of the fastest candidate; the first where no other is clearly faster. `undefined` when aborted. */
async function fastest(
  graph: Graph,
  candidates: readonly Choice[],
  bench: Bench,
  signal: AbortSignal,
): Promise<number | undefined> {
  const timed: Timed[] = [];
  try {
    for (const choice of candidates) {
      if (signal.aborted) return undefined;
      timed.push(await bench.compile(graph, choice));
    }
    const once = await timed[0]!.time(1);
    const runs = Math.max(1, Math.min(64, Math.floor(STRETCH / Math.max(once, STRETCH / 64))));
    const least = candidates.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, candidate] of timed.entries()) {
        await bench.pause();
        if (signal.aborted) return undefined;
        least[i] = Math.min(least[i]!, await candidate.time(runs));
      }
    const best = least.indexOf(Math.min(...least));
    return least[best]! * LEAST_GAIN <= least[0]! ? best : 0;
  } finally {
    for (const one of timed) one.dispose();
  }
}
