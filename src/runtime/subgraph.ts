import {
  type CpuTensor,
  type Graph,
  quoted,
  type Shape,
  sameShape,
  type TensorData,
  type Value,
} from '../../delegate/index.js';
import { Session, type SessionContext } from './session.js';
import { type InputData, takeValues } from './tensor-values.js';

/** A subgraph as the interpreter's user sees it: tensors by position, shapes asked for, inputs copied. */
export class Subgraph {
  readonly session: Session;
  readonly file: Graph;
  readonly #index: number;
  #asked: readonly Shape[];
  #allocated = false;
  #values: (TensorData | undefined)[] = [];

  constructor(file: Graph, index: number, context: SessionContext) {
    this.file = file;
    this.#index = index;
    this.session = new Session(file, `subgraphs[${index}]`, context);
    this.#asked = file.inputs.map(({ shape }) => shape);
  }

  /** The inputs with the shapes asked for. */
  get inputs(): readonly Value[] {
    return this.file.inputs.map((value, i) => ({ ...value, shape: this.#asked[i]! }));
  }

  /** The outputs with the shapes in force. */
  get outputs(): readonly Value[] {
    return this.session.outputs.map((value, i) => ({ ...this.file.outputs[i]!, shape: value.shape }));
  }

  /** Asks for another shape of an input; `allocate` puts it in force. `strict`: only where the signature says −1. */
  resize(position: number, shape: readonly number[], strict = false): void {
    const value = this.file.inputs[position]!;
    const where = `input ${value.id} ${quoted(value.name)}`;
    if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
      throw new RangeError(`${where}: shape [${shape}]; accepted: integers of 0 or more`);
    }
    const signature = value.shapeSignature?.length ? value.shapeSignature : value.shape;
    const fits =
      shape.length === signature.length && shape.every((size, i) => signature[i] === -1 || signature[i] === size);
    if (strict && !fits)
      throw new RangeError(`${where}: shape [${shape}]; accepted with strict: [${signature}], any size for −1`);
    if (sameShape(shape, this.#asked[position]!)) return;
    this.#asked = this.#asked.map((asked, i) => (i === position ? [...shape] : asked));
    this.#allocated = false;
  }

  /** Puts the shapes in force and compiles. */
  async allocate(onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<void> {
    const { session } = this;
    await session.queue(() => {
      session.change(() => this.applyShapes());
      return session.compile(onProgress, signal);
    });
  }

  /** Puts the shapes in force without compiling. Inputs of another size than before have to be set again. */
  applyShapes(): void {
    if (this.#allocated) return;
    const before = this.session.inputs;
    this.session.resize(this.#asked);
    this.#values = this.#values.map((data, i) => (sameShape(before[i]!.shape, this.#asked[i]!) ? data : undefined));
    this.#allocated = true;
  }

  /** Throws unless the shapes are in force. */
  expectAllocated(): void {
    if (!this.#allocated) {
      throw new Error(
        `subgraph ${this.#index}: its tensors are not allocated; call allocateTensors first, and after resizeTensorInput`,
      );
    }
  }

  /** Copies the values of an input. */
  set(position: number, data: InputData): void {
    const copy = takeValues(this.inputs[position]!, data, this.#values[position]);
    this.session.setInput(position, copy);
    this.#values[position] = copy;
  }

  /** Runs without blocking, with all outputs brought to plain memory. */
  invokeAsync(): Promise<void> {
    const positions = [...this.file.outputs.keys()];
    return this.session.invoke({
      wanted: () => positions,
      take: async (outputs) => {
        await Promise.all(positions.map((position) => outputs.readAsync(position)));
      },
    });
  }

  /** A tensor by its index in the file; blocks where the GPU has it. */
  read(index: number): CpuTensor {
    const output = this.#outputAt(index);
    return output >= 0 ? this.session.results.read(output) : this.#heldAt(index);
  }

  /** The same, without blocking. */
  async readAsync(index: number): Promise<CpuTensor> {
    const output = this.#outputAt(index);
    return output >= 0 ? this.session.results.readAsync(output) : this.#heldAt(index);
  }

  #outputAt(index: number): number {
    return this.file.outputs.findIndex(({ id }) => id === index);
  }

  #heldAt(index: number): CpuTensor {
    const position = this.file.inputs.findIndex(({ id }) => id === index);
    const input = this.inputs[position];
    if (input && this.#values[position]) return { ...input, data: this.#values[position] };
    const held = this.session.held(index);
    if (held) return held;
    const accepted = this.file.outputs.map(({ id }) => id).join(', ');
    throw new Error(
      `tensor ${index} has no value in plain memory: it was not set, was optimised away or is inside a GPU segment; outputs are ${accepted}`,
    );
  }
}
