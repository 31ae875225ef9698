import { Interpreter } from 'tflite-gpu';
import { largest } from './classifier.js';
import { batchOf, type Digits, edge, imageSize } from './digits.js';
import { delegateOptions, type Setting } from './settings.js';

/** What one setting gave over the test set. */
export interface Evaluation extends Setting {
  readonly fileBytes: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  readonly loadMilliseconds: number;
  readonly onGpu: readonly string[];
  readonly onCpu: readonly string[];
  readonly memoryBytes: number;
  readonly draws: number;
  readonly precision: string;
  /** Predicted classes, image by image. */
  readonly predictions: readonly number[];
}

const batch = 250;
const classes = 10;

/** Runs the whole test set through one model file, in batches, and counts the right answers. */
export async function evaluate(
  setting: Setting,
  model: Uint8Array,
  digits: Digits,
  onProgress: (done: number) => void,
): Promise<Evaluation> {
  const started = performance.now();
  const interpreter = await Interpreter.create(model, delegateOptions(setting));
  try {
    const input = interpreter.getInputDetails()[0]!.index;
    const output = interpreter.getOutputDetails()[0]!.index;
    interpreter.resizeTensorInput(input, [batch, edge, edge]);
    await interpreter.allocateTensors();
    const loaded = performance.now();
    const predictions: number[] = [];
    for (let first = 0; first < digits.count; first += batch) {
      const count = Math.min(batch, digits.count - first);
      const images = new Float32Array(batch * imageSize);
      images.set(batchOf(digits, first, count));
      interpreter.setTensor(input, images);
      await interpreter.invokeAsync();
      const logits = (await interpreter.getTensorAsync(output)) as Float32Array;
      for (let i = 0; i < count; i++) predictions.push(largest(logits.subarray(i * classes, (i + 1) * classes)));
      onProgress(first + count);
    }
    const seconds = (performance.now() - loaded) / 1000;
    const right = predictions.filter((prediction, i) => prediction === digits.labels[i]).length;
    const { nodes, memory, draws, precision } = interpreter.report();
    const opsOn = (where: 'gpu' | 'cpu') => nodes.filter((node) => node.runsOn === where).map((node) => node.op);
    return {
      ...setting,
      fileBytes: model.byteLength,
      accuracy: right / digits.count,
      imagesPerSecond: digits.count / seconds,
      loadMilliseconds: loaded - started,
      onGpu: opsOn('gpu'),
      onCpu: opsOn('cpu'),
      memoryBytes: memory.activationBytes + memory.weightBytes,
      draws,
      precision,
      predictions,
    };
  } finally {
    interpreter.dispose();
  }
}
