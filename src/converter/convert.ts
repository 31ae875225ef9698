/** The converter behind `TFLiteConverter`, `quantize` and `dequantize`: loaded when one of them is first called. */
import '@tensorflow/tfjs-backend-cpu';
import type { Model } from '../format/model.js';
import { readModel } from '../format/read.js';
import { verifyModel } from '../format/verify.js';
import { writeModel } from '../format/write.js';
import { calibrate } from './calibrate.js';
import { dequantizeModel } from './dequantize.js';
import { optimize } from './passes.js';
import { quantizeDynamic } from './quantize-dynamic.js';
import { quantizeToFloat16 } from './quantize-float16.js';
import { quantizeToIntegers } from './quantize-integers.js';
import { type Scheme, schemeOf } from './scheme.js';
import type { ConversionSettings, ConvertOptions } from './settings.js';
import type { ModelFunction } from './source.js';
import { toModel } from './to-model.js';
import { traceModel } from './trace-model.js';
import { withVersions } from './versions.js';

export { ofGraphModel, ofLayersModel } from './source.js';

/** Traces a model and writes it as a `.tflite` file. Throws UnsupportedError for ops and settings that it does not know. */
export async function convert(
  source: ModelFunction,
  settings: ConversionSettings,
  options: ConvertOptions,
): Promise<Uint8Array> {
  const scheme = schemeOf(settings);
  const traced = traceModel(source);
  return written(await stored(toModel(optimize(traced.graph), traced), scheme, options));
}

/** A file with its numbers stored otherwise. */
export async function quantizeFile(
  bytes: Uint8Array,
  settings: ConversionSettings,
  options: ConvertOptions,
): Promise<Uint8Array> {
  const scheme = schemeOf(settings);
  return written(await stored(readVerified(bytes), scheme, options));
}

async function stored(model: Model, scheme: Scheme, options: ConvertOptions): Promise<Model> {
  switch (scheme.kind) {
    case 'float32':
      return model;
    case 'float16':
      return quantizeToFloat16(model);
    case 'dynamic':
      return quantizeDynamic(model);
    case 'integer': {
      const float = dequantizeModel(model);
      return quantizeToIntegers(float, await calibrate(float, scheme.dataset, options), scheme);
    }
    default:
      return scheme satisfies never;
  }
}

function written(model: Model): Uint8Array {
  return writeModel(withVersions(model));
}

/** A file with all that it stores as halves or integers of a scale as float32. */
export function dequantizeFile(bytes: Uint8Array): Uint8Array {
  return written(dequantizeModel(readVerified(bytes)));
}

function readVerified(bytes: Uint8Array): Model {
  verifyModel(bytes);
  return readModel(bytes);
}
