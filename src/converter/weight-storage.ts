import { UnsupportedError } from '../../delegate/index.js';
import { type ConversionSettings, Optimize } from './settings.js';

/** How weights are stored. */
export type WeightStorage = 'float32' | 'float16' | 'dynamic';

const ACCEPTED_TYPES = ['float32', 'float16'];
const ACCEPTED_OPS = ['TFLITE_BUILTINS'];

/** What the settings ask for. Throws UnsupportedError for what the converter does not do, with what it does. */
export function weightStorageOf(settings: ConversionSettings): WeightStorage {
  const { optimizations = [], targetSpec = {}, inferenceInputType, inferenceOutputType } = settings;
  const { supportedTypes = [], supportedOps = [] } = targetSpec;
  if (settings.representativeDataset)
    throw new UnsupportedError(
      'TFLiteConverter: representativeDataset is for integer arithmetic; accepted: none, for weights as float16 or int8',
    );
  expectKnown('inferenceInputType', [inferenceInputType ?? 'float32'], ['float32']);
  expectKnown('inferenceOutputType', [inferenceOutputType ?? 'float32'], ['float32']);
  expectKnown('optimizations', optimizations, Object.values(Optimize));
  expectKnown('targetSpec.supportedTypes', supportedTypes, ACCEPTED_TYPES);
  expectKnown('targetSpec.supportedOps', supportedOps, ACCEPTED_OPS);
  if (!optimizations.length || (supportedTypes.length && !supportedTypes.includes('float16'))) return 'float32';
  return supportedTypes.includes('float16') ? 'float16' : 'dynamic';
}

function expectKnown(name: string, found: readonly string[], accepted: readonly string[]): void {
  const unknown = found.find((value) => !accepted.includes(value));
  if (unknown === undefined) return;
  throw new UnsupportedError(
    `TFLiteConverter: ${name} has ${JSON.stringify(unknown)}; accepted: ${accepted.join(', ')}`,
  );
}
