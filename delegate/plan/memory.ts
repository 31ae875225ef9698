/** A tensor's claim on memory: steps are numbered in execution order; it lives from `first` to `last`, inclusive. */
export interface Usage {
  readonly width: number;
  readonly height: number;
  /** Textures are shared only within a kind: layers and format. */
  readonly kind: string;
  /** Bytes of one texel through all layers. */
  readonly texelBytes: number;
  readonly first: number;
  readonly last: number;
}

/** A texture that usages with disjoint lives share. */
export interface Slot {
  width: number;
  height: number;
  readonly kind: string;
  readonly texelBytes: number;
  readonly usages: number[];
}

/** slotOf[i] is the slot of usage i. */
export interface Assignment {
  readonly slotOf: readonly number[];
  readonly slots: readonly Slot[];
  readonly bytes: number;
}

type Order = (usages: readonly Usage[]) => number[];

const bytesOf = (u: { width: number; height: number; texelBytes: number }): number => u.width * u.height * u.texelBytes;
const indices = (list: readonly unknown[]): number[] => list.map((_, i) => i);

/** Orders in which greedy assignment is tried; no single one wins everywhere (Pisarchyk & Lee 2020, arXiv 2001.03288). */
const ORDERS: readonly Order[] = [
  (u) => indices(u).sort((a, b) => bytesOf(u[b]!) - bytesOf(u[a]!) || u[a]!.first - u[b]!.first),
  (u) => indices(u).sort((a, b) => u[a]!.first - u[b]!.first || bytesOf(u[b]!) - bytesOf(u[a]!)),
  (u) => {
    const breadth = breadthPerStep(u);
    const peak = (i: number) => Math.max(...stepsOf(u[i]!).map((s) => breadth[s] ?? 0));
    const peaks = indices(u).map(peak);
    return indices(u).sort((a, b) => peaks[b]! - peaks[a]! || bytesOf(u[b]!) - bytesOf(u[a]!));
  },
];

/** Shares textures between tensors whose lives are disjoint, with every strategy; the smallest result wins. */
export function assignMemory(usages: readonly Usage[]): Assignment {
  const results = ORDERS.map((order) => greedy(usages, order(usages)));
  return results.reduce((best, r) => (r.bytes < best.bytes ? r : best));
}

/** Bytes that no sharing of whole textures can go below: the sum over ranks of the largest usage of that rank in any step. */
export function sharedLowerBound(usages: readonly Usage[]): number {
  let sum = 0;
  for (const kind of new Set(usages.map((u) => u.kind))) {
    const live = new Map<number, number[]>();
    for (const u of usages)
      if (u.kind === kind) for (const s of stepsOf(u)) live.set(s, [...(live.get(s) ?? []), bytesOf(u)]);
    const ranks: number[] = [];
    for (const sizes of live.values())
      sizes
        .sort((a, b) => b - a)
        .forEach((size, rank) => {
          ranks[rank] = Math.max(ranks[rank] ?? 0, size);
        });
    sum += ranks.reduce((a, b) => a + b, 0);
  }
  return sum;
}

/** Puts each usage where the growth is least: into a free slot, or into a new one. */
function greedy(usages: readonly Usage[], order: readonly number[]): Assignment {
  const slots: Slot[] = [];
  const slotOf = new Array<number>(usages.length);
  for (const i of order) {
    const u = usages[i]!;
    let best = -1;
    let least = bytesOf(u);
    let waste = Number.POSITIVE_INFINITY;
    slots.forEach((slot, s) => {
      if (slot.kind !== u.kind || slot.usages.some((j) => overlap(usages[j]!, u))) return;
      const growth =
        bytesOf({ ...slot, width: Math.max(slot.width, u.width), height: Math.max(slot.height, u.height) }) -
        bytesOf(slot);
      const left = bytesOf(slot) - bytesOf(u);
      if (growth < least || (growth === least && left < waste)) [best, least, waste] = [s, growth, left];
    });
    if (best < 0) best = slots.push({ width: 0, height: 0, kind: u.kind, texelBytes: u.texelBytes, usages: [] }) - 1;
    const slot = slots[best]!;
    slot.width = Math.max(slot.width, u.width);
    slot.height = Math.max(slot.height, u.height);
    slot.usages.push(i);
    slotOf[i] = best;
  }
  return { slotOf, slots, bytes: slots.reduce((sum, s) => sum + bytesOf(s), 0) };
}

function overlap(a: Usage, b: Usage): boolean {
  return a.first <= b.last && b.first <= a.last;
}

function stepsOf({ first, last }: Usage): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function breadthPerStep(usages: readonly Usage[]): number[] {
  const breadth: number[] = [];
  for (const u of usages) for (const s of stepsOf(u)) breadth[s] = (breadth[s] ?? 0) + bytesOf(u);
  return breadth;
}
