import type { Tensor } from '@tensorflow/tfjs-core';
import type { NamedInput } from '../runtime/signature-runner.js';

/** What the converter may do to make a model smaller and faster. */
export const Optimize = {
  /**
   * With a representative dataset computes in integers. Without one stores weights in fewer bits: float16 where
   * `targetSpec.supportedTypes` says so, else large ones as int8.
   */
  DEFAULT: 'DEFAULT',
} as const;
export type Optimize = (typeof Optimize)[keyof typeof Optimize];

/** Sets of operators, as Python's `tf.lite.OpsSet` names them. */
export const OpsSet = {
  TFLITE_BUILTINS: 'TFLITE_BUILTINS',
  TFLITE_BUILTINS_INT8: 'TFLITE_BUILTINS_INT8',
  EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8:
    'EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8',
} as const;
export type OpsSet = (typeof OpsSet)[keyof typeof OpsSet];

/** What the interpreter takes that a file is for. */
export interface TargetSpec {
  /** `['float16']`: weights are halves. `['int8']`: no operator computes in floats. */
  supportedTypes: readonly string[];
  /**
   * Which sets of operators a file may use: `TFLITE_BUILTINS`, `TFLITE_BUILTINS_INT8` alone (no operator computes in
   * floats), `EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8` with or without `TFLITE_BUILTINS`.
   */
  supportedOps: readonly string[];
}

/** A value of an input: the typed array of its element type, that with a shape, or a tensor, which stays the caller's. */
export type SampleInput = NamedInput | Tensor;

/** Values of all inputs: in the model's order, or by name. */
export type SampleInputs = readonly SampleInput[] | Readonly<Record<string, SampleInput>>;

/** What a model is run on once; where it has several signatures, the key of one comes first. */
export type Sample = SampleInputs | readonly [signatureKey: string, inputs: SampleInputs];

/** How a file is to be written. */
export interface ConversionSettings {
  readonly optimizations?: readonly Optimize[];
  readonly targetSpec?: Partial<Readonly<TargetSpec>>;
  /**
   * Element types of inputs and outputs that are floats in the model: float32, or what the file computes in: int8 or
   * uint8, or int16.
   */
  readonly inferenceInputType?: string;
  readonly inferenceOutputType?: string;
  /** Gives samples of what the model will run on, a hundred or so: the range of every activation is taken from them. */
  readonly representativeDataset?: (() => AsyncIterable<Sample> | Iterable<Sample>) | undefined;
}

/** How far a conversion is. */
export interface ConversionProgress {
  readonly phase: 'calibrate';
  /** Samples that the model has run on. */
  readonly loaded: number;
  /** Samples in all; 0 where the dataset does not say, which lists do. */
  readonly total: number;
  /** 0 … 1; 0 until the end where the total is not known. */
  readonly fraction: number;
}

/** How to watch a conversion and stop it. */
export interface ConvertOptions {
  readonly onProgress?: (progress: ConversionProgress) => void;
  /** Once aborted, the conversion rejects with its reason before the next sample. */
  readonly signal?: AbortSignal;
}
