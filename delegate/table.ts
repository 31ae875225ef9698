/**
 * What is kept between visits under a name: one table of an IndexedDB database. Where the browser has none or refuses
 * it (private windows, a full disk), nothing is kept and nothing is found.
 */
export class Table {
  readonly #database: string;
  readonly #name: string;
  #opened: Promise<IDBDatabase> | undefined;

  constructor(database: string, name: string) {
    this.#database = database;
    this.#name = name;
  }

  get(key: string): Promise<unknown> {
    return this.#ask('readonly', (table) => table.get(key));
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.#ask('readwrite', (table) => table.put(value, key));
  }

  /** Forgets all whose key does not start with this. */
  async keepOnly(start: string): Promise<void> {
    await this.#ask('readwrite', (table) => table.delete(IDBKeyRange.upperBound(start, true)));
    await this.#ask('readwrite', (table) => table.delete(IDBKeyRange.lowerBound(`${start}\uffff`)));
  }

  /** The result of a request; `undefined` where there is none to be had. */
  async #ask<T>(mode: IDBTransactionMode, request: (table: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
    try {
      this.#opened ??= this.#open();
      return await settled(request((await this.#opened).transaction(this.#name, mode).objectStore(this.#name)));
    } catch {
      return undefined;
    }
  }

  #open(): Promise<IDBDatabase> {
    const request = indexedDB.open(this.#database, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(this.#name);
    return settled(request);
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
