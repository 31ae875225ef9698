import type { Tensor } from '@tensorflow/tfjs-core';
import { type ConversionSettings, type ConvertOptions, Optimize, type TargetSpec } from './settings.js';
import type { GraphModelLike, InputSpec, LayersModelLike, ModelFunction } from './source.js';

/** The converter itself is loaded when it is first needed. */
type Implementation = typeof import('./convert.js');
const load = (): Promise<Implementation> => import('./convert.js');

/** Turns tfjs models into `.tflite` files, as Python's `tf.lite.TFLiteConverter` does. */
export class TFLiteConverter implements ConversionSettings {
  /** What to do beyond converting; `[Optimize.DEFAULT]` makes files smaller. */
  optimizations: readonly Optimize[] = [];
  readonly targetSpec: TargetSpec = { supportedTypes: [], supportedOps: ['TFLITE_BUILTINS'] };
  inferenceInputType = 'float32';
  inferenceOutputType = 'float32';
  representativeDataset: ConversionSettings['representativeDataset'];
  readonly #source: (implementation: Implementation) => ModelFunction;

  private constructor(source: (implementation: Implementation) => ModelFunction) {
    this.#source = source;
  }

  /** A model of `@tensorflow/tfjs-layers`, as it runs for inference. */
  static fromLayersModel(model: LayersModelLike): TFLiteConverter {
    return new TFLiteConverter(({ ofLayersModel }) => ofLayersModel(model));
  }

  /** A model of `@tensorflow/tfjs-converter`. */
  static fromGraphModel(model: GraphModelLike): TFLiteConverter {
    return new TFLiteConverter(({ ofGraphModel }) => ofGraphModel(model));
  }

  /** A function of tensors that gives a tensor, a list of them or a map by name. */
  static fromFunction(f: (...inputs: Tensor[]) => unknown, inputs: readonly InputSpec[]): TFLiteConverter {
    return new TFLiteConverter(() => ({ inputs, call: (tensors) => f(...tensors) }));
  }

  /**
   * The model as a `.tflite` file. Throws UnsupportedError that names every op and layer that TFLite cannot say, or that
   * has no integer form where one is asked for, or the setting that is not accepted; TypeError or RangeError for a sample
   * that does not fit.
   */
  async convert(options: ConvertOptions = {}): Promise<Uint8Array> {
    const implementation = await load();
    return implementation.convert(this.#source(implementation), this, options);
  }
}

/** How `quantize` is to write a file, and how to watch it. */
export type QuantizeOptions = Omit<ConversionSettings, 'optimizations'> & ConvertOptions;

/**
 * A `.tflite` file in smaller numbers: integers throughout with a representative dataset, else weights as int8, or as
 * float16 where the target says so.
 */
export async function quantize(file: Uint8Array, options: QuantizeOptions = {}): Promise<Uint8Array> {
  const settings = { ...options, optimizations: [Optimize.DEFAULT] };
  return (await load()).quantizeFile(file, settings, options);
}

/** A `.tflite` file with float32 in the place of all halves and quantised integers, inputs and outputs too. */
export async function dequantize(file: Uint8Array): Promise<Uint8Array> {
  return (await load()).dequantizeFile(file);
}
