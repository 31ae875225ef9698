// Runs any model once in the page of `npm start`, and prints what it is and does.
import { writeFileSync } from 'node:fs';
import { bytesText, countedText } from './terminal.mjs';

/** Runs the model that is served; throws where `--range` is not LOW,HIGH. */
export async function runModel(page, args) {
  const range = args.range.split(',').map(Number);
  if (range.length !== 2 || range.some(Number.isNaN))
    throw new Error(`--range: found "${args.range}"; accepted is LOW,HIGH`);
  const request = { range, half: args.f16, runs: Number(args.runs), hasImage: Boolean(args.input) };
  const result = await page.evaluate((given) => window.steps.runServed(given), request);
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
