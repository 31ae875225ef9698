/** What the converter may do to make a model smaller and faster. */
export const Optimize = {
  /** Stores weights in fewer bits: float16 where `targetSpec.supportedTypes` says so, else large ones as int8. */
  DEFAULT: 'DEFAULT',
} as const;
export type Optimize = (typeof Optimize)[keyof typeof Optimize];

/** What the interpreter takes that a file is for. */
export interface TargetSpec {
  /** `['float16']`: weights are halves. */
  supportedTypes: readonly string[];
  /** Which sets of operators a file may use. */
  supportedOps: readonly string[];
}

/** How a file is to be written. */
export interface ConversionSettings {
  readonly optimizations?: readonly Optimize[];
  readonly targetSpec?: Partial<Readonly<TargetSpec>>;
  /** Element types of inputs and outputs that are floats: float32 so far. */
  readonly inferenceInputType?: string;
  readonly inferenceOutputType?: string;
  /** Samples to calibrate integer arithmetic with; refused, since that is not there yet. */
  readonly representativeDataset?: (() => AsyncIterable<unknown> | Iterable<unknown>) | undefined;
}
