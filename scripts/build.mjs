// Builds dist/: two ES modules that share nothing (tflite-gpu.js, format.js) with the chunks they load on demand, a
// script-tag bundle (global `tfliteGpu`) and declarations; fails when the download grows too big.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';
import { root } from './paths.mjs';

/** What the download is to come down to, and what it may not grow beyond until then. */
const targetKB = 60;
const limitKB = 83;
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

/** The texts of a bundle and of all chunks that it needs at once. */
function firstDownload(bundles, name, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  const { code, imports } = bundles.get(name);
  const needed = imports.filter(({ kind, external }) => kind === 'import-statement' && !external);
  return [code, ...needed.flatMap((chunk) => firstDownload(bundles, path.basename(chunk.path), seen))];
}

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const modules = { format: 'esm', splitting: true, outdir: 'dist', entryPoints: { 'tflite-gpu': 'src/index.ts' } };
for (const entryPoints of [modules.entryPoints, { format: 'src/format/index.ts' }])
  await build({ ...options, ...modules, entryPoints, external: [...tfjs, 'flatbuffers'], sourcemap: true });
const iife = { format: 'iife', globalName: 'tfliteGpu', plugins: [tfjsFromGlobal], outfile: 'dist/tflite-gpu.iife.js' };
for (const [name, { code }] of await minified(iife)) writeFileSync(path.join(root, 'dist', name), code);
const texts = firstDownload(await minified({ ...modules, external: tfjs }), 'tflite-gpu.js');
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

const kB = (bytes) => (bytes / 1000).toFixed(1);
const sizeOf = (measure) => texts.reduce((sum, text) => sum + measure(text), 0);
const compressed = sizeOf((text) => gzipSync(text, { level: 9 }).length);
console.log(
  `Bundle, TensorFlow.js external: ${kB(sizeOf((text) => text.length))} kB minified, ${kB(compressed)} kB compressed (target ${targetKB}${compressed > targetKB * 1000 ? ', not met yet' : ''}; limit ${limitKB})`,
);
const scripts = readdirSync(path.join(root, 'dist')).filter((name) => name.endsWith('.js'));
console.log(scripts.map((name) => `dist/${name} ${kB(statSync(path.join(root, 'dist', name)).size)} kB`).join(', '));
if (compressed > limitKB * 1000) {
  console.error(`The bundle is ${kB(compressed)} kB compressed; the limit is ${limitKB} kB.`);
  process.exitCode = 1;
}
