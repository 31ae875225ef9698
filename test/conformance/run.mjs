// node test/conformance/run.mjs [--corpus fixtures|ops|networks|models|packages] [--delegate gpu|cpu] [--f16] [--gl swiftshader|llvmpipe] [--device unknown] [--variant NAME]
//   [--only NAME,... (* matches anything)] [--seconds N] [--case-seconds N] [--json FILE] [--module FILE] [--show N] [--workers N]
// --variant forces the target of variants.json with that name: which kernels are made, whatever the device.
// Runs a corpus on the project's Interpreter in browsers, as many as there are cores, and compares every output with the
// recorded reference.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { corpora, itemsOf } from './corpora.mjs';
import { knownReason } from './expectations.mjs';
import { printRow, printTotals } from './report.mjs';
import { closeSession, guarded, openSession } from './session.mjs';

const { values: args } = parseArgs({
  options: {
    corpus: { type: 'string', default: 'fixtures' },
    delegate: { type: 'string', default: 'gpu' },
    f16: { type: 'boolean', default: false },
    gl: { type: 'string', default: 'swiftshader' },
    device: { type: 'string' },
    variant: { type: 'string' },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '100000' },
    'case-seconds': { type: 'string' },
    json: { type: 'string' },
    module: { type: 'string' },
    show: { type: 'string', default: '3' },
    workers: { type: 'string', default: `${Math.min(4, availableParallelism())}` },
  },
});
const corpus = corpora[args.corpus];
if (!corpus) throw new Error(`--corpus: found "${args.corpus}"; accepted are ${Object.keys(corpora).join(', ')}`);
const variants = JSON.parse(readFileSync(new URL('./variants.json', import.meta.url), 'utf8'));
if (args.variant && !variants[args.variant])
  throw new Error(`--variant: found "${args.variant}"; accepted are ${Object.keys(variants).join(', ')}`);
if (args.variant && args.module) throw new Error('--variant: a module given by --module cannot be told its target');
const options = { delegate: args.delegate, half: args.f16 };
const precision = args.f16 ? 'float16' : 'float32';
const totals = { passed: 0, failed: 0, skipped: 0, notRun: 0, newlyPassing: [], rows: [] };

await corpus.prepare?.(corpus.folder);
if (corpus.folder) await runCorpus();
else console.log(`The ${args.corpus} corpus is not on this machine (set TFLITE_GPU_SHARED to its folder): skipped.`);
if (args.json) writeFileSync(args.json, JSON.stringify(totals));
printTotals(totals);
process.exitCode = totals.failed ? 1 : 0;

async function runCorpus() {
  const wanted = args.only.split(',').filter(Boolean).map(toPattern);
  const items = itemsOf(args.corpus).filter(
    ({ name }) => !wanted.length || wanted.some((pattern) => pattern.test(name)),
  );
  const started = Date.now();
  const how = {
    folder: corpus.folder,
    gl: args.gl,
    device: args.device,
    target: variants[args.variant],
    module: args.module && path.resolve(args.module),
  };
  const count = Math.max(1, Math.min(Number(args.workers), items.length));
  const sessions = await Promise.all(Array.from({ length: count }, () => openSession(how)));
  console.log(
    `${args.corpus}: ${items.length} ${corpus.kind === 'ops' ? 'op files' : 'networks'}, ${[args.delegate, precision, args.variant, sessions[0].renderer].filter(Boolean).join(', ')}`,
  );
  const left = items.values();
  const work = async (session) => {
    for (const item of left) {
      if (Date.now() - started > Number(args.seconds) * 1000) totals.notRun += item.cases?.length ?? 1;
      else addRow(item, await (corpus.kind === 'ops' ? runOp(session, item) : runNetwork(session, item)));
    }
  };
  await Promise.all(sessions.map(work));
  await Promise.all(sessions.map(closeSession));
}

/** Runs every case of an op file, going on after the case in which a page died. */
async function runOp(session, { file, cases }) {
  const outcomes = [];
  session.told = (index, outcome) => {
    outcomes[index] = outcome;
  };
  for (let first = 0; first < cases.length; first = outcomes.length) {
    const limit = Number(args['case-seconds'] ?? 30);
    const run = (page) =>
      page.evaluate((...rest) => window.conformance.ops(...rest), `/corpus/${file}`, first, options);
    const result = await guarded(session, limit, run);
    if (result?.died) outcomes.push({ error: result.died, gpu: 0, cpu: 0, reasons: [] });
    else if (outcomes.length < cases.length)
      throw new Error(`${file}: ${outcomes.length} of ${cases.length} cases were told`);
  }
  return outcomes;
}

async function runNetwork(session, { model, golden }) {
  const run = (page) =>
    page.evaluate((...rest) => window.conformance.network(...rest), `/corpus/${model}`, `/corpus/${golden}`, options);
  const result = await guarded(session, Number(args['case-seconds'] ?? 240), run);
  return [result.died ? { error: result.died, gpu: 0, cpu: 0, reasons: [] } : result];
}

/** Counts outcomes against what is expected and prints the item's line. */
function addRow({ name, cases = [undefined] }, outcomes) {
  const row = {
    name,
    passed: 0,
    failed: 0,
    skipped: 0,
    gpu: 0,
    cpu: 0,
    worst: 0,
    failures: [],
    reasons: new Set(),
    outcomes,
  };
  for (const [index, outcome] of outcomes.entries()) {
    const full = cases[index] === undefined ? name : `${name}/${cases[index]}`;
    const known =
      outcome.skipped ??
      knownReason(corpus.expectations, full) ??
      knownReason(corpus.expectations, `${full} in ${precision}`) ??
      (variants[args.variant]?.winograd === 'always' && knownReason(corpus.expectations, `${full} by filtering`));
    if (outcome.error || outcome.skipped) {
      if (known) row.skipped++;
      else row.failures.push([full, outcome.error]);
      if (known) row.reasons.add(known);
      continue;
    }
    if (known) totals.newlyPassing.push(full);
    row.passed++;
    row.gpu += outcome.gpu;
    row.cpu += outcome.cpu;
    row.worst = Math.max(row.worst, outcome.worst);
    for (const reason of outcome.reasons) row.reasons.add(reason);
  }
  row.failed = row.failures.length;
  row.reasons = [...row.reasons];
  for (const key of ['passed', 'failed', 'skipped']) totals[key] += row[key];
  totals.rows.push(row);
  printRow(row, totals.rows.length === 1, Number(args.show));
}

function toPattern(text) {
  return new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
}
