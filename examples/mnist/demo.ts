// The page behind `npm run demo`: the steps of `npm start` where one can look, a pad to draw digits on, and any model.
import { describeModel } from './any-model.js';
import { createDigitPad } from './digit-pad.js';
import { digitFigure } from './digit-picture.js';
import { asManyAsAsked, type Digits, loadDigits } from './digits.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { convert, flavours } from './files.js';
import { accuracyOf, createNetwork, type TrainingProgress, train, useGpu } from './network.js';
import { accuracyPlot, lossPlot } from './plots.js';
import { Reader, type Reading } from './reader.js';
import { isStored, type Setting, settings } from './settings.js';

/** How often the plots are drawn anew while the network trains. */
const plotMilliseconds = 400;

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const chosen = element<HTMLSelectElement>('setting');
const progress = element<HTMLProgressElement>('progress');
const buttons = [element<HTMLButtonElement>('train'), element<HTMLButtonElement>('compare')];

let test: Digits;
/** The model files, by name, and who trained what is in them. */
let files: ReadonlyMap<string, Uint8Array>;
let author: string;

const reader = new Reader(showReading);
const wipe = createDigitPad(element<HTMLCanvasElement>('pad'), (image) => guarded(() => reader.read(image)));
element('wipe').addEventListener('click', wipe);
chosen.addEventListener('change', () => guarded(useChosen));
element('train').addEventListener('click', () => guarded(() => busily(trainAndConvert)));
element('compare').addEventListener('click', () => guarded(() => busily(compare)));
for (const id of ['model', 'image']) element(id).addEventListener('change', () => guarded(runAny));
guarded(() => busily(begin));

/** Takes the files that TensorFlow wrote, so that there is something to draw for and to compare at once. */
async function begin(): Promise<void> {
  showReading(undefined);
  test = asManyAsAsked(await loadDigits('/digits', 'test'));
  const stored = [...new Set(settings.filter(isStored).map(({ file }) => file))];
  const bytes = await Promise.all(stored.map(async (file) => (await fetch(`/models/${file}`)).arrayBuffer()));
  await useFiles(new Map(stored.map((file, i) => [file, new Uint8Array(bytes[i]!)])), 'TensorFlow');
}

async function trainAndConvert(): Promise<void> {
  say('loading the digits');
  const digits = asManyAsAsked(await loadDigits('/digits', 'train'));
  await useGpu();
  const network = createNetwork();
  const started = performance.now();
  const history: TrainingProgress[] = [];
  let plotted = 0;
  progress.hidden = false;
  await train(network, digits, (now) => {
    history.push(now);
    progress.value = now.done / now.batches;
    say(`batch ${now.done} of ${now.batches}`);
    if (performance.now() - plotted < plotMilliseconds) return;
    plotted = performance.now();
    element('plots').replaceChildren(lossPlot(history), accuracyPlot(history));
  });
  element('plots').replaceChildren(lossPlot(history), accuracyPlot(history));
  progress.hidden = true;
  const seconds = (performance.now() - started) / 1000;
  say('asking TensorFlow.js for the accuracy');
  const accuracy = await accuracyOf(network, test);
  say(`${seconds.toFixed(0)} s; TensorFlow.js finds ${percent(accuracy)} of the test digits read right`);
  const converted = new Map<string, Uint8Array>();
  for (const flavour of flavours) converted.set(flavour.file, await convert(network, flavour, digits));
  network.dispose();
  await useFiles(converted, 'this page');
  await compare();
}

/** Draws with these files from now on, and offers them. */
async function useFiles(to: ReadonlyMap<string, Uint8Array>, by: string): Promise<void> {
  files = to;
  author = by;
  const selected = chosen.value || settings[0]!.name;
  chosen.replaceChildren(...withFile().map(({ name }) => new Option(name, name, false, name === selected)));
  element('results').replaceChildren();
  element('digits').replaceChildren();
  element('compared').textContent = `trained and converted by ${author}`;
  const largest = Math.max(...[...files.values()].map((bytes) => bytes.byteLength));
  element('files').replaceChildren(...[...files].map(([file, bytes]) => offerOf(file, bytes, largest)));
  await useChosen();
}

/** The settings whose file is there. */
function withFile(): Setting[] {
  return settings.filter(({ file }) => files.has(file));
}

function offerOf(file: string, bytes: Uint8Array, largest: number): HTMLElement {
  const offer = document.createElement('div');
  offer.className = 'offer';
  const size = document.createElement('strong');
  size.textContent = `${bytes.byteLength.toLocaleString('en')} bytes`;
  const bar = document.createElement('div');
  bar.className = 'bar';
  bar.style.setProperty('--share', `${bytes.byteLength / largest}`);
  const link = document.createElement('a');
  link.download = link.textContent = file;
  link.href = URL.createObjectURL(new Blob([bytes.slice()]));
  const note = document.createElement('p');
  note.className = 'note';
  note.textContent = `${flavours.find((flavour) => flavour.file === file)?.about}, written by ${author}`;
  offer.append(size, bar, note, link);
  return offer;
}

function useChosen(): Promise<void> {
  const setting = settings.find(({ name }) => name === chosen.value)!;
  element('read-by').textContent = `${setting.file}, trained and converted by ${author}`;
  return reader.use(files.get(setting.file)!, setting);
}

function showReading(reading: Reading | undefined): void {
  const shares = reading?.shares ?? Array<number>(10).fill(0);
  const best = reading ? shares.indexOf(Math.max(...shares)) : -1;
  element('reading').textContent = reading
    ? `That is a ${best}, in ${reading.milliseconds.toFixed(1)} ms`
    : 'Draw a digit on the left';
  element('bars').replaceChildren(
    ...shares.map((share, digit) => {
      const [item, name, bar, figure] = ['li', 'span', 'div', 'b'].map((tag) => document.createElement(tag));
      item!.classList.toggle('largest', digit === best);
      name!.textContent = `${digit}`;
      bar!.className = 'bar';
      bar!.style.setProperty('--share', `${share}`);
      figure!.textContent = reading ? percent(share) : '';
      item!.append(name!, bar!, figure!);
      return item!;
    }),
  );
}

/** Runs the test set through every file in every setting. */
async function compare(): Promise<void> {
  const rows = settings
    .filter(({ file }) => files.has(file))
    .map((setting) => ({ setting, row: rowFor(setting.name) }));
  element('results').replaceChildren(...rows.map(({ row }) => row));
  for (const { setting, row } of rows) {
    const bar = document.createElement('progress');
    row.insertCell().append(bar);
    const result = await evaluate(setting, files.get(setting.file)!, test, (done) => {
      bar.value = done / test.count;
    });
    row.replaceWith(rowOf(result));
    showDigits(result.predictions);
  }
}

function rowFor(name: string): HTMLTableRowElement {
  const row = document.createElement('tr');
  row.insertCell().textContent = name;
  return row;
}

function rowOf(result: Evaluation): HTMLTableRowElement {
  const row = rowFor(result.name);
  const figures = [
    result.fileBytes.toLocaleString('en'),
    percent(result.accuracy),
    result.tutorial?.bytes.toLocaleString('en') ?? '',
    result.tutorial ? percent(result.tutorial.accuracy) : '',
    Math.round(result.imagesPerSecond).toLocaleString('en'),
    `${Math.round(result.loadMilliseconds)} ms`,
    `${(result.memoryBytes / 1e6).toFixed(1)} MB`,
    result.draws,
    result.onCpu.length,
  ];
  for (const figure of figures) row.insertCell().textContent = `${figure}`;
  return row;
}

/** The first three digits, then the first that the model gets wrong. */
function showDigits(predictions: readonly number[]): void {
  const wrong = predictions.flatMap((prediction, i) => (prediction === test.labels[i] ? [] : [i]));
  const shown = [0, 1, 2, ...wrong.slice(0, 5)];
  element('digits').replaceChildren(...shown.map((i) => digitFigure(test, i, predictions[i]!)));
}

async function runAny(): Promise<void> {
  const [model, image] = ['model', 'image'].map((id) => element<HTMLInputElement>(id).files?.[0]);
  if (!model) return;
  const text = element('any');
  text.hidden = false;
  text.textContent = 'loading';
  text.textContent = await describeModel(model, image, element<HTMLInputElement>('half').checked);
}

/** Does something long with the buttons off. */
async function busily(action: () => Promise<void>): Promise<void> {
  for (const button of buttons) button.disabled = true;
  try {
    await action();
  } finally {
    for (const button of buttons) button.disabled = false;
    progress.hidden = true;
  }
}

/** Shows the error of an action where the page's state is shown. */
function guarded(action: () => Promise<void>): void {
  action().catch((error) => say(String(error)));
}

function say(text: string): void {
  element('status').textContent = text;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
