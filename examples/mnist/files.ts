import { Optimize, TFLiteConverter } from 'tflite-gpu';
import { batchOf, type Digits } from './digits.js';
import type { createNetwork } from './network.js';

/** A flavour of the model file: what to ask of the converter. */
export interface Flavour {
  readonly file: string;
  readonly about: string;
  configure(converter: TFLiteConverter, digits: Digits): void;
}

/** Images that activations are calibrated on. */
const samples = 100;

/** The tutorial's two files, and two with integers. */
export const flavours: readonly Flavour[] = [
  { file: 'mnist_model.tflite', about: 'float32', configure() {} },
  {
    file: 'mnist_model_quant_f16.tflite',
    about: 'float16 weights',
    configure(converter) {
      converter.optimizations = [Optimize.DEFAULT];
      converter.targetSpec.supportedTypes = ['float16'];
    },
  },
  {
    file: 'mnist_model_quant_dynamic.tflite',
    about: 'int8 weights',
    configure(converter) {
      converter.optimizations = [Optimize.DEFAULT];
    },
  },
  {
    file: 'mnist_model_quant_int8.tflite',
    about: 'int8',
    configure(converter, digits) {
      converter.optimizations = [Optimize.DEFAULT];
      converter.representativeDataset = function* () {
        for (let i = 0; i < samples; i++) yield [batchOf(digits, i, 1)];
      };
    },
  },
];

/** Converts the trained network; `digits` are samples for flavours that are calibrated. */
export function convert(
  network: ReturnType<typeof createNetwork>,
  flavour: Flavour,
  digits: Digits,
): Promise<Uint8Array> {
  const converter = TFLiteConverter.fromLayersModel(network);
  flavour.configure(converter, digits);
  return converter.convert();
}
