// The page behind `npm run demo`: the evaluation of `npm start` where one can look, and any model from a file.
import { type Digits, imageSize, loadDigits } from './digits.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { type RunResult, runModel } from './run-model.js';
import { settings } from './settings.js';

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const button = element<HTMLButtonElement>('start');
const progress = element<HTMLProgressElement>('progress');
const status = element('status');

button.addEventListener('click', () => guarded(evaluateAll));
element('model').addEventListener('change', () => guarded(runChosen));
element('image').addEventListener('change', () => guarded(runChosen));

async function evaluateAll(): Promise<void> {
  element('results').replaceChildren();
  const digits = await loadDigits('/digits', 'test');
  for (const setting of settings) {
    status.textContent = setting.name;
    const model = new Uint8Array(await (await fetch(`/models/${setting.file}`)).arrayBuffer());
    const result = await evaluate(setting, model, digits, (done) => {
      progress.value = done / digits.count;
    });
    element('results').append(rowOf(result));
    showDigits(digits, result.predictions);
  }
  status.textContent = 'done';
}

function rowOf(result: Evaluation): HTMLTableRowElement {
  const row = document.createElement('tr');
  const figures = [
    result.name,
    `${(result.fileBytes / 1000).toFixed(1)} kB`,
    `${(100 * result.accuracy).toFixed(2)} %`,
    Math.round(result.imagesPerSecond),
    `${Math.round(result.loadMilliseconds)} ms`,
    result.onGpu.length,
    result.onCpu.length,
    `${(result.memoryBytes / 1e6).toFixed(2)} MB`,
    result.draws,
  ];
  for (const figure of figures) row.insertCell().textContent = String(figure);
  return row;
}

/** The first five digits, then the first five that the model gets wrong. */
function showDigits(digits: Digits, predictions: readonly number[]): void {
  const wrong = predictions.flatMap((prediction, i) => (prediction === digits.labels[i] ? [] : [i]));
  const shown = [0, 1, 2, 3, 4, ...wrong.slice(0, 5)];
  element('digits').replaceChildren(...shown.map((i) => figureOf(digits, i, predictions[i]!)));
}

function figureOf({ pixels, labels }: Digits, i: number, prediction: number): HTMLElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 28;
  const image = new ImageData(28, 28);
  for (let p = 0; p < imageSize; p++) image.data.fill(255 - pixels[i * imageSize + p]!, 4 * p, 4 * p + 3);
  for (let p = 0; p < imageSize; p++) image.data[4 * p + 3] = 255;
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  const caption = document.createElement('figcaption');
  caption.textContent = `true: ${labels[i]}, predicted: ${prediction}`;
  const figure = document.createElement('figure');
  figure.classList.toggle('wrong', labels[i] !== prediction);
  figure.append(canvas, caption);
  return figure;
}

async function runChosen(): Promise<void> {
  const model = element<HTMLInputElement>('model').files?.[0];
  if (!model) return;
  const image = element<HTMLInputElement>('image').files?.[0];
  const half = element<HTMLInputElement>('half').checked;
  const result = await runModel(new Uint8Array(await model.arrayBuffer()), { image, half, range: [0, 1], runs: 10 });
  element('any').textContent = describe(result);
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

/** Runs an action with the button off, and shows its error. */
async function guarded(action: () => Promise<void>): Promise<void> {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    status.textContent = String(error);
  } finally {
    button.disabled = false;
  }
}
