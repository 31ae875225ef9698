import { type RunResult, runModel } from './run-model.js';

/** Runs a chosen file, with a picture for its image input where there is one, and describes what it did. */
export async function describeModel(model: File, image: File | undefined, half: boolean): Promise<string> {
  const bytes = new Uint8Array(await model.arrayBuffer());
  return describe(await runModel(bytes, { image, half, range: [0, 1], runs: 10 }));
}

function describe({ inputs, outputs, report, ...times }: RunResult): string {
  const onCpu = report.nodes.filter((node) => node.runsOn === 'cpu');
  return [
    ...inputs.map(({ name, dtype, shape, filledWith }) => `input   ${name}: ${dtype} [${shape}], ${filledWith}`),
    ...outputs.map(
      ({ name, dtype, shape, top }) => `output  ${name}: ${dtype} [${shape}], largest ${JSON.stringify(top)}`,
    ),
    `ops     ${report.nodes.length - onCpu.length} on the GPU, ${onCpu.length} on the CPU`,
    ...new Set(onCpu.map((node) => `        ${node.op}: ${node.reason}`)),
    `load    ${times.loadMilliseconds.toFixed(0)} ms; run ${times.medianMilliseconds.toFixed(1)} ms (first ${times.firstMilliseconds.toFixed(1)})`,
  ].join('\n');
}
