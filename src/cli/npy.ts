import { ModelError } from '../../delegate/index.js';

/** How NumPy names little-endian types, and the arrays that hold them. */
const TYPES = {
  '<f4': Float32Array,
  '<f8': Float64Array,
  '|i1': Int8Array,
  '<i2': Int16Array,
  '<i4': Int32Array,
  '<i8': BigInt64Array,
  '|u1': Uint8Array,
  '<u2': Uint16Array,
  '<u4': Uint32Array,
  '|b1': Uint8Array,
} as const;

const MAGIC = '\x93NUMPY';

/** The numbers of a NumPy file, in order. Throws ModelError for other files, types and orders. */
export function readNpy(bytes: Uint8Array): ArrayLike<number | bigint> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes.length < 10 || text(0, 6) !== MAGIC) throw new ModelError('npy', 'it is no .npy file');
  const isFirst = bytes[6] === 1;
  const from = isFirst ? 10 : 12;
  const to = from + (isFirst ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = text(from, to);
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? 'none';
  const Numbers = TYPES[type as keyof typeof TYPES];
  if (!Numbers) throw new ModelError('npy', `its type is ${type}; accepted: ${Object.keys(TYPES).join(', ')}`);
  if (/'fortran_order':\s*True/.test(header)) throw new ModelError('npy', 'it is in Fortran order; accepted: C order');
  const data = new Uint8Array(bytes.subarray(to));
  return new Numbers(data.buffer, 0, Math.floor(data.length / Numbers.BYTES_PER_ELEMENT));
}
