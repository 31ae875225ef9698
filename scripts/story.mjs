// Tells TensorFlow's tutorial "Post-training float16 quantization" in a terminal; the page of `npm start` takes its steps.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bytesText, countedText, drawDigit, numberText, percentText, printTable, progressBar } from './terminal.mjs';

/** From the digits to the table: trains, converts, reads one image, evaluates. */
export async function tellStory(page, args) {
  const started = performance.now();
  const story = await open(page);
  await load(story, args);
  const { loss } = await story.phase(
    'training',
    async () => {
      await story.step('train');
      return story.training;
    },
    ({ loss }) => `one epoch on the backend tflite-gpu; loss ${loss.toFixed(3)} at its end`,
  );
  const accuracy = await story.phase(
    'TensorFlow.js',
    () => story.step('accuracy'),
    (share) => `accuracy ${percentText(share)}`,
  );
  const files = await story.phase(
    'conversion',
    () => story.step('convert'),
    (all) => `${all.length} files`,
  );
  for (const { file, bytes } of files)
    console.log(
      `${''.padEnd(20)}  ${file.padEnd(34)}${numberText(bytes).padStart(7)} bytes${shareText(bytes, files[0].bytes)}`,
    );
  if (args.out) await keep(story, files, args.out);
  const settings = await evaluate(story);
  const seconds = (performance.now() - started) / 1000;
  printResults(settings, accuracy);
  console.log(`\nThe whole took ${seconds.toFixed(0)} s.`);
  writeJson(args.json, { loss, accuracy, files, settings, seconds });
}

/** Evaluates the files that TensorFlow wrote for its own training of the network. */
export async function evaluateStored(page, args) {
  const story = await open(page);
  await load(story, args);
  await story.step('takeStored');
  const settings = await evaluate(story);
  printResults(settings);
  writeJson(args.json, { settings });
}

/** The page's steps, and phases that show their progress, result and time on a line. */
async function open(page) {
  let bar;
  const story = {
    /** What the last report of training said. */
    training: undefined,
    step: (name, ...rest) => page.evaluate((step, given) => window.steps[step](...given), name, rest),
    async phase(label, body, describe) {
      bar = progressBar(label.padEnd(20));
      const value = await body();
      bar.end(describe(value));
      return value;
    },
  };
  await page.exposeFunction('tellProgress', (done, total, training) => {
    story.training = training;
    bar.set(done, total, training && `loss ${training.loss.toFixed(3)}, accuracy ${percentText(training.accuracy)}`);
  });
  return story;
}

function load(story, args) {
  return story.phase(
    'digits',
    () => story.step('load', { training: Number(args.training), test: Number(args.images) }),
    ({ training, test }) => `${numberText(training)} to learn from, ${numberText(test)} to be tested on`,
  );
}

/** Reads one image, then all of them in every setting that has its file. */
async function evaluate(story) {
  const settings = await story.step('settings');
  const first = await story.phase(
    'one image',
    () => story.step('read', settings[0].name, 0),
    ({ label, predicted }) => `true: ${label}, predicted: ${predicted}`,
  );
  drawDigit(Uint8Array.from(first.pixels));
  const results = [];
  for (const { name } of settings)
    results.push(
      await story.phase(
        name,
        () => story.step('evaluate', name),
        ({ accuracy, imagesPerSecond }) =>
          `accuracy ${percentText(accuracy)}, ${numberText(Math.round(imagesPerSecond))} images a second`,
      ),
    );
  return results;
}

/** Writes the converted files into a folder. */
async function keep(story, files, folder) {
  mkdirSync(folder, { recursive: true });
  for (const { file } of files)
    writeFileSync(path.join(folder, file), Uint8Array.from(await story.step('bytes', file)));
}

/** The table beside the tutorial's figures; `accuracy` is that of the network before it was converted. */
function printResults(settings, accuracy) {
  const whole = settings[0].fileBytes;
  console.log();
  printTable(
    ['', 'bytes', '', 'accuracy', 'tutorial: bytes', 'accuracy', 'images/s', 'load', 'GPU memory', 'draws'],
    [
      ...(accuracy === undefined ? [] : [['TensorFlow.js', '', '', percentText(accuracy), ...Array(6).fill('')]]),
      ...settings.map((result) => [
        result.name,
        numberText(result.fileBytes),
        shareText(result.fileBytes, whole),
        percentText(result.accuracy),
        result.tutorial ? numberText(result.tutorial.bytes) : '',
        result.tutorial ? percentText(result.tutorial.accuracy) : '',
        numberText(Math.round(result.imagesPerSecond)),
        `${Math.round(result.loadMilliseconds)} ms`,
        bytesText(result.memoryBytes),
        result.draws,
      ]),
    ],
  );
  console.log();
  for (const { name, onGpu, onCpu, precision } of settings)
    console.log(`${name} (${precision} textures): GPU ${countedText(onGpu)}; CPU ${countedText(onCpu)}`);
}

/** What part of the float32 file's bytes a file has. */
function shareText(bytes, whole) {
  return `${((100 * bytes) / whole).toFixed(1)} %`.padStart(9);
}

function writeJson(file, value) {
  if (file) writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
