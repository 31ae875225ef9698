// Builds dist/: two ES modules that share nothing (tflite-gpu.js, format.js) with the chunks they load on demand, a
// script-tag bundle (global `tfliteGpu`), the command line and declarations; fails when the download grows too big.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';
import { bundleCli } from './bundle.mjs';
import { root } from './paths.mjs';

/** What may be downloaded, compressed: by a page that imports the package, and by one that uses all of it. */
const limitsKB = { import: 60, all: 132 };
const tfjs = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgl', '@tensorflow/tfjs-backend-cpu'];

const options = {
  absWorkingDir: root,
  entryPoints: ['src/index.ts'],
  bundle: true,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
};

/** In a script tag, TensorFlow.js and its backends are the global `tf`. */
const tfjsFromGlobal = {
  name: 'tfjs-from-global',
  setup(plugin) {
    plugin.onResolve({ filter: /^@tensorflow\/tfjs-/ }, ({ path: name }) =>
      tfjs.includes(name) ? { path: name, namespace: 'global-tf' } : undefined,
    );
    plugin.onLoad({ filter: /.*/, namespace: 'global-tf' }, () => ({ contents: 'module.exports = globalThis.tf;' }));
  },
};

/**
 * Bundles without names and spaces, and what each imports: what esbuild leaves, terser makes a twentieth smaller still.
 * By file name.
 */
async function minified(more) {
  const { outputFiles, metafile } = await build({ ...options, ...more, minify: true, write: false, metafile: true });
  const files = outputFiles.map(async ({ path: file, text }) => {
    const { imports } = metafile.outputs[path.relative(root, file)];
    const settings = { module: more.format === 'esm', compress: { passes: 3 }, format: { comments: false } };
    return [path.basename(file), { imports, code: (await minify(text, settings)).code }];
  });
  return new Map(await Promise.all(files));
}

/** The names of a bundle and of all chunks that it needs at once. */
function needed(bundles, name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const { kind, external, path: file } of bundles.get(name).imports)
    if (kind === 'import-statement' && !external) needed(bundles, path.basename(file), seen);
  return seen;
}

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const modules = { format: 'esm', splitting: true, outdir: 'dist', entryPoints: { 'tflite-gpu': 'src/index.ts' } };
for (const entryPoints of [modules.entryPoints, { format: 'src/format/index.ts' }])
  await build({ ...options, ...modules, entryPoints, external: [...tfjs, 'flatbuffers'], sourcemap: true });
const iife = { format: 'iife', globalName: 'tfliteGpu', plugins: [tfjsFromGlobal], outfile: 'dist/tflite-gpu.iife.js' };
for (const [name, { code }] of await minified(iife)) writeFileSync(path.join(root, 'dist', name), code);
await bundleCli('dist/cli.cjs');
const bundles = await minified({ ...modules, external: tfjs });
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

const kB = (bytes) => (bytes / 1000).toFixed(1);
const compressed = new Map([...bundles].map(([name, { code }]) => [name, gzipSync(code, { level: 9 }).length]));
const sum = (names) => [...names].reduce((total, name) => total + compressed.get(name), 0);
const first = needed(bundles, 'tflite-gpu.js');
const onDemand = [...compressed].filter(([name]) => !first.has(name)).map(([name, size]) => `${name} ${kB(size)} kB`);
const sizes = { import: sum(first), all: sum(compressed.keys()) };
console.log(
  `Minified and compressed, TensorFlow.js external: ${kB(sizes.import)} kB on import (limit ${limitsKB.import}), ${kB(sizes.all)} kB in all (limit ${limitsKB.all}); on demand: ${onDemand.join(', ')}`,
);
const scripts = readdirSync(path.join(root, 'dist')).filter((name) => /\.c?js$/.test(name));
console.log(scripts.map((name) => `dist/${name} ${kB(statSync(path.join(root, 'dist', name)).size)} kB`).join(', '));
for (const [what, limit] of Object.entries(limitsKB))
  if (sizes[what] > limit * 1000) {
    console.error(`The download (${what}) is ${kB(sizes[what])} kB compressed; the limit is ${limit} kB.`);
    process.exitCode = 1;
  }
