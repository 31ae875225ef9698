import type { Pieces } from '../task.js';

/** A tensor's claim on memory: steps are numbered in execution order; it lives from `first` to `last`, inclusive. */
export interface Usage {
  readonly width: number;
  readonly height: number;
  readonly layers: number;
  /** Textures of halves and of floats are never shared. */
  readonly half: boolean;
  readonly first: number;
  readonly last: number;
}

/** A texture that usages with disjoint lives share; each takes its first texels and layers. */
export interface Slot {
  readonly width: number;
  readonly height: number;
  readonly layers: number;
  readonly half: boolean;
  readonly bytes: number;
  readonly usages: readonly number[];
}

/** slotOf[i] is the slot of usage i. */
export interface Assignment {
  readonly slotOf: readonly number[];
  readonly slots: readonly Slot[];
  readonly bytes: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Size = Pick<Slot, 'width' | 'height' | 'layers' | 'half'>;
type Order = (usages: readonly Usage[]) => number[];

/** Bytes of a texture. */
export const bytesOf = ({ width, height, layers, half }: Size): number => width * height * layers * (half ? 8 : 16);
const indices = (list: readonly unknown[]): number[] => list.map((_, i) => i);

/** Orders in which greedy assignment is tried; no single one wins everywhere (Pisarchyk & Lee 2020, arXiv 2001.03288). */
const ORDERS: readonly Order[] = [
  (u) => indices(u).sort((a, b) => bytesOf(u[b]!) - bytesOf(u[a]!) || u[a]!.first - u[b]!.first),
  (u) => indices(u).sort((a, b) => u[a]!.first - u[b]!.first || bytesOf(u[b]!) - bytesOf(u[a]!)),
  (u) => {
    const breadth = breadthPerStep(u);
    const peaks = u.map(({ first, last }) => {
      let most = 0;
      for (let s = first; s <= last; s++) most = Math.max(most, breadth[s]!);
      return most;
    });
    return indices(u).sort((a, b) => peaks[b]! - peaks[a]! || bytesOf(u[b]!) - bytesOf(u[a]!));
  },
];
/** Pairs of usages that one variation counts for at least: there are no more of them for the smallest models. */
const LEAST_EFFORT = 8e3;

/**
 * Shares textures between tensors whose lives are disjoint, in every order of `ORDERS` and then in variations of the
 * best one until the lower bound is reached or the effort spent, in pairs of usages compared; the smallest result wins,
 * of those below `limit` bytes. Deterministic.
 */
export function* assignMemory(
  usages: readonly Usage[],
  effort: number,
  limit = Number.POSITIVE_INFINITY,
): Pieces<Assignment | undefined> {
  let order: readonly number[] = [];
  let best: Assignment | undefined;
  const attempt = (next: readonly number[]) => {
    const result = greedy(usages, next, best?.bytes ?? limit);
    if (result) [best, order] = [result, next];
  };
  for (const made of ORDERS) {
    attempt(made(usages));
    yield;
  }
  const tries = best ? Math.floor(effort / Math.max(LEAST_EFFORT, usages.length ** 2)) : 0;
  const next = pseudoRandom(usages.length);
  const bound = tries > 0 ? sharedLowerBound(usages) : 0;
  for (let i = 0; i < tries && best!.bytes > bound; i++) {
    const changed = [...order];
    for (let swaps = 1 + next(3); swaps > 0; swaps--) {
      const [from] = changed.splice(next(changed.length), 1);
      changed.splice(next(changed.length + 1), 0, from!);
    }
    attempt(changed);
    yield;
  }
  return best;
}

/** Whole numbers below a limit that are the same in every run (a linear congruence of Numerical Recipes). */
function pseudoRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Bytes that no sharing of whole textures can go below: the sum over ranks of the largest usage of that rank in any step. */
export function sharedLowerBound(usages: readonly Usage[]): number {
  return [false, true].reduce((sum, half) => sum + boundOf(usages.filter((u) => u.half === half)), 0);
}

/** The bound for textures of one kind, from one walk over the steps: what is live changes only where a life begins or ends. */
function boundOf(usages: readonly Usage[]): number {
  const begins = [...usages].sort((a, b) => a.first - b.first);
  const ends = [...usages].sort((a, b) => a.last - b.last);
  const ranks: number[] = [];
  /** Sizes, largest first. */
  const live: number[] = [];
  let ended = 0;
  for (const u of begins) {
    for (; ends[ended]!.last < u.first; ended++) live.splice(live.indexOf(bytesOf(ends[ended]!)), 1);
    const bytes = bytesOf(u);
    const at = live.findIndex((size) => size < bytes);
    const rank = at < 0 ? live.length : at;
    live.splice(rank, 0, bytes);
    for (let i = rank; i < live.length; i++) ranks[i] = Math.max(ranks[i] ?? 0, live[i]!);
  }
  return ranks.reduce((a, b) => a + b, 0);
}

/** Puts each usage where the growth is least: into a free slot, or into a new one. Gives up at `limit` bytes. */
function greedy(usages: readonly Usage[], order: readonly number[], limit: number): Assignment | undefined {
  let total = 0;
  const slots: (Mutable<Omit<Slot, 'usages'>> & { readonly usages: number[] })[] = [];
  const slotOf = new Array<number>(usages.length);
  for (const i of order) {
    const u = usages[i]!;
    const bytes = bytesOf(u);
    let best = -1;
    let least = bytes;
    let waste = Number.POSITIVE_INFINITY;
    for (let s = 0; s < slots.length; s++) {
      const slot = slots[s]!;
      if (slot.half !== u.half) continue;
      const growth = grownBytes(slot, u) - slot.bytes;
      const left = slot.bytes - bytes;
      const isBetter = growth < least || (growth === least && left < waste);
      if (isBetter && isFree(slot.usages, usages, u)) [best, least, waste] = [s, growth, left];
    }
    total += least;
    if (total >= limit) return undefined;
    if (best < 0) {
      const { width, height, layers, half } = u;
      best = slots.push({ width, height, layers, half, bytes, usages: [] }) - 1;
    }
    const slot = slots[best]!;
    slot.width = Math.max(slot.width, u.width);
    slot.height = Math.max(slot.height, u.height);
    slot.layers = Math.max(slot.layers, u.layers);
    slot.bytes = bytesOf(slot);
    slot.usages.splice(placeOf(slot.usages, usages, u), 0, i);
    slotOf[i] = best;
  }
  return { slotOf, slots, bytes: total };
}

/** Bytes of a slot that holds a usage too. */
function grownBytes(slot: Size, u: Usage): number {
  const { half } = slot;
  const [width, height] = [Math.max(slot.width, u.width), Math.max(slot.height, u.height)];
  return bytesOf({ width, height, layers: Math.max(slot.layers, u.layers), half });
}

/** Where in a slot, whose usages are in order, one that begins with `u` belongs. */
function placeOf(held: readonly number[], usages: readonly Usage[], u: Usage): number {
  let [low, high] = [0, held.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (usages[held[middle]!]!.first < u.first) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** True where the slot holds nothing while `u` lives. Its usages are disjoint, so the neighbours decide. */
function isFree(held: readonly number[], usages: readonly Usage[], u: Usage): boolean {
  const at = placeOf(held, usages, u);
  const [before, after] = [usages[held[at - 1]!], usages[held[at]!]];
  return !(before && before.last >= u.first) && !(after && after.first <= u.last);
}

/** Bytes alive in each step. */
function breadthPerStep(usages: readonly Usage[]): number[] {
  const steps = usages.reduce((most, { last }) => Math.max(most, last + 2), 0);
  const breadth = new Array<number>(steps).fill(0);
  for (const u of usages) {
    breadth[u.first]! += bytesOf(u);
    breadth[u.last + 1]! -= bytesOf(u);
  }
  for (let s = 1; s < steps; s++) breadth[s]! += breadth[s - 1]!;
  return breadth;
}
