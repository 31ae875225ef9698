// npm run bench [-- --gl swiftshader,llvmpipe --models mnist,...|all --peers ours,... --n 15 --cold 3 --json FILE --module FILE]
// npm run bench -- --profile [--per-draw] prints the time of our kernels instead, and with --roofline what limits them.
// Times this project and other engines in one browser page, taking turns on the same inputs.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { kill, launch, rendererOf } from '../scripts/browser.mjs';
import { bundlePage } from '../scripts/bundle.mjs';
import { root, shared } from '../scripts/paths.mjs';
import { pageWith, serve } from '../scripts/serve.mjs';
import { allModels, filesOf, takes } from './models.mjs';
import { installPeers, packaged } from './peers/install.mjs';
import { printProfile, printResults } from './print.mjs';
import { printRoofline } from './roofline.mjs';

const { values: args } = parseArgs({
  options: {
    gl: { type: 'string', default: 'swiftshader,llvmpipe' },
    models: { type: 'string', default: 'mnist,mobilenet_v1_0.25,blazeface,selfie_segmenter,deeplab_v3' },
    peers: { type: 'string', default: 'ours,ours-f16,tfjs-webgl,litert-webgpu,litert-wasm,tfjs-tflite,mediapipe' },
    n: { type: 'string', default: '15' },
    cold: { type: 'string', default: '3' },
    json: { type: 'string', default: 'bench/results.json' },
    module: { type: 'string' },
    profile: { type: 'boolean', default: false },
    roofline: { type: 'boolean', default: false },
    'per-draw': { type: 'boolean', default: false },
  },
});
if (!shared) {
  console.log(
    'The benchmark takes its models from the corpus, which is not on this machine (set TFLITE_GPU_SHARED to its folder).',
  );
  process.exit(0);
}
const peers = args.profile || args.roofline ? ['ours'] : args.peers.split(',');
const models = args.models === 'all' ? allModels : args.models.split(',');
const runs = args.gl.split(',').flatMap((gl) => models.map((name) => [gl, name]));
const packages = peers.some((peer) => packaged.includes(peer)) && installPeers();
const server = await serve({
  '/': pageWith('/page.js', importMap({ '@litertjs/wasm-utils': '/peers/@litertjs/wasm-utils/dist/index.js' })),
  '/page.js': await bundlePage('bench/page.ts', { module: args.module && path.resolve(args.module), minify: true }),
  '/corpus/': shared,
  ...(packages && { '/peers/': packages }),
});
if (args.profile) for (const run of runs) await profile(...run);
else if (args.roofline) for (const gl of args.gl.split(',')) await roofline(gl);
else await compare();
server.close();

async function compare() {
  const results = [];
  for (const run of runs) {
    results.push(await measure(...run));
    writeFileSync(path.resolve(root, args.json), `${JSON.stringify(results, null, 2)}\n`);
  }
  for (const gl of args.gl.split(','))
    printResults(
      results.filter((result) => result.gl === gl),
      peers,
    );
  process.exitCode = results.some(({ warm }) => warm.ours?.error || warm['ours-f16']?.error) ? 1 : 0;
}

/** Where the time of a run goes, heaviest kernel first. */
async function profile(gl, name) {
  const rows = await onFreshPage(gl, (page) =>
    call(page, 'profile', urlsOf(name), Number(args.n), args['per-draw'] ? 'draw' : 'kernel'),
  );
  printProfile(`${gl} ${name}`, rows);
}

function roofline(gl) {
  const onPage = (work) => onFreshPage(gl, (page) => work((...given) => call(page, ...given)));
  return printRoofline(gl, models, Number(args.n), onPage, urlsOf);
}

/** Warm times on one page, then cold starts of the peers that run the model, on fresh browsers with empty shader caches. */
async function measure(gl, name) {
  const able = peers.filter((peer) => takes(peer, name));
  const { renderer, warm, work } = await onFreshPage(gl, async (page) => ({
    renderer: await rendererOf(page),
    warm: await call(page, 'warm', urlsOf(name), able, Number(args.n)),
    work: able.includes('ours') ? await call(page, 'fetches', urlsOf(name)) : undefined,
  }));
  console.log(
    `${gl} ${name}: ${able.map((peer) => `${peer} ${warm[peer].error ?? `${warm[peer].median.toFixed(1)} ms`}`).join(', ')}`,
  );
  const loading = (what, peer) => onFreshPage(gl, (page) => call(page, what, urlsOf(name), peer));
  const starts = {};
  for (let round = 0; round < Number(args.cold); round++)
    for (const peer of able.filter((each) => !warm[each].error))
      (starts[peer] ??= []).push(await loading('cold', peer));
  const cold = {};
  for (const [peer, all] of Object.entries(starts))
    cold[peer] = { ...medianRun(all), ...(await loading('holds', peer)) };
  return { gl, renderer, model: name, work, warm, cold };
}

/** Calls a function of the page's `bench`. */
function call(page, name, ...rest) {
  return page.evaluate((called, ...given) => window.bench[called](...given), name, ...rest);
}

async function onFreshPage(gl, work) {
  const browser = await launch({
    gl,
    env: { MESA_SHADER_CACHE_DISABLE: 'true' },
    flags: ['--disable-gpu-shader-disk-cache', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/`);
    return await work(page);
  } finally {
    await kill(browser);
  }
}

/** The files of a model as URLs. */
function urlsOf(name) {
  const { model, golden, picture } = filesOf(name);
  return { model: `/corpus/${model}`, golden: golden && `/corpus/${golden}`, picture };
}

function importMap(imports) {
  return `<script type="importmap">${JSON.stringify({ imports })}</script>`;
}

/** The run whose time is the median. */
function medianRun(all) {
  return all.sort((a, b) => a.engine + a.model - b.engine - b.model)[all.length >> 1];
}
