// node scripts/test.mjs [--full [--rest]] [--only LAYER,...] [--seconds N]: runs the test layers, fastest first, and ends with
// `N passed, N failed`. --rest leaves out what `npm test` runs. With --seconds, layers whose cases can be left out leave some
// out (and say how many) where all together would take longer.
import { layers } from './test-layers.mjs';

const full = process.argv.includes('--full');
const rest = process.argv.includes('--rest');
const wanted = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1].split(',')
  : undefined;
const budget = process.argv.includes('--seconds')
  ? Number(process.argv[process.argv.indexOf('--seconds') + 1])
  : Number.POSITIVE_INFINITY;
const deadline = Date.now() + budget * 1000;
const total = { passed: 0, failed: 0 };
const rows = [];

const chosen = layers.filter(isWanted);
for (const [i, layer] of chosen.entries()) {
  const started = Date.now();
  console.log(`\n== ${layer.name}: ${layer.about}`);
  const result = await layer
    .run(shareOf(chosen.slice(i)))
    .catch((error) => ({ passed: 0, failed: 1, note: String(error?.message ?? error) }));
  total.passed += result.passed;
  total.failed += result.failed;
  rows.push([layer.name, result, Math.round((Date.now() - started) / 1000)]);
  if (result.note) console.log(result.note);
}

console.log(
  '\nlayer'.padEnd(25) + 'passed'.padStart(8) + 'failed'.padStart(8) + 'skipped'.padStart(9) + 'seconds'.padStart(9),
);
for (const [name, { passed, failed, skipped = 0, note }, seconds] of rows) {
  const figures =
    String(passed).padStart(8) + String(failed).padStart(8) + String(skipped).padStart(9) + String(seconds).padStart(9);
  console.log(name.padEnd(24) + figures + (note ? `  ${note.split('\n')[0].slice(0, 90)}` : ''));
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed || !total.passed ? 1 : 0;

/** How much of its time the first of these layers may take, as a part of what it would like. */
function shareOf(left) {
  const sum = (names) => left.reduce((seconds, layer) => seconds + (layer[names] ?? 0), 0);
  const seconds = (deadline - Date.now()) / 1000 - sum('takes');
  return Math.max(0.1, Math.min(1, seconds / sum('limit')));
}

function isWanted({ name, full: inFull }) {
  if (wanted) return wanted.includes(name);
  return inFull ? full : !rest;
}
