import type { Tensor } from '@tensorflow/tfjs-core';
import {
  type GraphModelLike,
  type InputSpec,
  type LayersModelLike,
  type ModelFunction,
  ofGraphModel,
  ofLayersModel,
} from './source.js';

/** Turns tfjs models into `.tflite` files, as Python's `tf.lite.TFLiteConverter` does. */
export class TFLiteConverter {
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

  /** The model as a `.tflite` file. Throws UnsupportedError that names every op and layer that TFLite cannot say. */
  async convert(): Promise<Uint8Array> {
    const { convert } = await import('./convert.js');
    return convert(this.#source);
  }
}
