/** Bits of an element of each `TensorType` that has a fixed size; strings, resources and variants have none. */
export const bitsOf: ReadonlyMap<string, number> = new Map(
  Object.entries({
    COMPLEX128: 128,
    COMPLEX64: 64,
    FLOAT64: 64,
    INT64: 64,
    UINT64: 64,
    FLOAT32: 32,
    INT32: 32,
    UINT32: 32,
    FLOAT16: 16,
    BFLOAT16: 16,
    INT16: 16,
    UINT16: 16,
    INT8: 8,
    UINT8: 8,
    BOOL: 8,
    FLOAT8_E4M3FN: 8,
    FLOAT8_E5M2: 8,
    INT4: 4,
    UINT4: 4,
    INT2: 2,
  }),
);

/** Least and greatest value of the integer types that can be quantised. */
export const integerRange: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['INT2', [-2, 1]],
  ['INT4', [-8, 7]],
  ['UINT4', [0, 15]],
  ['INT8', [-128, 127]],
  ['UINT8', [0, 255]],
  ['INT16', [-32768, 32767]],
  ['UINT16', [0, 65535]],
  ['INT32', [-(2 ** 31), 2 ** 31 - 1]],
]);

/** Bytes that a dense constant of `elements` elements takes; types below a byte are packed. */
export function denseBytes(type: string, elements: number): number | undefined {
  const bits = bitsOf.get(type);
  return bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}
