import type { Store } from './tuner.js';

/** The IndexedDB database and its one object store. */
export const DATABASE = 'tflite-gpu';
export const WINNERS = 'tuning';

/**
 * Winners of one renderer, kept in IndexedDB between visits. Where the browser has none or refuses it (private windows),
 * they are kept as long as the page.
 */
export function openStore(renderer: string): Store {
  const kept = new Map<string, number>();
  let database: Promise<IDBDatabase> | undefined;
  /** The result of a request on the object store; `undefined` where there is none to be had. */
  const ask = async <T>(mode: IDBTransactionMode, request: (store: IDBObjectStore) => IDBRequest<T>) => {
    try {
      database ??= open();
      return await settled(request((await database).transaction(WINNERS, mode).objectStore(WINNERS)));
    } catch {
      return undefined;
    }
  };
  const full = (key: string) => `${renderer} ${key}`;
  return {
    async get(key) {
      const winner = kept.get(key) ?? (await ask('readonly', (store) => store.get(full(key))));
      return typeof winner === 'number' ? winner : undefined;
    },
    async put(key, winner) {
      kept.set(key, winner);
      await ask('readwrite', (store) => store.put(winner, full(key)));
    },
  };
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(WINNERS);
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
