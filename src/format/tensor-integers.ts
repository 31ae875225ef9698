import { viewOf } from './flatbuffer.js';

/** The numbers of a constant integer tensor's bytes; `undefined` for other types. 64-bit values may be rounded. */
export function integersOf(type: string, data: Uint8Array): number[] | undefined {
  const view = viewOf(data);
  switch (type) {
    case 'INT32':
      return numbers(data, 4, (at) => view.getInt32(at, true));
    case 'INT64':
      return numbers(data, 8, (at) => Number(view.getBigInt64(at, true)));
    case 'UINT32':
      return numbers(data, 4, (at) => view.getUint32(at, true));
    case 'INT16':
      return numbers(data, 2, (at) => view.getInt16(at, true));
    case 'INT8':
      return numbers(data, 1, (at) => view.getInt8(at));
    case 'UINT8':
      return Array.from(data);
    default:
      return undefined;
  }
}

function numbers(data: Uint8Array, bytes: number, read: (at: number) => number): number[] {
  return Array.from({ length: data.length / bytes }, (_, i) => read(i * bytes));
}
