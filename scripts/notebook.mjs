// npm run notebook [-- --port N]: builds the notebooks of examples/notebooks and serves them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { cacheFolder, root } from './paths.mjs';
import { serve } from './serve.mjs';

const folder = path.join(root, 'examples/notebooks');

/** Builds every notebook into a folder that needs nothing else; returns it. */
export function buildNotebooks() {
  const out = cacheFolder('notebooks');
  const notebooks = readdirSync(folder).filter((file) => file.endsWith('.html'));
  const kit = path.join(root, 'node_modules/@observablehq/notebook-kit/dist/bin/notebooks.js');
  const args = [kit, 'build', '--root', folder, '--out', out, '--empty', ...notebooks];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`Notebook Kit ended with status ${status}`);
  return out;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values: args } = parseArgs({ options: { port: { type: 'string', default: '8081' } } });
  const { url } = await serve({ '/notebooks/': buildNotebooks() }, { port: Number(args.port) });
  console.log(`Open ${url}/notebooks/post_training_float16_quant.html in a browser; stop with Ctrl+C.`);
}
