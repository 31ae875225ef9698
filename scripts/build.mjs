// Builds dist/: two ES modules that stand alone (tflite-gpu.js, format.js), a script-tag bundle (global `tfliteGpu`) and
// declarations; fails when the download grows too big.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';
import { root } from './paths.mjs';

/** What the download is to come down to, and what it may not grow beyond until then. */
const targetKB = 60;
const limitKB = 81;
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

/** One bundle without names and spaces: what esbuild leaves, terser makes a twentieth smaller still. */
async function minified(more) {
  const { outputFiles } = await build({ ...options, ...more, minify: true, write: false });
  const { code } = await minify(outputFiles[0].text, {
    module: more.format === 'esm',
    compress: { passes: 3 },
    format: { comments: false },
  });
  return code;
}

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const external = [...tfjs, 'flatbuffers'];
await build({
  ...options,
  entryPoints: { 'tflite-gpu': 'src/index.ts', format: 'src/format/index.ts' },
  format: 'esm',
  external,
  sourcemap: true,
  outdir: 'dist',
});
const script = await minified({ format: 'iife', globalName: 'tfliteGpu', plugins: [tfjsFromGlobal] });
writeFileSync(path.join(root, 'dist/tflite-gpu.iife.js'), script);
const text = await minified({ format: 'esm', external: tfjs });
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

const kB = (bytes) => (bytes / 1000).toFixed(1);
const compressed = gzipSync(text, { level: 9 }).length;
console.log(
  `Bundle, TensorFlow.js external: ${kB(text.length)} kB minified, ${kB(compressed)} kB compressed (target ${targetKB}${compressed > targetKB * 1000 ? ', not met yet' : ''}; limit ${limitKB})`,
);
const scripts = readdirSync(path.join(root, 'dist')).filter((name) => name.endsWith('.js'));
console.log(scripts.map((name) => `dist/${name} ${kB(statSync(path.join(root, 'dist', name)).size)} kB`).join(', '));
if (compressed > limitKB * 1000) {
  console.error(`The bundle is ${kB(compressed)} kB compressed; the limit is ${limitKB} kB.`);
  process.exitCode = 1;
}
