// What there is to run: each corpus as a list of items in a fixed order.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleNodeTests } from '../../scripts/bundle.mjs';
import { cacheFolder, root, shared } from '../../scripts/paths.mjs';

/** The corpora by name: whether cases are op files or whole networks, and the folder that the page sees as /corpus/. */
export const corpora = {
  fixtures: { kind: 'ops', expectations: 'ops', folder: path.join(root, 'test/fixtures/ops') },
  ops: { kind: 'ops', expectations: 'ops', folder: shared && path.join(shared, 'ops') },
  networks: { kind: 'network', expectations: 'networks', folder: shared && path.join(shared, 'networks') },
  models: { kind: 'network', expectations: 'models', folder: shared && path.join(shared, 'models') },
  packages: { kind: 'network', expectations: 'models', folder: cacheFolder('packages'), prepare: copyPackages },
};

const mnistFiles = { float32: 'mnist_model', float16: 'mnist_model_quant_f16' };

/** Lists a corpus: op files as `{ name, file, cases }`, networks as `{ name, model, golden }`. */
export function itemsOf(corpus) {
  const { folder } = corpora[corpus];
  if (corpora[corpus].kind === 'ops') return opFiles(folder);
  return bySize(folder, corpus === 'networks' ? networks(folder) : models(folder));
}

function opFiles(folder) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && file !== 'INDEX.json');
  return files.sort().map((file) => {
    const { op, cases } = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
    return { name: op ?? path.basename(file, '.json'), file, cases: cases.map((test) => test.name) };
  });
}

function networks(folder) {
  const names = readdirSync(folder).filter((name) => statSync(path.join(folder, name)).isDirectory());
  return names.flatMap((name) => {
    const flavours = readdirSync(path.join(folder, name)).filter((file) => file.endsWith('.json'));
    return flavours
      .map((file) => path.basename(file, '.json'))
      .map((flavour) => ({
        name: `${name} ${flavour}`,
        model: modelFile(folder, name, flavour),
        golden: `${name}/${flavour}.json`,
      }))
      .filter(({ model }) => model);
  });
}

function modelFile(folder, name, flavour) {
  const stem = name === 'mnist' ? (mnistFiles[flavour] ?? `mnist_model_${flavour}`) : `${name}_${flavour}`;
  return [`${name}/${stem}.tflite.gz`, `${name}/${stem}.tflite`].find((file) => existsSync(path.join(folder, file)));
}

function models(folder) {
  const stems = readdirSync(path.join(folder, 'golden')).map((file) => path.basename(file, '.json'));
  return stems.map((stem) => ({ name: stem, model: `${stem}.tflite`, golden: `golden/${stem}.json` }));
}

/** Small files first: a run that is cut short has done most items. */
function bySize(folder, items) {
  const size = new Map(items.map((item) => [item, statSync(path.join(folder, item.model)).size]));
  return items.sort((a, b) => size.get(a) - size.get(b));
}

/** Gathers the models of npm packages, makes a golden for each, and keeps both. */
async function copyPackages(folder) {
  const source = path.join(root, 'node_modules/@mediapipe');
  const files = readdirSync(source, { recursive: true }).filter((file) => file.endsWith('.tflite'));
  const [module] = await bundleNodeTests(['test/conformance/package-goldens.ts'], cacheFolder('package-goldens'));
  const { goldenOf } = await import(module);
  mkdirSync(path.join(folder, 'golden'), { recursive: true });
  for (const file of files) {
    const stem = file.replaceAll(path.sep, '__').replace('.tflite', '');
    const bytes = readFileSync(path.join(source, file));
    writeFileSync(path.join(folder, `${stem}.tflite`), bytes);
    writeFileSync(path.join(folder, `golden/${stem}.json`), JSON.stringify(await goldenOf(bytes)));
  }
}
