import type { Tensor } from '@tensorflow/tfjs-core';
import { type ConversionSettings, type Optimize, type TargetSpec, weightStorageOf } from './settings.js';
import {
  type GraphModelLike,
  type InputSpec,
  type LayersModelLike,
  type ModelFunction,
  ofGraphModel,
  ofLayersModel,
} from './source.js';

/** Turns tfjs models into `.tflite` files, as Python's `tf.lite.TFLiteConverter` does. */
export class TFLiteConverter implements ConversionSettings {
  /** What to do beyond converting; `[Optimize.DEFAULT]` makes files smaller. */
  optimizations: readonly Optimize[] = [];
  readonly targetSpec: TargetSpec = { supportedTypes: [], supportedOps: ['TFLITE_BUILTINS'] };
  readonly #source: ModelFunction;

  /** Use `fromLayersModel`, `fromGraphModel` or `fromFunction`. */
  constructor(source: ModelFunction) {
    this.#source = source;
  }

  /** A model of `@tensorflow/tfjs-layers`, as it runs for inference. */
  static fromLayersModel(model: LayersModelLike): TFLiteConverter {
    return new TFLiteConverter(ofLayersModel(model));
  }

  /** A model of `@tensorflow/tfjs-converter`. */
  static fromGraphModel(model: GraphModelLike): TFLiteConverter {
    return new TFLiteConverter(ofGraphModel(model));
  }

  /** A function of tensors that gives a tensor, a list of them or a map by name. */
  static fromFunction(f: (...inputs: Tensor[]) => unknown, inputs: readonly InputSpec[]): TFLiteConverter {
    return new TFLiteConverter({ inputs, call: (tensors) => f(...tensors) });
  }

  /**
   * The model as a `.tflite` file. Throws UnsupportedError that names every op and layer that TFLite cannot say, or the
   * setting that is not accepted.
   */
  async convert(): Promise<Uint8Array> {
    const storage = weightStorageOf(this);
    const { convert } = await import('./convert.js');
    return convert(this.#source, storage);
  }
}

/** A float `.tflite` file with smaller weights; int8 unless the settings say float16. Inputs and outputs stay as they are. */
export async function quantize(file: Uint8Array, { targetSpec }: Pick<ConversionSettings, 'targetSpec'> = {}) {
  const storage = weightStorageOf({ optimizations: ['DEFAULT'], ...(targetSpec && { targetSpec }) });
  const { quantizeFile } = await import('./convert.js');
  return quantizeFile(file, storage);
}

/** A `.tflite` file with float32 in the place of all halves and quantised integers, inputs and outputs too. */
export async function dequantize(file: Uint8Array): Promise<Uint8Array> {
  const { dequantizeFile } = await import('./convert.js');
  return dequantizeFile(file);
}
