import { Table } from '../table.js';
import type { Store } from './tuner.js';

/** The IndexedDB database and its one object store. */
export const DATABASE = 'tflite-gpu';
export const WINNERS = 'tuning';

/** Winners of one renderer, kept between visits, and as long as the page in any case. */
export function openStore(renderer: string): Store {
  const kept = new Map<string, number>();
  const table = new Table(DATABASE, WINNERS);
  const full = (key: string) => `${renderer} ${key}`;
  return {
    async get(key) {
      const winner = kept.get(key) ?? (await table.get(full(key)));
      return typeof winner === 'number' ? winner : undefined;
    },
    async put(key, winner) {
      kept.set(key, winner);
      await table.put(full(key), winner);
    },
  };
}
