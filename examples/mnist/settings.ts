/** The three settings of the tutorial: which file, and how its arithmetic runs. */
export interface Setting {
  readonly name: string;
  readonly file: string;
  readonly precisionLossAllowed: 0 | 1;
  /** Accuracy of the same file in TensorFlow Lite's own CPU interpreter. */
  readonly expected: number;
}

/** In the order of the tutorial. */
export const settings: readonly Setting[] = [
  { name: 'float32', file: 'mnist_model.tflite', precisionLossAllowed: 0, expected: 0.9657 },
  { name: 'float16 weights', file: 'mnist_model_quant_f16.tflite', precisionLossAllowed: 0, expected: 0.9656 },
  { name: 'float16 arithmetic', file: 'mnist_model_quant_f16.tflite', precisionLossAllowed: 1, expected: 0.9656 },
];
