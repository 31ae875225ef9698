import {
  type Attrs,
  type OpSpec,
  type Shape,
  type TensorData,
  type TensorType,
  UnsupportedError,
} from '../../delegate/index.js';

/** A tensor as a user's op gets it. */
export interface CustomTensor extends TensorType {
  readonly data: TensorData;
}

/** An op that the user supplies for a `custom_code` of the model. */
export interface CustomOp {
  /** Shapes of the outputs. `attrs.customOptions` holds the op's option bytes. */
  inferShapes(inputs: readonly Shape[], attrs: Attrs): readonly Shape[];
  /** Values of the outputs, in the typed arrays of their types. */
  cpu(
    inputs: readonly (CustomTensor | undefined)[],
    attrs: Attrs,
    outputs: readonly TensorType[],
  ): readonly TensorData[];
}

/** The user's ops by `custom_code`. */
export type CustomOps = Readonly<Record<string, CustomOp>>;

/** The user's ops in the form of the built-in ones. Throws TypeError where a function is missing. */
export function customSpecs(customOps: CustomOps): Map<string, OpSpec> {
  return new Map(Object.entries(customOps).map(([type, op]) => [type, specOf(type, op)]));
}

function specOf(type: string, op: CustomOp): OpSpec {
  if (typeof op?.inferShapes !== 'function' || typeof op.cpu !== 'function') {
    throw new TypeError(`customOps.${type.slice(0, 64)}: accepted: an object with the functions inferShapes and cpu`);
  }
  return {
    type,
    infer(inputs, attrs, outputs) {
      const shapes = op.inferShapes(
        inputs.map((input) => input?.shape ?? []),
        attrs,
      );
      if (shapes.length !== outputs.length) {
        throw new UnsupportedError(
          `customOps.${type}: inferShapes gave ${shapes.length} shapes; the model has ${outputs.length} outputs`,
        );
      }
      return outputs.map(({ dtype }, i) => ({ shape: shapes[i]!, dtype }));
    },
    cpu: (inputs, attrs, outputs) => op.cpu(inputs, attrs, outputs),
    stateful: true,
  };
}
