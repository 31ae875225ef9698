// node scripts/op-table.mjs [--check]: writes docs/ops.md, the ops that run and where, from the lists in the code; --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './paths.mjs';

const file = path.join(root, 'docs/ops.md');
const text = table(await lists());
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('docs/ops.md is not what the code says: run `npm run docs:ops`.');
    process.exitCode = 1;
  }
} else writeFileSync(file, text);

/** The two lists of ops: what they mean, and how the GPU does them. */
async function lists() {
  const contents =
    "export { ops } from './delegate/ops/index.js'; export { forms } from './delegate/kernels/index.js';";
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

function table({ ops, forms }) {
  const rows = [...ops.keys()].sort().map((type) => {
    const form = forms.get(type);
    const gpu = form ? ['float32', ...(form.dtypes ?? [])].join(', ') : '';
    return [type, gpu, ops.get(type).cpu ? 'yes' : ''];
  });
  const heading = ['op', 'GPU', 'CPU'];
  const widths = heading.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const lines = [heading, widths.map((width) => '-'.repeat(width)), ...rows].map(line);
  const onGpu = [...ops.keys()].filter((type) => forms.has(type)).length;
  return `# Ops

Made from the code by \`npm run docs:ops\`. ${ops.size} ops run, ${onGpu} of them on the GPU. The second column has the element
types that the GPU takes; other types, and what \`report()\` gives a reason for, run on the CPU. Quantised tensors (int8,
uint8, int16; weights also of 4 bits) run wherever float32 does, as the numbers that they stand for. float16 constants
become float32 when a model is loaded (half floats again with \`precisionLossAllowed\`).

${lines.join('\n')}
`;
}
