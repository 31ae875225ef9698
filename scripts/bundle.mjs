// The esbuild settings that pages, Node tests and Karma share.
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './paths.mjs';

const common = {
  absWorkingDir: root,
  bundle: true,
  target: 'es2022',
  logLevel: 'error',
  define: { global: 'globalThis' },
};

/** Bundles one page script and returns its text. `module` replaces what `tflite-gpu` means (default: this project), `alias` others. */
export async function bundlePage(entry, { module = 'src/index.ts', minify = false, alias = {} } = {}) {
  const result = await build({
    ...common,
    entryPoints: [path.resolve(root, entry)],
    alias: { 'tflite-gpu': path.resolve(root, module), ...alias },
    nodePaths: [path.join(root, 'node_modules')],
    format: 'iife',
    minify,
    write: false,
  });
  return result.outputFiles[0].text;
}

/** Bundles spec files into one script for Karma, with source maps inside; package.json's `sideEffects` would drop them all. */
export async function bundleSpecs(files, outfile) {
  const imports = files.map((file) => `import ${JSON.stringify(`./${file}`)};`).join('\n');
  await build({
    ...common,
    ignoreAnnotations: true,
    stdin: { contents: imports, resolveDir: root, sourcefile: 'specs.js' },
    alias: { 'tflite-gpu': path.join(root, 'src/index.ts') },
    format: 'iife',
    sourcemap: 'inline',
    outfile,
  });
}

/** Bundles every Node test into its own file under `outdir`, packages left to Node; returns the files. */
export async function bundleNodeTests(files, outdir) {
  await build({
    ...common,
    define: {},
    entryPoints: files,
    alias: { 'tflite-gpu': path.join(root, 'src/index.ts') },
    outbase: root,
    outdir,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    packages: 'external',
    format: 'esm',
    sourcemap: 'inline',
  });
  return files.map((file) => path.join(outdir, file.replace(/\.ts$/, '.mjs')));
}

/** Bundles the command line into one CommonJS file with TensorFlow.js in it, so that it needs no package beside it. */
export async function bundleCli(outfile) {
  await build({
    ...common,
    define: {},
    entryPoints: ['src/cli/main.ts'],
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // TensorFlow.js's modules; what Node would take of it are bundles without the methods of tensors.
    mainFields: ['module', 'main'],
    external: ['node-fetch'],
    minify: true,
    legalComments: 'linked',
    outfile,
  });
}
