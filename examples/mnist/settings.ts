import { TfLiteGlObjectType } from 'tflite-gpu';

/** A model file and how its arithmetic runs: a row of the tables. */
export interface Setting {
  readonly name: string;
  readonly file: string;
  readonly precisionLossAllowed: 0 | 1;
  /** What the file may be of the float32 file's bytes, and how far its accuracy may be from the network's. */
  readonly share: number;
  readonly mayLose: number;
  /** What TensorFlow's tutorial prints: the size of its file in bytes, and its accuracy. */
  readonly tutorial?: { readonly bytes: number; readonly accuracy: number };
  /** Accuracy of the file of that name beside this one, which TensorFlow wrote, in TensorFlow Lite's own CPU interpreter. */
  readonly expected?: number;
}

/** In the order of the tutorial. */
export const settings: readonly Setting[] = [
  {
    name: 'float32',
    file: 'mnist_model.tflite',
    precisionLossAllowed: 0,
    share: 1,
    mayLose: 0.0005,
    tutorial: { bytes: 84_500, accuracy: 0.9681 },
    expected: 0.9657,
  },
  {
    name: 'float16 weights',
    file: 'mnist_model_quant_f16.tflite',
    precisionLossAllowed: 0,
    share: 0.53,
    mayLose: 0.0005,
    tutorial: { bytes: 44_432, accuracy: 0.9681 },
    expected: 0.9656,
  },
  {
    name: 'float16 arithmetic',
    file: 'mnist_model_quant_f16.tflite',
    precisionLossAllowed: 1,
    share: 0.53,
    mayLose: 0.0005,
    expected: 0.9656,
  },
  {
    name: 'int8 weights',
    file: 'mnist_model_quant_dynamic.tflite',
    precisionLossAllowed: 0,
    share: 0.3,
    mayLose: 0.005,
  },
  {
    name: 'int8',
    file: 'mnist_model_quant_int8.tflite',
    precisionLossAllowed: 0,
    share: 0.3,
    mayLose: 0.005,
  },
];

/** Whether TensorFlow's file is at hand. */
export function isStored({ expected }: Setting): boolean {
  return expected !== undefined;
}

/** The delegate's options for a setting, as the tutorial gives them to the native delegate. */
export function delegateOptions({ precisionLossAllowed }: Setting) {
  const preferredGlObjectType = TfLiteGlObjectType.FASTEST;
  const compileOptions = { precisionLossAllowed, preferredGlObjectType, dynamicBatchEnabled: 0 as const };
  return { delegate: 'gpu' as const, gpu: { metadata: null, compileOptions } };
}
