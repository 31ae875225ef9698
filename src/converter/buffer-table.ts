import { Hash } from '../../delegate/index.js';
import type { Buffer } from '../format/model.js';

/** The buffers of a model; what is added is stored once, however often. Buffer 0 is the empty one. */
export class BufferTable {
  readonly buffers: Buffer[];
  readonly #contents = new Map<string, number>();

  /** Goes on from a model's buffers, whose indices stay what they are. */
  constructor(buffers: readonly Buffer[] = [{}]) {
    this.buffers = [...buffers];
  }

  /** The index of a buffer with these bytes. */
  add({ buffer, byteOffset, byteLength }: ArrayBufferView): number {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (let key = `${byteLength} ${new Hash().bytes(bytes).digest}`; ; key += '+') {
      const index = this.#contents.get(key);
      if (index !== undefined && equal(this.buffers[index]!.data!, bytes)) return index;
      if (index !== undefined) continue;
      this.#contents.set(key, this.buffers.length);
      return this.buffers.push({ data: bytes }) - 1;
    }
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
