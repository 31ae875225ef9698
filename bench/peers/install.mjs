// The packages of the peers have a folder of their own and are installed on first use: together they take 120 MB.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/paths.mjs';

const folder = path.join(root, 'bench/peers');
/** Peers that need packages of that folder. */
export const packaged = ['litert-webgpu', 'litert-wasm', 'tfjs-tflite', 'mediapipe'];

/** Where the packages are. Installs them where they are missing; throws with what to do when that fails. */
export function installPeers() {
  const packages = path.join(folder, 'node_modules');
  if (existsSync(path.join(packages, '.package-lock.json'))) return packages;
  console.log('Installing the peers of the benchmark into bench/peers (once)...');
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
  } catch (error) {
    throw new Error(
      `npm could not install ${packaged.join(', ')} into bench/peers (${error.message}); without them: --peers ours,ours-f16,tfjs-webgl`,
    );
  }
  return packages;
}
