/** 64 bits of what it is told in hexadecimal: FNV-1a with two primes. Not against somebody who seeks collisions. */
export class Hash {
  #a = 0x811c9dc5;
  #b = 0x01234567;

  /** A text, by its code units. */
  text(text: string): this {
    for (let i = 0; i < text.length; i++) this.#add(text.charCodeAt(i));
    return this.#end(text.length);
  }

  /** Bytes in memory, four at a time. */
  bytes(bytes: Uint8Array): this {
    const whole = bytes.length & ~3;
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, whole / 4);
    for (let i = 0; i < words.length; i++) this.#add(words[i]!);
    for (let i = whole; i < bytes.length; i++) this.#add(bytes[i]!);
    return this.#end(bytes.length);
  }

  get digest(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #add(unit: number): void {
    this.#a = Math.imul(this.#a ^ unit, 0x01000193);
    this.#b = Math.imul(this.#b ^ unit, 0x5bd1e995);
    this.#b ^= this.#b >>> 15;
  }

  /** So that "ab" and "c" differ from "a" and "bc". */
  #end(length: number): this {
    this.#add(length);
    return this;
  }
}
