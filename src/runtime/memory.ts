import { type CpuTensor, type Executable, type NumericData, quoted, type Value } from '../../delegate/index.js';

interface OnGpu {
  readonly executable: Executable;
  /** Position among the executable's outputs. */
  readonly position: number;
}

/** Where the values of one run are: in plain memory, or on the GPU until somebody reads them. */
export class Memory {
  readonly #tensors = new Map<Value, CpuTensor>();
  readonly #onGpu = new Map<Value, OnGpu>();

  set(value: Value, tensor: CpuTensor): void {
    this.#onGpu.delete(value);
    this.#tensors.set(value, tensor);
  }

  /** The value is now what the executable's output holds. */
  setOnGpu(value: Value, executable: Executable, position: number): void {
    this.#tensors.delete(value);
    this.#onGpu.set(value, { executable, position });
  }

  /** The value in plain memory; `undefined` where it is on the GPU or nowhere. */
  held(value: Value): CpuTensor | undefined {
    return value.data ? (value as CpuTensor) : this.#tensors.get(value);
  }

  onGpu(value: Value): OnGpu | undefined {
    return this.#onGpu.get(value);
  }

  /** Brings the value to plain memory, blocking. */
  read(value: Value): CpuTensor {
    const place = this.#onGpu.get(value);
    return place ? this.#keep(value, place.executable.read(place.position)) : this.#expect(value);
  }

  /** Brings the value to plain memory without blocking. */
  async readAsync(value: Value): Promise<CpuTensor> {
    const place = this.#onGpu.get(value);
    if (!place) return this.#expect(value);
    const data = await place.executable.readAsync(place.position);
    // A later run may have written the value meanwhile; then this result is still this call's answer, but not kept.
    if (this.#onGpu.get(value) !== place) return { shape: value.shape, dtype: value.dtype, data };
    return this.#keep(value, data);
  }

  #keep(value: Value, data: NumericData): CpuTensor {
    const tensor = { shape: value.shape, dtype: value.dtype, data };
    this.set(value, tensor);
    return tensor;
  }

  #expect(value: Value): CpuTensor {
    const tensor = this.held(value);
    if (!tensor)
      throw new Error(
        `tensor ${value.id} ${quoted(value.name)} has no value; set it where it is an input, else invoke first`,
      );
    return tensor;
  }
}
