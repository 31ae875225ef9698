// The layers of the test suite, fastest first. `run(share)` resolves to { passed, failed, skipped?, note? }; `full` ones run in
// test:full only. `limit`: seconds after which a layer starts no more cases, less where it gets a share of them; `takes`: about
// what one takes that has no such limit.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findBrowser } from './browser.mjs';
import { bundleNodeTests, bundleSpecs } from './bundle.mjs';
import { cacheFolder, root, shared } from './paths.mjs';

const bin = (name) => path.join(root, 'node_modules', name);

/** Fixtures that hold a kernel to its meaning where the target changes its text. */
const VARIED_OPS = [
  ...['CONV_2D', 'DEPTHWISE_CONV_2D', 'TRANSPOSE_CONV', 'FULLY_CONNECTED', 'BATCH_MATMUL', 'AVERAGE_POOL_2D', 'MEAN'],
  ...['SOFTMAX', 'RESIZE_BILINEAR', 'CONCATENATION', 'GRAPH'],
];
/** Small networks of images, sequences and vectors, with float32 and float16 weights. */
const VARIED_NETWORKS = [
  ...['mnist float*', 'espcn_x3 float16', 'kws_conv1d float32', 'tcn_dilated float16', 'ssd_head_160 float16'],
  ...['transformer_encoder_2l float16', 'unet_128 float32'],
];

/** Real models that take seconds each; the others of test/tfjs-models take minutes on a software rasteriser. */
const QUICK_MODELS = [
  ...['nsfwjs MobileNet v2', 'face-api tiny detector', 'face-api landmarks', 'face-api tiny landmarks'],
  ...['face-api expressions', 'face-api age and gender'],
];

/** Every layer in the order in which they run. */
export const layers = [
  { name: 'check', about: 'formatting, lint, types, generated tables', run: check },
  { name: 'node', about: 'everything before WebGL, in Node', run: runNodeTests },
  { name: 'browser', about: 'browser specs in Chromium on SwiftShader', run: () => runKarma('swiftshader') },
  conformance('fixtures', 'the op fixtures on the GPU', 240, ['--corpus', 'fixtures']),
  conformance('fixtures-cpu', 'the op fixtures on the CPU path', 120, ['--corpus', 'fixtures', '--delegate', 'cpu']),
  { name: 'package', about: 'bundles, declarations, publint, attw', full: true, takes: 40, run: checkPackage },
  {
    name: 'main-job',
    about: 'MNIST: training, sizes of files, accuracies',
    full: true,
    takes: 180,
    run: runMainJob,
  },
  { name: 'notebook', about: 'the notebook, built and run to its end', full: true, takes: 60, run: runNotebook },
  {
    name: 'tfjs-models',
    about: 'models of nsfwjs and face-api, converted, beside the originals',
    full: true,
    takes: 200,
    run: runTfjsModels,
  },
  {
    name: 'browser-llvmpipe',
    about: 'browser specs in Chromium on llvmpipe',
    full: true,
    takes: 150,
    run: () => runKarma('llvmpipe'),
  },
  {
    name: 'browser-unknown',
    about: 'browser specs on a device that does not tell its name: texelFetch, four render targets',
    full: true,
    takes: 150,
    run: () => runKarma('llvmpipe', 'unknown'),
  },
  {
    name: 'browser-firefox',
    about: 'browser specs in Firefox',
    full: true,
    takes: 150,
    run: () => runKarma('firefox'),
  },
  corpus('ops', 'the op corpus on the GPU', 600, ['--corpus', 'ops']),
  corpus('ops-cpu', 'the op corpus on the CPU path', 200, ['--corpus', 'ops', '--delegate', 'cpu']),
  corpus('ops-f16', 'the op corpus in float16', 500, ['--corpus', 'ops', '--f16']),
  corpus('ops-llvmpipe', 'the op corpus on llvmpipe, as in models that are not small', 450, [
    ...['--corpus', 'ops', '--gl', 'llvmpipe', '--variant', 'eight targets'],
  ]),
  corpus('ops-unknown', 'the op corpus on a device that does not tell its name', 450, [
    ...['--corpus', 'ops', '--gl', 'llvmpipe', '--device', 'unknown'],
  ]),
  corpus('networks', 'whole networks', 300, ['--corpus', 'networks']),
  corpus('networks-f16', 'whole networks in float16', 240, ['--corpus', 'networks', '--f16', '--only', '*float*']),
  corpus('models', 'real models', 400, ['--corpus', 'models']),
  corpus('models-f16', 'real models in float16', 300, ['--corpus', 'models', '--f16', '--gl', 'llvmpipe']),
  {
    ...conformance('packages', 'real models that npm carries', 240, ['--corpus', 'packages', '--gl', 'llvmpipe']),
    full: true,
  },
  {
    ...conformance('packages-f16', 'real models that npm carries, in float16', 240, [
      ...['--corpus', 'packages', '--gl', 'llvmpipe', '--f16'],
    ]),
    full: true,
  },
  {
    name: 'variants',
    about: 'every variant of the kernels that convolve and multiply',
    full: true,
    limit: 450,
    run: runVariants,
  },
];

function corpus(name, about, limit, args) {
  const layer = { ...conformance(name, about, limit, args), full: true };
  return shared ? layer : { name, about, full: true, run: skippedWithoutCorpus };
}

function conformance(name, about, limit, args) {
  return { name, about, limit, run: (share) => runConformance([...args, '--seconds', `${limit * share}`]) };
}

async function skippedWithoutCorpus() {
  return { passed: 0, failed: 0, note: 'skipped: the corpus (../shared, or TFLITE_GPU_SHARED) is not on this machine' };
}

async function check() {
  const checks = [
    [bin('@biomejs/biome/bin/biome'), 'check', '.'],
    [bin('typescript/bin/tsc'), '--noEmit', '-p', '.'],
    [path.join(root, 'scripts/op-table.mjs'), '--check'],
  ];
  const failed = checks.filter(
    (args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status !== 0,
  ).length;
  return { passed: checks.length - failed, failed };
}

async function runNodeTests() {
  const files = filesUnder('test/node', '.test.ts');
  if (!files.length) return { passed: 0, failed: 0, note: 'no Node tests' };
  const outdir = cacheFolder('node-tests');
  rmSync(outdir, { recursive: true, force: true });
  const bundles = await bundleNodeTests(files, outdir);
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout', '--test-reporter=tap'];
  const tap = path.join(cacheFolder('reports'), 'node.tap');
  const args = ['--enable-source-maps', '--test', ...reporters, `--test-reporter-destination=${tap}`, ...bundles];
  await command(process.execPath, args);
  const text = readFileSync(tap, 'utf8');
  const figure = (name) => Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { passed: figure('pass'), failed: figure('fail') + figure('cancelled'), skipped: figure('skipped') };
}

async function runKarma(browser, device = 'known') {
  // What is forced on every device need not be forced on each of them.
  const isForced = (file) => file.endsWith('variants.spec.ts') && (browser === 'firefox' || device === 'unknown');
  const files = filesUnder('test/browser', '.spec.ts').filter((file) => !isForced(file));
  if (!files.length) return { passed: 0, failed: 0, note: 'no browser specs' };
  const env = { KARMA_BROWSER: browser, KARMA_DEVICE: device };
  let wrapper = [];
  if (browser === 'firefox') {
    const firefox = ['firefox-esr', 'firefox'].map(onPath).find(Boolean);
    if (!firefox) return { passed: 0, failed: 0, note: 'skipped: Firefox is not on this machine' };
    if (onPath('xvfb-run')) wrapper = ['xvfb-run', '-a'];
    Object.assign(env, { FIREFOX_BIN: firefox, LIBGL_ALWAYS_SOFTWARE: '1' });
  } else {
    const found = await findBrowser();
    Object.assign(env, found.env, { CHROME_BIN: found.path });
  }
  env.KARMA_BUNDLE = path.join(cacheFolder('specs'), 'specs.js');
  env.KARMA_TOTALS = path.join(cacheFolder('reports'), `karma-${browser}-${device}.json`);
  rmSync(env.KARMA_TOTALS, { force: true });
  await bundleSpecs(files, env.KARMA_BUNDLE);
  const [program, ...args] = [
    ...wrapper,
    process.execPath,
    bin('karma/bin/karma'),
    'start',
    'karma.conf.js',
    '--single-run',
  ];
  const status = await command(program, args, env);
  if (!existsSync(env.KARMA_TOTALS))
    return { passed: 0, failed: 1, note: `Karma ended with status ${status} and no totals` };
  const totals = JSON.parse(readFileSync(env.KARMA_TOTALS, 'utf8'));
  return totals.passed + totals.failed ? totals : { passed: 0, failed: 1, note: 'Karma ran no spec' };
}

async function runConformance(args) {
  const json = path.join(cacheFolder('reports'), `conformance-${args.join('').replace(/[^\w]+/g, '-')}.json`);
  rmSync(json, { force: true });
  const status = await command(process.execPath, ['test/conformance/run.mjs', ...args, '--json', json]);
  if (!existsSync(json)) return { passed: 0, failed: 1, note: `the conformance runner ended with status ${status}` };
  const { passed, failed, skipped, notRun } = JSON.parse(readFileSync(json, 'utf8'));
  return {
    passed,
    failed,
    skipped: skipped + notRun,
    ...(notRun ? { note: `${notRun} cases not run: time limit` } : {}),
  };
}

/** Forces each target of variants.json on the fixtures of ops with variants, and on networks that have all of them. */
async function runVariants(share) {
  const variants = JSON.parse(readFileSync(path.join(root, 'test/conformance/variants.json'), 'utf8'));
  const total = { passed: 0, failed: 0, skipped: 0 };
  const networks = shared ? [['networks', VARIED_NETWORKS, 20]] : [];
  for (const variant of Object.keys(variants))
    for (const [corpus, only, seconds] of [['fixtures', VARIED_OPS, 30], ...networks]) {
      console.log(`\n${variant}`);
      const args = ['--corpus', corpus, '--variant', variant, '--only', only.join(), '--seconds', `${seconds * share}`];
      const { passed, failed, skipped = 0 } = await runConformance(args);
      total.passed += passed;
      total.failed += failed;
      total.skipped += skipped;
    }
  return total;
}

async function checkPackage() {
  const commands = [
    [path.join(root, 'scripts/build.mjs')],
    [bin('publint/src/cli.js'), '--strict'],
    [bin('@arethetypeswrong/cli/dist/index.js'), '--pack', '.', '--profile', 'esm-only'],
  ];
  let failed = 0;
  for (const args of commands) if ((await command(process.execPath, args)) !== 0) failed++;
  return { passed: commands.length - failed, failed };
}

/**
 * What the main job promises of the network that it trains, and of the files that TensorFlow wrote. A sixth of the epoch
 * has to do here: all of it takes minutes on a software rasteriser, and ends at 96.2 % instead of 89.2 %.
 */
async function runMainJob() {
  const { accuracy, settings } = await resultsOf(['--training', '10000']);
  const { settings: stored } = await resultsOf(['--stored']);
  const [{ fileBytes: whole }] = settings;
  const claims = [
    ['TensorFlow.js: accuracy', accuracy, '>=', 0.885],
    ...settings.map((row) => [`${row.name}: accuracy lost`, Math.abs(row.accuracy - accuracy), '<=', row.mayLose]),
    ...settings.map((row) => [`${row.name}: share of bytes`, row.fileBytes / whole, '<=', row.share]),
    ...stored.map((row) => [
      `${row.name} of TensorFlow: accuracy`,
      Math.abs(row.accuracy - row.expected),
      '<=',
      0.0005,
    ]),
  ];
  const wrong = claims.filter(([, found, order, limit]) => !(order === '<=' ? found <= limit : found >= limit));
  for (const [claim, found, order, limit] of wrong) console.log(`${claim}: found ${found}; expected ${order} ${limit}`);
  return { passed: claims.length - wrong.length, failed: wrong.length };
}

/** What `npm start` writes; throws where it fails. */
async function resultsOf(args) {
  const json = path.join(cacheFolder('reports'), 'main-job.json');
  rmSync(json, { force: true });
  const status = await command(process.execPath, ['scripts/start.mjs', ...args, '--json', json]);
  if (status !== 0 || !existsSync(json)) throw new Error(`npm start ended with status ${status}`);
  return JSON.parse(readFileSync(json, 'utf8'));
}

async function runNotebook() {
  const failed = (await command(process.execPath, ['test/notebook/run.mjs'])) === 0 ? 0 : 1;
  return { passed: 1 - failed, failed };
}

async function runTfjsModels() {
  const json = path.join(cacheFolder('reports'), 'tfjs-models.json');
  rmSync(json, { force: true });
  const status = await command(process.execPath, [
    'test/tfjs-models/run.mjs',
    ...['--models', QUICK_MODELS.join(), '--json', json],
  ]);
  if (!existsSync(json)) return { passed: 0, failed: 1, note: `tfjs-models/run.mjs ended with status ${status}` };
  const { passed, failed } = JSON.parse(readFileSync(json, 'utf8'));
  return { passed, failed };
}

function filesUnder(folder, ending) {
  const all = existsSync(path.join(root, folder)) ? readdirSync(path.join(root, folder), { recursive: true }) : [];
  return all
    .filter((file) => file.endsWith(ending))
    .map((file) => path.posix.join(folder, file.replaceAll(path.sep, '/')))
    .sort();
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));
}

/** Runs a program in the project's root with its output shown; resolves to its exit status. */
function command(program, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    child.once('error', (error) => {
      console.log(error.message);
      resolve(-1);
    });
    child.once('exit', (status) => resolve(status ?? -1));
  });
}
