// nsfwjs carries its models as scripts, weights in base64: unpacks them to a model.json with its shards beside it.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cacheFolder, root } from '../../scripts/paths.mjs';

const packed = path.join(root, 'node_modules/nsfwjs/dist/models');
const require = createRequire(import.meta.url);

/** The folder with a folder for each model: mobilenet_v2, mobilenet_v2_mid, inception_v3. */
export function unpackNsfwModels() {
  const folder = cacheFolder('nsfwjs');
  for (const { name } of readdirSync(packed, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
    unpack(path.join(packed, name), path.join(folder, name));
  return folder;
}

function unpack(from, to) {
  const model = path.join(to, 'model.json');
  if (existsSync(model)) return;
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from).filter((name) => name.startsWith('group')))
    writeFileSync(path.join(to, file.replace('.min.js', '')), Buffer.from(exportsOf(path.join(from, file)), 'base64'));
  writeFileSync(model, JSON.stringify(exportsOf(path.join(from, 'model.min.js'))));
}

/** What a script gives to whoever requires it. */
function exportsOf(file) {
  const module = { exports: {} };
  new Function('module', 'exports', 'require', readFileSync(file, 'utf8'))(module, module.exports, require);
  return module.exports;
}
