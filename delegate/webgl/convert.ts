import { arrayOf, type DType, floatToHalf, halvesToFloats, type NumericData } from '../ir/dtype.js';

/** Values as floats, the form in which textures hold every type. float32 is not copied. */
export function toFloats(data: NumericData, dtype: DType): ArrayLike<number> {
  if (dtype === 'float16') return halvesToFloats(data as Uint16Array);
  if (dtype === 'int64' || dtype === 'uint64') return Float32Array.from(data as BigInt64Array, Number);
  return data as Float32Array;
}

/** The first `size` floats as a dtype: integers saturate, which a typed array by itself does not. */
export function fromFloats(texels: Float32Array, size: number, dtype: DType): NumericData {
  if (dtype === 'float32') return texels.subarray(0, size);
  const values = new (arrayOf(dtype))(size) as Float32Array;
  const [lo, hi] = LIMITS[dtype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < size; i++)
    values[i] = dtype === 'float16' ? floatToHalf(texels[i]!) : Math.min(Math.max(texels[i]!, lo), hi);
  return values;
}

const LIMITS: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  int32: [-2147483648, 2147483647],
  int16: [-32768, 32767],
  int8: [-128, 127],
  uint8: [0, 255],
  bool: [0, 1],
};
