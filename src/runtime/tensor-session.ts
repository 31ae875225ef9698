import { keep, Tensor, tidy } from '@tensorflow/tfjs-core';
import { type Graph, type LinearTexture, newData, quoted, sizeOf, type Value } from '../../delegate/index.js';
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
import type { Outputs } from './values.js';

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
  run(inputs: readonly Tensor[], wanted: readonly number[]): Tensor[] {
    this.#fit(inputs);
    this.session.compileSync();
    const textures: TensorTexture[] = [];
    try {
      this.#setInputs(inputs, textures);
      this.session.run();
      const { results } = this.session;
      return tidy(() => wanted.map((position) => this.#output(results, position)));
    } finally {
      release(textures);
    }
  }

  /** The same without blocking. The inputs may be disposed before it is done. */
  runAsync(inputs: readonly Tensor[], wanted: readonly number[]): Promise<Tensor[]> {
    return this.#withKept(inputs, (prepare, issued) =>
      this.session.invoke({
        prepare,
        wanted: () => wanted.filter((position) => !this.#staysOnGpu(position)),
        take: (outputs) => {
          issued();
          return this.#take(outputs, wanted);
        },
      }),
    );
  }

  /** Runs once with a time per draw and per node on the CPU. */
  profile(inputs: readonly Tensor[]): Promise<readonly OpTime[]> {
    return this.#withKept(inputs, (prepare) =>
      this.session.queue(async () => {
        await prepare();
        return this.session.profile();
      }),
    );
  }

  /** Runs once on zeros, so that the next run finds everything ready. Variables are zero afterwards. */
  async warmup(): Promise<void> {
    const { session } = this;
    const positions = [...this.file.outputs.keys()];
    const setZeros = () => {
      for (const [i, { dtype, shape }] of session.inputs.entries()) session.setInput(i, newData(dtype, sizeOf(shape)));
    };
    await session.invoke({
      prepare: () => session.change(setZeros),
      wanted: () => positions,
      take: (outputs) => Promise.all(positions.map((position) => outputs.readAsync(position))),
    });
    await session.queue(async () => session.change(() => session.resetVariables()));
  }

  /**
   * Calls `use` with copies of the inputs kept; `prepare`, to be called in the session's turn, has it compiled for them
   * and sets their values; `issued` says that the draws that read them are issued.
   */
  async #withKept<T>(
    inputs: readonly Tensor[],
    use: (prepare: () => Promise<void>, issued: () => void) => Promise<T>,
  ): Promise<T> {
    const { session } = this;
    const kept = tidy(() => inputs.map((tensor) => keep(tensor.clone())));
    const textures: TensorTexture[] = [];
    const letGo = () => {
      release(textures.splice(0));
      for (const tensor of kept.splice(0)) tensor.dispose();
    };
    const prepare = async () => {
      session.change(() => this.#fit(kept));
      if (!session.ready) await session.compile();
      const values = await Promise.all(
        kept.map((tensor, i) => (this.#takes(tensor, i) ? undefined : valuesAsync(tensor))),
      );
      session.change(() => this.#setInputs(kept, textures, values));
    };
    try {
      return await use(prepare, letGo);
    } finally {
      letGo();
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

  /** True where an output's type and context let it stay on the GPU as a tensor of tfjs. */
  #staysOnGpu(position: number): boolean {
    const { dtype } = this.file.outputs[position]!;
    return this.#gl !== undefined && (dtype === 'float32' || dtype === 'int32') && sharesContext(this.#gl);
  }

  /** The tensors of outputs; those that stay on the GPU are copied before anything else is drawn. */
  async #take(outputs: Outputs, wanted: readonly number[]): Promise<Tensor[]> {
    const parts = wanted.map((position) =>
      this.#sizeOnGpu(outputs, position) ? tidy(() => this.#output(outputs, position)) : outputs.readAsync(position),
    );
    const all = await Promise.all(parts);
    return all.map((part, i) => (part instanceof Tensor ? part : toTensor(this.file.outputs[wanted[i]!]!, part)));
  }

  /** Size of the texture that an output can be left in; `undefined` where it has to be read. */
  #sizeOnGpu(outputs: Outputs, position: number): LinearSize | undefined {
    return this.#staysOnGpu(position) ? outputs.textureSize(position) : undefined;
  }

  #output(outputs: Outputs, position: number): Tensor {
    const value = this.file.outputs[position]!;
    const size = this.#sizeOnGpu(outputs, position);
    if (!size) return toTensor(value, outputs.read(position));
    const { shape } = this.session.outputs[position]!;
    const draw = (target: LinearTexture) => outputs.draw(position, target);
    return fromTexture(this.#gl!, size, draw, shape, tfjsDtype(value.dtype));
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
