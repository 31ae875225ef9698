// Where things are: the project, the folder for built test files, and the corpus (which only some machines have).
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The corpus folder, or undefined where the machine has none. */
export const shared = [process.env.TFLITE_GPU_SHARED ?? path.join(root, '../shared')].find((folder) =>
  existsSync(path.join(folder, 'ops')),
);

/** A folder for generated files, made on demand; inside node_modules so that bundles resolve packages from there. */
export function cacheFolder(name) {
  const folder = path.join(root, 'node_modules/.cache/tflite-gpu', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
