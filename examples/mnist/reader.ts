import { type Classifier, createClassifier } from './classifier.js';
import type { Setting } from './settings.js';

/** What a model made of a digit: a share for each of the ten, and how long that took. */
export interface Reading {
  readonly shares: readonly number[];
  readonly milliseconds: number;
}

/** Reads a digit while it is drawn: one image at a time, and of those that wait only the newest. */
export class Reader {
  #classifier: Classifier | undefined;
  #newest: Float32Array | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #onReading: (reading: Reading | undefined) => void;

  /** `onReading` gets undefined when there is nothing to read. */
  constructor(onReading: (reading: Reading | undefined) => void) {
    this.#onReading = onReading;
  }

  /** Reads with this model from now on, what it last read first. */
  use(model: Uint8Array, setting: Setting): Promise<void> {
    return this.#inTurn(async () => {
      const classifier = await createClassifier(model, setting);
      this.#classifier?.dispose();
      this.#classifier = classifier;
      await this.#read(this.#newest);
    });
  }

  /** Reads an image of values from 0 to 1, unless a newer one comes before its turn. */
  read(image: Float32Array | undefined): Promise<void> {
    this.#newest = image;
    return this.#inTurn(async () => {
      if (image === this.#newest) await this.#read(image);
    });
  }

  async #read(image: Float32Array | undefined): Promise<void> {
    if (!image || !this.#classifier) return this.#onReading(undefined);
    const started = performance.now();
    const logits = await this.#classifier.read(image);
    this.#onReading({ shares: softmax(logits), milliseconds: performance.now() - started });
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function softmax(logits: Float32Array): number[] {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
