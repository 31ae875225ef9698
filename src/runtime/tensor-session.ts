import { keep, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { type CpuTensor, type Graph, newData, quoted, sizeOf, type Value } from '../../delegate/index.js';
import type { OpTime } from './execution.js';
import type { Session } from './session.js';
import {
  fromTexture,
  isOnGpu,
  type LinearSize,
  sharesContext,
  type TensorTexture,
  toTexture,
} from './tfjs-textures.js';
import { type TfjsValues, tfjsDtype, toInput, toTensor, valuesAsync, valuesSync } from './tfjs-values.js';

/** Runs a session on tfjs tensors, given and asked for by position. Tensors that are on its GPU stay there. */
export class TensorSession {
  readonly session: Session;
  readonly file: Graph;
  readonly #gl: WebGL2RenderingContext | undefined;

  /** `gl`: the context of the session's device, where it has one. */
  constructor(session: Session, file: Graph, gl: WebGL2RenderingContext | undefined) {
    this.session = session;
    this.file = file;
    this.#gl = gl;
  }

  /** Runs; blocks where plain memory needs what the GPU makes. The tensors returned are the caller's. */
  run(inputs: readonly Tensor[], outputs: readonly number[]): Tensor[] {
    this.#fit(inputs);
    this.session.compileSync();
    const textures: TensorTexture[] = [];
    try {
      this.#setInputs(inputs, textures);
      this.session.run();
      return tidy(() => outputs.map((position) => this.#output(position)));
    } finally {
      release(textures);
    }
  }

  /** The same without blocking. The inputs may be disposed before it is done. */
  runAsync(inputs: readonly Tensor[], outputs: readonly number[]): Promise<Tensor[]> {
    return this.#queue(inputs, async () => {
      await this.session.runAsync();
      const read = await Promise.all(
        outputs.map((position) => (this.#textureSize(position) ? undefined : this.session.outputAsync(position))),
      );
      return tidy(() => outputs.map((position, i) => this.#output(position, read[i])));
    });
  }

  /** Runs once with a time per draw and per node on the CPU. */
  profile(inputs: readonly Tensor[]): Promise<readonly OpTime[]> {
    return this.#queue(inputs, () => this.session.profile());
  }

  /** Runs once on zeros, so that the next run finds everything ready. Variables are zero afterwards. */
  async warmup(): Promise<void> {
    const { session } = this;
    const setZeros = () => {
      for (const [i, { dtype, shape }] of session.inputs.entries()) session.setInput(i, newData(dtype, sizeOf(shape)));
    };
    await session.queue(async () => {
      await session.runAsync();
      await Promise.all(session.outputs.map((_, position) => session.outputAsync(position)));
    }, setZeros);
    await session.queue(
      async () => undefined,
      () => session.resetVariables(),
    );
  }

  /** Does `work` in its turn, with the session compiled for these inputs and their values set. */
  async #queue<T>(inputs: readonly Tensor[], work: () => Promise<T>): Promise<T> {
    const { session } = this;
    const kept = tidy(() => inputs.map((tensor) => keep(tensor.clone())));
    const textures: TensorTexture[] = [];
    try {
      await session.queue(
        () => session.compile(),
        () => this.#fit(kept),
      );
      const values = await Promise.all(
        kept.map((tensor, i) => (this.#takes(tensor, i) ? undefined : valuesAsync(tensor))),
      );
      return await session.queue(work, () => {
        this.#fit(kept);
        this.#setInputs(kept, textures, values);
      });
    } finally {
      release(textures);
      for (const tensor of kept) tensor.dispose();
    }
  }

  /** Checks the inputs; gives the session their shapes where those differ from the ones in force. */
  #fit(inputs: readonly Tensor[]): void {
    for (const [i, value] of this.file.inputs.entries()) expectFit(value, inputs[i]!);
    const shapes = inputs.map(({ shape }) => shape);
    if (!this.session.inputs.every(({ shape }, i) => String(shape) === String(shapes[i]))) this.session.resize(shapes);
  }

  /** Sets all inputs: on the GPU where that is possible, else from `values`, which are read now where absent. */
  #setInputs(
    inputs: readonly Tensor[],
    textures: TensorTexture[],
    values: readonly (TfjsValues | undefined)[] = [],
  ): void {
    for (const [i, tensor] of inputs.entries()) {
      const size = this.#takes(tensor, i);
      if (size) {
        const texture = toTexture(tensor, size);
        textures.push(texture);
        this.session.setInput(i, texture);
      } else {
        this.session.setInput(i, toInput(this.file.inputs[i]!, values[i] ?? valuesSync(tensor)));
      }
    }
  }

  /** Size of the texture to hand over an input that is on the GPU; `undefined` where its values have to be read. */
  #takes(tensor: Tensor, position: number): LinearSize | undefined {
    const { session } = this;
    const value = session.graph.inputs[position]!;
    if (!this.#gl || value.dtype !== 'float32' || !isOnGpu(tensor, this.#gl) || !session.takesTexture(position)) return;
    for (const { graph, executable } of session.placement?.segments ?? []) {
      const at = graph.inputs.indexOf(value);
      if (executable && at >= 0) return executable.linearSize('input', at);
    }
    return undefined;
  }

  /** Size of the texture that an output can be left in; `undefined` where it has to be read. */
  #textureSize(position: number): LinearSize | undefined {
    const { dtype } = this.file.outputs[position]!;
    const stays = this.#gl && (dtype === 'float32' || dtype === 'int32') && sharesContext(this.#gl);
    return stays ? this.session.outputSize(position) : undefined;
  }

  #output(position: number, read?: CpuTensor): Tensor {
    const { session } = this;
    const value = this.file.outputs[position]!;
    const size = read ? undefined : this.#textureSize(position);
    if (!size) return toTensor(value, read ?? session.output(position));
    const draw = session.outputTexture.bind(session, position);
    return fromTexture(this.#gl!, size, draw, session.outputs[position]!.shape, tfjsDtype(value.dtype));
  }
}

/** A tensor fits an input of its type; it may differ in the batch and wherever the model leaves the size open. */
function expectFit({ name, shape, shapeSignature, dtype }: Value, tensor: Tensor): void {
  const where = `input ${quoted(name)}`;
  const expected = tfjsDtype(dtype);
  if (tensor.dtype !== expected) throw new TypeError(`${where}: the tensor is ${tensor.dtype}; accepted: ${expected}`);
  const open = (shapeSignature?.length ? shapeSignature : shape).map((size, i) => (i === 0 ? -1 : size));
  const fits = tensor.rank === open.length && open.every((size, i) => size === -1 || size === tensor.shape[i]);
  if (!fits) throw new RangeError(`${where}: shape [${tensor.shape}]; accepted: [${open}], any size for -1`);
}

function release(textures: readonly TensorTexture[]): void {
  for (const texture of textures) texture.release();
}
