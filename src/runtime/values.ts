import {
  type CpuTensor,
  type Executable,
  type LinearTexture,
  type NumericData,
  quoted,
  type Value,
} from '../../delegate/index.js';

/** A value that an executable's output holds. */
interface OnGpu {
  readonly executable: Executable;
  /** Position among the executable's outputs. */
  readonly position: number;
  /** The values, where they were asked for; they come whatever runs next. */
  asked?: Promise<NumericData> | undefined;
}

/** The values of one run: in plain memory, or on the GPU, from where they can be read until the next run. */
export class Values {
  readonly #places = new Map<Value, CpuTensor | OnGpu>();
  #isLast = true;

  set(value: Value, tensor: CpuTensor): void {
    this.#places.set(value, tensor);
  }

  /** The value is what the executable's output holds; `asked`: the values of it, on their way. */
  setOnGpu(value: Value, executable: Executable, position: number, asked?: Promise<NumericData>): void {
    this.#places.set(value, { executable, position, asked });
  }

  /** The value in plain memory; `undefined` where it is on the GPU or nowhere. */
  held(value: Value): CpuTensor | undefined {
    if (value.data) return value as CpuTensor;
    const place = this.#places.get(value);
    return place && 'data' in place ? place : undefined;
  }

  /** Where on the GPU the value is. */
  onGpu(value: Value): OnGpu | undefined {
    const place = this.#places.get(value);
    return place && 'executable' in place && this.#isLast ? place : undefined;
  }

  /** Brings the value to plain memory, blocking. */
  read(value: Value): CpuTensor {
    const place = this.onGpu(value);
    return place ? this.#keep(value, place.executable.read(place.position)) : this.#expect(value);
  }

  /** Brings the value to plain memory without blocking. */
  async readAsync(value: Value): Promise<CpuTensor> {
    const place = this.#places.get(value);
    if (place && 'executable' in place && place.asked) return this.#keep(value, await place.asked);
    if (!this.onGpu(value)) return this.#expect(value);
    return this.#keep(value, await this.onGpu(value)!.executable.readAsync(this.onGpu(value)!.position));
  }

  /** The executables run again: what is on the GPU and was not asked for is lost. */
  supersede(): void {
    this.#isLast = false;
  }

  #keep(value: Value, data: NumericData): CpuTensor {
    const { shape, dtype, quantization } = value;
    const tensor = { shape, dtype, data, ...(quantization && { quantization }) };
    this.#places.set(value, tensor);
    return tensor;
  }

  #expect(value: Value): CpuTensor {
    const tensor = this.held(value);
    if (tensor) return tensor;
    const lost = this.#places.has(value) && 'was overwritten by a later run; read it before that one';
    const missing = 'has no value; set it where it is an input, else invoke first';
    throw new Error(`tensor ${value.id} ${quoted(value.name)} ${lost || missing}`);
  }
}

/** The outputs of one run, by position. */
export class Outputs {
  readonly values: Values;
  readonly #outputs: readonly Value[];

  constructor(outputs: readonly Value[], values: Values) {
    this.#outputs = outputs;
    this.values = values;
  }

  /** In plain memory; blocks until the GPU is done. */
  read(position: number): CpuTensor {
    return this.values.read(this.#outputs[position]!);
  }

  /** The same, without blocking. */
  readAsync(position: number): Promise<CpuTensor> {
    return this.values.readAsync(this.#outputs[position]!);
  }

  /** Where plain memory holds it. */
  held(position: number): CpuTensor | undefined {
    return this.values.held(this.#outputs[position]!);
  }

  /** Size of the linear texture that holds it on the GPU; `undefined` where plain memory holds it. */
  textureSize(position: number): { readonly width: number; readonly height: number } | undefined {
    const found = this.values.onGpu(this.#outputs[position]!);
    return found?.executable.linearSize('output', found.position);
  }

  /** Draws an output that is on the GPU into a linear texture of the caller. */
  draw(position: number, target: LinearTexture): void {
    const found = this.values.onGpu(this.#outputs[position]!);
    if (!found) throw new Error(`output ${position} is in plain memory; read it`);
    found.executable.readTexture(found.position, target);
  }
}
