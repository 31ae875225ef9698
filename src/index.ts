/** The public API of tflite-gpu. Importing it registers the tfjs backend `tflite-gpu`. */
import './tfjs/backend.js';

export {
  ContextLostError,
  DeviceError,
  ModelError,
  setDebug,
  setGpuDelegateOptions,
  type TfLiteGlCompileOptions,
  TfLiteGlObjectType,
  type TfLiteGpuDelegateOptions,
  TfLiteGpuExperimentalFlags,
  TfLiteGpuInferencePreference,
  TfLiteGpuInferencePriority,
  UnsupportedError,
} from '../delegate/index.js';
export { dequantize, type QuantizeOptions, quantize, TFLiteConverter } from './converter/converter.js';
export {
  type ConversionProgress,
  type ConversionSettings,
  type ConvertOptions,
  OpsSet,
  Optimize,
  type Sample,
  type SampleInput,
  type SampleInputs,
  type TargetSpec,
} from './converter/settings.js';
export type { InputSpec } from './converter/source.js';
export type { CustomOp, CustomOps } from './runtime/custom-ops.js';
export { Interpreter, type SignatureNames } from './runtime/interpreter.js';
export type { LoadOptions } from './runtime/load-options.js';
export { type ExecuteOptions, loadTFLiteModel, type TFLiteModel } from './runtime/model.js';
export type { ModelInput, ModelInputs } from './runtime/model-inputs.js';
export type { Pixels } from './runtime/pixels.js';
export type { Progress } from './runtime/progress.js';
export type { ModelStats, NodeReport, OpProfile, Report } from './runtime/report.js';
export type { NamedInput, SignatureRunner } from './runtime/signature-runner.js';
export type { ModelSource } from './runtime/sources.js';
export type { TensorDetails } from './runtime/tensor-details.js';
export type { InputData } from './runtime/tensor-values.js';
