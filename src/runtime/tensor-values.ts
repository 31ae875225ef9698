/** Values as users give them to an input and get them from an output. */
import { arrayOf, lanesOf, newData, quoted, sizeOf, type TensorData, type Value } from '../../delegate/index.js';

/** What an input takes: the typed array of its element type; strings as text or as UTF-8 bytes. */
export type InputData = TensorData | readonly string[] | readonly (string | Uint8Array)[];

/** Copies `data` for the input, into `target` where that fits. Throws TypeError or RangeError saying what is expected. */
export function takeValues(value: Value, data: InputData, target?: TensorData): TensorData {
  const where = `input ${value.id} ${quoted(value.name)}`;
  const length = sizeOf(value.shape) * lanesOf(value.dtype);
  const expected = `${arrayName(value)} of ${length} (shape [${value.shape}], ${value.dtype})`;
  if (!fitsType(value, data)) throw new TypeError(`${where}: ${kindOf(data)}; accepted: ${expected}`);
  if (data.length !== length)
    throw new RangeError(`${where}: ${kindOf(data)} of ${data.length}; accepted: ${expected}`);
  if (value.dtype === 'string') return (data as readonly (string | Uint8Array)[]).map(utf8);
  const copy = target?.length === length ? target : newData(value.dtype, sizeOf(value.shape));
  (copy as Float32Array).set(data as Float32Array);
  return copy;
}

/** A copy that the caller may keep and change. */
export function copyValues(data: TensorData): TensorData {
  return data.slice();
}

/** By name rather than `instanceof`, so that arrays of another frame are taken too. */
function fitsType({ dtype }: Value, data: InputData): boolean {
  if (dtype === 'string')
    return Array.isArray(data) && data.every((s) => typeof s === 'string' || ArrayBuffer.isView(s));
  return ArrayBuffer.isView(data) && kindOf(data) === arrayOf(dtype).name;
}

function arrayName({ dtype }: Value): string {
  return dtype === 'string' ? 'string[] or Uint8Array[]' : arrayOf(dtype).name;
}

function kindOf(data: unknown): string {
  return Object.prototype.toString.call(data).slice(8, -1);
}

function utf8(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? new TextEncoder().encode(text) : text.slice();
}
