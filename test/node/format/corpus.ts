import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A path in the shared corpus. */
export function shared(path = ''): string {
  return join(process.env.TFLITE_GPU_SHARED ?? resolve('..', 'shared'), path);
}

/** A reason to skip where the shared corpus is absent, else false. */
export function missingShared(): string | false {
  return existsSync(shared('models')) ? false : `no corpus at ${shared()} (set TFLITE_GPU_SHARED)`;
}

/** Names of the real models. */
export function modelNames(): string[] {
  return readdirSync(shared('models')).filter((name) => name.endsWith('.tflite'));
}

/** Paths of the packed networks below `networks/`. */
export function networkNames(): string[] {
  return readdirSync(shared('networks'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.tflite.gz'),
  );
}

/** The bytes of a model of the corpus, unpacked. */
export function load(path: string): Uint8Array {
  const bytes = readFileSync(shared(path));
  return new Uint8Array(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}
