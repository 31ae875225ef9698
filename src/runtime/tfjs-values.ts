/** Values between tfjs, which knows five element types, and a model's own types. */
import { complex, type DataType, engine, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import {
  arrayOf,
  type CpuTensor,
  type DType,
  floatToHalf,
  halvesToFloats,
  integerRange,
  type NumericData,
  quoted,
  type TensorData,
  UnsupportedError,
  type Value,
} from '../../delegate/index.js';

/** What tfjs gives as the values of a tensor; strings as UTF-8 bytes. */
export type TfjsValues = Float32Array | Int32Array | Uint8Array | readonly Uint8Array[];

/** The tfjs type that holds a model's type. Throws UnsupportedError where there is none. */
export function tfjsDtype(dtype: DType): DataType {
  if (integerRange(dtype)) return 'int32';
  if (dtype === 'float16' || dtype === 'float64') return 'float32';
  if (dtype === 'float32' || dtype === 'bool' || dtype === 'string' || dtype === 'complex64') return dtype;
  throw new UnsupportedError(`tfjs has no type for ${dtype}; use Interpreter, which has the model's own types`);
}

/** The values of a tensor of `tfjsDtype` for an input; the same array where the types are the same. */
export function toInput(value: Value, values: TfjsValues): TensorData {
  const { dtype } = value;
  if (tfjsDtype(dtype) === 'int32') return toIntegers(value, values as Int32Array);
  if (dtype === 'float16') return Uint16Array.from(values as Float32Array, floatToHalf);
  if (dtype === 'float64') return Float64Array.from(values as Float32Array);
  return values;
}

/** A tensor of the active backend with the values of an output. Throws RangeError for integers beyond int32. */
export function toTensor(value: Value, { shape, dtype, data }: CpuTensor): Tensor {
  const dims = [...shape];
  if (dtype === 'complex64') return toComplex(data as Float32Array, dims);
  const found = tfjsDtype(dtype);
  if (found === 'int32') return tensor(toInt32(value, data as NumericData), dims, found);
  if (dtype === 'float16') return tensor(halvesToFloats(data as Uint16Array), dims, found);
  if (dtype === 'float64') return tensor(Float32Array.from(data as Float64Array), dims, found);
  return tensor((found === 'string' ? data : (data as Float32Array).slice()) as Float32Array, dims, found);
}

/** The values of a tensor, blocking where the GPU has them. */
export function valuesSync(of: Tensor): TfjsValues {
  return (of.dtype === 'string' ? engine().readSync(of.dataId) : of.dataSync()) as TfjsValues;
}

/** The same, without blocking. */
export async function valuesAsync(of: Tensor): Promise<TfjsValues> {
  return (await (of.dtype === 'string' ? of.bytes() : of.data())) as TfjsValues;
}

function toIntegers({ name, dtype }: Value, values: Int32Array): TensorData {
  const [least, greatest] = rangeOf(dtype);
  const wrong = values.findIndex((v) => v < least || v > greatest);
  if (wrong >= 0) {
    throw new RangeError(
      `input ${quoted(name)}: ${values[wrong]} at ${wrong}; accepted: ${least} to ${greatest} (${dtype})`,
    );
  }
  if (dtype === 'int32') return values;
  if (dtype === 'int64') return BigInt64Array.from(values, BigInt);
  if (dtype === 'uint64') return BigUint64Array.from(values, BigInt);
  const integers = new (arrayOf(dtype))(values.length) as Int8Array;
  integers.set(values);
  return integers;
}

function rangeOf(dtype: DType): [least: number, greatest: number] {
  const [least, greatest] = integerRange(dtype)!;
  return [Number(least), Number(greatest)];
}

function toInt32({ name, dtype }: Value, data: NumericData): Int32Array {
  const integers = Int32Array.from(data as ArrayLike<number>, Number);
  const [least, greatest] = rangeOf('int32');
  const [lowest, highest] = rangeOf(dtype);
  if (lowest >= least && highest <= greatest) return integers;
  const wrong = (data as Uint32Array).findIndex((v) => v < least || v > greatest);
  if (wrong < 0) return integers;
  throw new RangeError(
    `output ${quoted(name)}: ${data[wrong]} at ${wrong} (${dtype}) is beyond tfjs's int32; use Interpreter, which gives ${dtype}`,
  );
}

function toComplex(pairs: Float32Array, shape: number[]): Tensor {
  const part = (lane: number) =>
    tensor(
      Float32Array.from({ length: pairs.length / 2 }, (_, i) => pairs[2 * i + lane]!),
      shape,
    );
  return tidy(() => complex(part(0), part(1)));
}
