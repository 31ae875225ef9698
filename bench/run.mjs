// npm run bench [-- --profile [--per-draw]] prints the time of our kernels instead.
// npm run bench [-- --gl swiftshader,llvmpipe --models mnist,... --peers ours,tfjs-webgl --n 15 --cold 3 --json FILE --module FILE]
// Times this project and TensorFlow.js's WebGL backend (the same graph, op by op) in one browser page, taking turns on the same inputs.
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { kill, launch, rendererOf } from '../scripts/browser.mjs';
import { bundlePage } from '../scripts/bundle.mjs';
import { root, shared } from '../scripts/paths.mjs';
import { pageWith, serve } from '../scripts/serve.mjs';
import { printTable } from '../scripts/terminal.mjs';

const { values: args } = parseArgs({
  options: {
    gl: { type: 'string', default: 'swiftshader,llvmpipe' },
    models: { type: 'string', default: 'mnist,mobilenet_v1_0.25,blazeface,deeplab_v3' },
    peers: { type: 'string', default: 'ours,ours-f16,tfjs-webgl' },
    n: { type: 'string', default: '15' },
    cold: { type: 'string', default: '3' },
    json: { type: 'string', default: 'bench/results.json' },
    module: { type: 'string' },
    profile: { type: 'boolean', default: false },
    'per-draw': { type: 'boolean', default: false },
  },
});
const named = {
  mnist: ['networks/mnist/mnist_model.tflite', 'networks/mnist/float32.json'],
  'mobilenet_v1_0.25': realModel('tflite-support__mobilenet_v1_0.25_224_1_default_1'),
  blazeface: realModel('go-tflite__face_detection_front'),
  deeplab_v3: realModel('go-tflite__deeplabv3_257_mv_gpu'),
  hand_landmark: realModel('mediapipe__hand_landmark'),
  pose_landmark: realModel('mediapipe__pose_landmarks_detector'),
};
if (!shared) {
  console.log(
    'The benchmark takes its models from the corpus, which is not on this machine (set TFLITE_GPU_SHARED to its folder).',
  );
  process.exit(0);
}
const peers = args.peers.split(',');
const script = await bundlePage('bench/page.ts', { module: args.module && path.resolve(args.module), minify: true });
const server = await serve({ '/': pageWith('/page.js'), '/page.js': script, '/corpus/': shared });
const runs = args.gl.split(',').flatMap((gl) => args.models.split(',').map((name) => [gl, name]));
if (args.profile) for (const run of runs) await profile(...run);
else await compare();
server.close();

async function compare() {
  const results = [];
  for (const run of runs) results.push(await measure(...run));
  for (const gl of args.gl.split(','))
    printResults(
      gl,
      results.filter((result) => result.gl === gl),
    );
  writeFileSync(path.resolve(root, args.json), `${JSON.stringify(results, null, 2)}\n`);
  process.exitCode = results.some(({ warm }) => Object.values(warm).some(({ error }) => error)) ? 1 : 0;
}

/** Where the time of a run goes, heaviest kernel first. */
async function profile(gl, name) {
  const urls = filesOf(name).map((file) => `/corpus/${file}`);
  const rows = await onFreshPage(gl, (page) =>
    page.evaluate((...rest) => window.bench.profile(...rest), ...urls, Number(args.n), args['per-draw']),
  );
  const total = rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  console.log(`\n${gl} ${name}: ${total.toFixed(1)} ms`);
  printTable(
    ['kernel', 'draws', 'ms', 'share', 'M multiply-adds', 'G/s'],
    rows
      .sort((a, b) => b.milliseconds - a.milliseconds)
      .slice(0, 30)
      .map(({ kernel, draws, milliseconds, multiplyAdds }) => [
        kernel,
        draws,
        milliseconds.toFixed(2),
        `${((milliseconds / total) * 100).toFixed(0)} %`,
        (multiplyAdds / 1e6).toFixed(1),
        (multiplyAdds / milliseconds / 1e6).toFixed(2),
      ]),
  );
}

/** Cold times on fresh browsers with empty shader caches, then warm times on one page. */
async function measure(gl, name) {
  const urls = filesOf(name).map((file) => `/corpus/${file}`);
  const cold = Object.fromEntries(peers.map((peer) => [peer, []]));
  for (let round = 0; round < Number(args.cold); round++) {
    for (const peer of peers) {
      const time = await onFreshPage(gl, (page) =>
        page.evaluate((...rest) => window.bench.cold(...rest), ...urls, peer),
      ).catch(() => undefined);
      if (time) cold[peer].push(time);
    }
  }
  const { renderer, warm } = await onFreshPage(gl, async (page) => ({
    renderer: await rendererOf(page),
    warm: await page.evaluate((...rest) => window.bench.warm(...rest), ...urls, peers, Number(args.n)),
  }));
  console.log(
    `${gl} ${name}: ${peers.map((peer) => `${peer} ${warm[peer].error ?? `${warm[peer].median.toFixed(1)} ms`}`).join(', ')}`,
  );
  return { gl, renderer, model: name, cold: Object.fromEntries(peers.map((peer) => [peer, median(cold[peer])])), warm };
}

async function onFreshPage(gl, work) {
  const browser = await launch({
    gl,
    env: { MESA_SHADER_CACHE_DISABLE: 'true' },
    flags: ['--disable-gpu-shader-disk-cache'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/`);
    return await work(page);
  } finally {
    await kill(browser);
  }
}

function printResults(gl, rows) {
  const figure = (time) => (Number.isFinite(time) ? time.toFixed(1) : '-');
  const ratio = (a, b) => (a > 0 && b > 0 ? `${(b / a).toFixed(2)}x` : '-');
  console.log(`\n${gl}: ${rows[0].renderer}; medians in ms, cold start from file to first result`);
  printTable(
    ['model', ...peers, 'tfjs / ours', ...peers.map((peer) => `cold ${peer}`), 'tfjs / ours', 'draws', 'ops'],
    rows.map(({ model, warm, cold }) => [
      model,
      ...peers.map((peer) => figure(warm[peer].median)),
      ratio(warm.ours?.median, warm['tfjs-webgl']?.median),
      ...peers.map((peer) => figure(cold[peer])),
      ratio(cold.ours, cold['tfjs-webgl']),
      warm.ours?.figures.draws ?? '-',
      warm['tfjs-webgl']?.figures.ops ?? '-',
    ]),
  );
}

/** A named model, or `NETWORK` or `NETWORK:FLAVOUR` of the corpus. */
function filesOf(name) {
  if (named[name]) return named[name];
  const [network, flavour = 'float32'] = name.split(':');
  const model = `networks/${network}/${network}_${flavour}.tflite.gz`;
  if (existsSync(path.join(shared, model))) return [model, `networks/${network}/${flavour}.json`];
  throw new Error(
    `--models: found "${name}"; accepted are ${Object.keys(named).join(', ')} and networks of the corpus`,
  );
}

function realModel(stem) {
  return [`models/${stem}.tflite`, `models/golden/${stem}.json`];
}

function median(times) {
  return times.length ? times.sort((a, b) => a - b)[times.length >> 1] : undefined;
}
