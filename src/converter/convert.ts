/** The converter behind `TFLiteConverter`: loaded when it is first asked to convert. */
import '@tensorflow/tfjs-backend-cpu';
import { writeModel } from '../format/write.js';
import { optimize } from './passes.js';
import type { ModelFunction } from './source.js';
import { toModel } from './to-model.js';
import { traceModel } from './trace-model.js';
import { withVersions } from './versions.js';

/** Traces a model and writes it as a `.tflite` file. */
export function convert(source: ModelFunction): Uint8Array {
  const traced = traceModel(source);
  return writeModel(withVersions(toModel(optimize(traced.graph), traced)));
}
