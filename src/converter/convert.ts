/** The converter behind `TFLiteConverter`, `quantize` and `dequantize`: loaded when one of them is first called. */
import '@tensorflow/tfjs-backend-cpu';
import type { Model } from '../format/model.js';
import { readModel } from '../format/read.js';
import { verifyModel } from '../format/verify.js';
import { writeModel } from '../format/write.js';
import { dequantizeModel } from './dequantize.js';
import { optimize } from './passes.js';
import { quantizeDynamic } from './quantize-dynamic.js';
import { quantizeToFloat16 } from './quantize-float16.js';
import type { ConversionSettings } from './settings.js';
import type { ModelFunction } from './source.js';
import { toModel } from './to-model.js';
import { traceModel } from './trace-model.js';
import { withVersions } from './versions.js';
import { type WeightStorage, weightStorageOf } from './weight-storage.js';

export { ofGraphModel, ofLayersModel } from './source.js';

const QUANTIZERS: Readonly<Record<WeightStorage, (model: Model) => Model>> = {
  float32: (model) => model,
  float16: quantizeToFloat16,
  dynamic: quantizeDynamic,
};

/** Traces a model and writes it as a `.tflite` file. Throws UnsupportedError for ops and settings that it does not know. */
export function convert(source: ModelFunction, settings: ConversionSettings): Uint8Array {
  const store = QUANTIZERS[weightStorageOf(settings)];
  const traced = traceModel(source);
  return writeModel(withVersions(store(toModel(optimize(traced.graph), traced))));
}

/** A file with its float32 weights stored otherwise. */
export function quantizeFile(bytes: Uint8Array, settings: ConversionSettings): Uint8Array {
  const store = QUANTIZERS[weightStorageOf(settings)];
  return writeModel(withVersions(store(readVerified(bytes))));
}

/** A file with all that it stores as halves or integers of a scale as float32. */
export function dequantizeFile(bytes: Uint8Array): Uint8Array {
  return writeModel(withVersions(dequantizeModel(readVerified(bytes))));
}

function readVerified(bytes: Uint8Array): Model {
  verifyModel(bytes);
  return readModel(bytes);
}
