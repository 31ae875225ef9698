// node test/tfjs-models/run.mjs [--gl swiftshader|llvmpipe] [--models NAME,...] [--inputs N] [--rounds N] [--json FILE]
// Converts real models of TensorFlow.js, float32 and float16, and holds the files on the GPU to the models on tfjs-webgl: the same
// answers. With --rounds, times both in one page, taking turns.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { kill, launch, rendererOf } from '../../scripts/browser.mjs';
import { bundlePage } from '../../scripts/bundle.mjs';
import { root } from '../../scripts/paths.mjs';
import { pageWith, serve } from '../../scripts/serve.mjs';
import { bytesText, printTable } from '../../scripts/terminal.mjs';
import { unpackNsfwModels } from './nsfwjs.mjs';

/** What a file owes the original: the largest difference as a share of an output's largest value, and the share of its answers. */
const owed = { float32: { difference: 1e-4, answers: 1 }, float16: { difference: 5e-2, answers: 0.99 } };
/** The share of the inputs that slow models are given; face-api's others are given a third. */
const FEWER = { 'nsfwjs Inception v3': 0.1, 'face-api SSD MobileNet v1': 0.1, 'face-api recognition': 0.1 };

const { values: args } = parseArgs({
  options: {
    gl: { type: 'string', default: 'llvmpipe' },
    models: { type: 'string' },
    inputs: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '0' },
    json: { type: 'string' },
  },
});

const server = await serve({
  '/': pageWith('/page.js'),
  '/page.js': await bundlePage('test/tfjs-models/page.ts', {
    // face-api brings the WebAssembly backend in, which nothing here asks for.
    alias: { '@tensorflow/tfjs-backend-wasm/dist/index.js': path.join(root, 'test/tfjs-models/nothing.ts') },
  }),
  '/nsfwjs/': unpackNsfwModels(),
  '/face-api/': path.join(root, 'node_modules/@vladmandic/face-api/model'),
});
const browser = await launch({ gl: args.gl });
const results = [];
try {
  const page = await browser.newPage();
  await page.goto(`${server.url}/`);
  console.log(`WebGL2: ${await rendererOf(page)}`);
  const names = args.models?.split(',') ?? (await page.evaluate(() => window.tfjsModels.names));
  for (const name of names) results.push(await compare(page, name));
} finally {
  server.close();
  await kill(browser);
}
const failed = results.filter(({ problems }) => problems.length).length;
if (args.json)
  writeFileSync(args.json, `${JSON.stringify({ passed: results.length - failed, failed, results }, null, 2)}\n`);
print();
process.exitCode = failed ? 1 : 0;

async function compare(page, name) {
  const inputs = Math.ceil(Number(args.inputs) * (FEWER[name] ?? (name.startsWith('face-api') ? 1 / 3 : 1)));
  const started = performance.now();
  const result = await page
    .evaluate((...given) => window.tfjsModels.compare(...given), name, inputs, Number(args.rounds))
    .catch((error) => ({ error: error.message.split('\n')[0] }));
  const problems = problemsOf(result);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${name}: ${problems.join('; ') || 'agrees'} (${inputs} inputs, ${seconds} s)`);
  return { name, ...result, problems };
}

function problemsOf({ error, flavours, inputs, hasAnswer }) {
  if (error) return [error];
  return Object.entries(flavours).flatMap(([flavour, { sameAnswers, difference }]) => {
    const least = owed[flavour];
    return [
      ...(hasAnswer && sameAnswers < inputs * least.answers
        ? [`${flavour}: ${sameAnswers} of ${inputs} answers agree`]
        : []),
      ...(difference < least.difference ? [] : [`${flavour}: differs by ${difference.toPrecision(2)}`]),
    ];
  });
}

function print() {
  const rows = results
    .filter(({ error }) => !error)
    .map(({ name, flavours: { float32, float16 }, answers, tfjsTime }) => [
      name,
      bytesText(float32.bytes),
      bytesText(float16.bytes),
      float32.difference.toExponential(1),
      float16.difference.toExponential(1),
      answers,
      float32.onCpu.length,
      tfjsTime?.toFixed(1) ?? '',
      float32.time?.toFixed(1) ?? '',
      tfjsTime ? (tfjsTime / float32.time).toFixed(1) : '',
    ]);
  printTable(
    ['model', 'float32', 'float16', 'differs', 'f16', 'answers', 'on CPU', 'tfjs ms', 'ours ms', 'ratio'],
    rows,
  );
}
