// Files for Node tests, which run with the project's root as working directory.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The project's root folder. */
export const root = process.cwd();

/** The corpus folder, or undefined where the machine has none. */
export const shared = [process.env.TFLITE_GPU_SHARED ?? path.join(root, '../shared')].find((folder) =>
  existsSync(path.join(folder, 'ops')),
);

/** The `skip` option of a test that needs the corpus: a reason, or false where it is present. */
export const skipWithoutShared = shared ? false : 'the corpus (../shared, or TFLITE_GPU_SHARED) is not on this machine';

/** Reads a file of the project. */
export function projectFile(name: string): Uint8Array {
  return readFileSync(path.join(root, name));
}

/** Reads a file of the corpus. */
export function sharedFile(name: string): Uint8Array {
  return readFileSync(path.join(shared!, name));
}

/** All files under a folder of the project, as paths from its root, without installed or built ones. */
export function filesUnder(folder: string): string[] {
  const skipped = new Set(['node_modules', 'dist', '.git']);
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesUnder(name);
    return entry.isFile() ? [name] : [];
  });
}
