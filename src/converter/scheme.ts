import { UnsupportedError } from '../../delegate/index.js';
import type { IntegerType } from './affine.js';
import { type ConversionSettings, OpsSet, Optimize } from './settings.js';

/** How a file stores numbers and computes with them. */
export type Scheme = { readonly kind: 'float32' | 'float16' | 'dynamic' } | IntegerScheme;

/** Integers throughout. */
export interface IntegerScheme {
  readonly kind: 'integer';
  /** Of activations; weights are int8. */
  readonly type: IntegerType;
  /** Operators without an integer form may compute in floats. */
  readonly allowsFloat: boolean;
  /** Types that float inputs and outputs become. */
  readonly inputType: FaceType;
  readonly outputType: FaceType;
  readonly dataset: NonNullable<ConversionSettings['representativeDataset']>;
}

/** Element types of a model's inputs and outputs. */
export type FaceType = 'FLOAT32' | 'UINT8' | IntegerType;

const ACCEPTED_OPS = Object.values(OpsSet);
const ACCEPTED_TYPES = ['float32', 'float16', 'int8'];

/** What inputs and outputs may be, by what the activations are. */
const FACES: Readonly<Record<IntegerType, readonly string[]>> = {
  INT8: ['float32', 'int8', 'uint8'],
  INT16: ['float32', 'int16'],
};

/** What the settings ask for. Throws UnsupportedError for what the converter does not do, with what it does. */
export function schemeOf(settings: ConversionSettings): Scheme {
  const { optimizations = [], targetSpec = {}, representativeDataset: dataset } = settings;
  const { supportedTypes = [], supportedOps = [] } = targetSpec;
  expectKnown('optimizations', optimizations, Object.values(Optimize));
  expectKnown('targetSpec.supportedTypes', supportedTypes, ACCEPTED_TYPES);
  expectKnown('targetSpec.supportedOps', supportedOps, ACCEPTED_OPS);
  const isHalf = supportedTypes.includes('float16');
  if (dataset && optimizations.length && !isHalf) return integerScheme(settings, dataset);
  if (dataset)
    throw refused(
      'representativeDataset is for integer arithmetic',
      'optimizations = [Optimize.DEFAULT] with it, and no float16 in targetSpec.supportedTypes',
    );
  const integerOnly = [...supportedTypes, ...supportedOps].find((name) => /int8/i.test(name));
  if (integerOnly) throw refused(`${integerOnly} without a representativeDataset`, 'both, or neither');
  expectKnown('inferenceInputType', [settings.inferenceInputType ?? 'float32'], ['float32']);
  expectKnown('inferenceOutputType', [settings.inferenceOutputType ?? 'float32'], ['float32']);
  if (!optimizations.length || (supportedTypes.length && !isHalf)) return { kind: 'float32' };
  return { kind: isHalf ? 'float16' : 'dynamic' };
}

function integerScheme(
  { targetSpec = {}, inferenceInputType = 'float32', inferenceOutputType = 'float32' }: ConversionSettings,
  dataset: IntegerScheme['dataset'],
): IntegerScheme {
  const { supportedTypes = [], supportedOps = [] } = targetSpec;
  const type = supportedOps.includes(OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8)
    ? 'INT16'
    : 'INT8';
  const mayBeFloat = !supportedOps.length || supportedOps.includes(OpsSet.TFLITE_BUILTINS);
  expectKnown('inferenceInputType', [inferenceInputType], FACES[type]);
  expectKnown('inferenceOutputType', [inferenceOutputType], FACES[type]);
  return {
    kind: 'integer',
    type,
    allowsFloat: mayBeFloat && !supportedTypes.includes('int8'),
    inputType: inferenceInputType.toUpperCase() as FaceType,
    outputType: inferenceOutputType.toUpperCase() as FaceType,
    dataset,
  };
}

function expectKnown(name: string, found: readonly string[], accepted: readonly string[]): void {
  const unknown = found.find((value) => !accepted.includes(value));
  if (unknown !== undefined) throw refused(`${name} has ${JSON.stringify(unknown)}`, accepted.join(', '));
}

function refused(found: string, accepted: string): UnsupportedError {
  return new UnsupportedError(`TFLiteConverter: ${found}; accepted: ${accepted}`);
}
