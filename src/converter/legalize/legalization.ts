import { type Attrs, type DType, type Shape, sizeOf, type TensorData, type Value } from '../../../delegate/index.js';

/** A call of a tfjs kernel while tracing, and what its legalisation writes down instead of computing. */
export interface Call {
  /** The kernel's inputs by name; numbered where it takes a list; absent ones are undefined. */
  readonly inputs: Readonly<Record<string, Value | undefined>>;
  /** Appends a node and returns its only output. Attributes left out have the schema's defaults. `dtype`: where it is not that of the first input. */
  emit(type: string, inputs: readonly (Value | undefined)[], attrs?: Attrs, dtype?: DType): Value;
  /** Appends a node with this many outputs. */
  emitAll(type: string, inputs: readonly (Value | undefined)[], attrs: Attrs, count: number): readonly Value[];
}

/** The nodes of `BuiltinOperator`s that say the same as a tfjs kernel. Throws UnsupportedError where none do. */
export type Legalization<A = never> = (call: Call, attrs: A) => Value | readonly Value[];

/** Legalisations by the names of tfjs kernels. */
export type Legalizations = Readonly<Record<string, Legalization>>;

/** The input called `name`, which the kernel cannot do without. */
export function operand({ inputs }: Call, name: string): Value {
  const value = inputs[name];
  if (!value) throw new TypeError(`input ${name} is absent; known are ${Object.keys(inputs)}`);
  return value;
}

/** All inputs of a kernel that takes a list, in order. */
export function operandsOf({ inputs }: Call): readonly Value[] {
  return Object.values(inputs).filter((value) => value !== undefined);
}

/** A constant of the graph. */
export function constantOf(data: TensorData, shape: Shape, dtype: DType, name = 'constant'): Value {
  return { id: -1, name, shape, dtype, data };
}

/** A vector of int32: axes, shapes, paddings. */
export function vectorOf(numbers: readonly number[]): Value {
  return constantOf(Int32Array.from(numbers), [numbers.length], 'int32');
}

/** A number of the same type as `like`. */
export function numberOf(value: number, like: { readonly dtype: DType } = { dtype: 'float32' }): Value {
  const data = like.dtype === 'float32' ? Float32Array.of(value) : Int32Array.of(value);
  return constantOf(data, [], like.dtype);
}

/** The value with its axes in another order. */
export function transposed(call: Call, x: Value, order: readonly number[]): Value {
  return call.emit('TRANSPOSE', [x, vectorOf(order)]);
}

/** The value under another shape. */
export function reshaped(call: Call, x: Value, shape: Shape): Value {
  return call.emit('RESHAPE', [x, vectorOf(shape)]);
}

/** True for constants of `channels` elements along the last dimension. */
export function isPerChannel(x: Value, channels: number): boolean {
  return x.data !== undefined && sizeOf(x.shape) === channels && (x.shape.at(-1) === channels || channels === 1);
}
