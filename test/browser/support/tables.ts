// What is kept between visits, as the delegate's Table keeps it.

export function request<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

/** What `work` makes of the one table of a database, which is made where it is not there. */
export async function inTable<T>(
  name: string,
  table: string,
  work: (table: () => IDBObjectStore) => Promise<T>,
): Promise<T> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(table);
  const database = await request(opening);
  try {
    return await work(() => database.transaction(table, 'readwrite').objectStore(table));
  } finally {
    database.close();
  }
}
