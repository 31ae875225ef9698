// The page behind `npm start`: no user interface, two functions that the terminal side calls.
import { loadDigits } from './digits.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { type RunResult, runModel } from './run-model.js';
import { settings } from './settings.js';

declare global {
  interface Window {
    /** Provided by the terminal side: `done` of `total` images. */
    tellProgress(done: number, total: number): void;
    /** The settings in order. */
    settingNames: readonly string[];
    /** Evaluates setting number `index` over the first `count` test images. */
    evaluateSetting(index: number, count: number): Promise<Evaluation>;
    /** Runs the model (and image) that the terminal side serves. */
    runServedModel(request: {
      range: [number, number];
      half: boolean;
      runs: number;
      hasImage: boolean;
    }): Promise<RunResult>;
  }
}

const bytesOf = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer());

window.settingNames = settings.map(({ name }) => name);

window.evaluateSetting = async (index, count) => {
  const setting = settings[index]!;
  const [all, model] = await Promise.all([loadDigits('/digits'), bytesOf(`/models/${setting.file}`)]);
  const digits = { ...all, count: Math.min(count, all.count) };
  return evaluate(setting, model, digits, (done) => window.tellProgress(done, digits.count));
};

window.runServedModel = async ({ hasImage, ...request }) => {
  const image = hasImage ? await (await fetch('/input')).blob() : undefined;
  return runModel(await bytesOf('/model'), { ...request, image });
};
