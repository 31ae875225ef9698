import {
  type Attrs,
  type DType,
  type Graph,
  type Node,
  ops,
  type TensorType,
  UnsupportedError,
  type Value,
} from '../../delegate/index.js';
import { defaultOptions } from '../format/operator-options.js';
import { erfOp } from './legalize/erf.js';
import type { Call } from './legalize/legalization.js';

/** The nodes of a graph that is being written down, in order. */
export class Trace {
  /** The layer that is being called, where that is known: part of the names of what it makes. */
  layer = '';
  readonly #nodes: Node[] = [];
  /** What constants alone make: weights in another arrangement. */
  readonly #weights = new Set<Value>();
  readonly #unsupported = new Set<string>();
  #values = 0;

  /** A value that is known only while running. */
  value(name: string, { shape, dtype }: TensorType): Value {
    return { id: this.#values++, name, shape, dtype };
  }

  /** A call of a kernel, whose legalisation appends here. */
  call(kernel: string, inputs: Call['inputs']): Call {
    const emitAll: Call['emitAll'] = (type, operands, attrs, count) =>
      this.#append(kernel, type, operands, attrs, operands.find((v) => v)!.dtype, count);
    return {
      inputs,
      emitAll,
      emit: (type, operands, attrs = {}, dtype = operands[0]!.dtype) =>
        this.#append(kernel, type, operands, attrs, dtype, 1)[0]!,
    };
  }

  /** Notes a kernel that cannot be said in TFLite's operators. */
  refuse(kernel: string, reason?: string): void {
    const place = this.layer ? ` in layer "${this.layer}"` : '';
    this.#unsupported.add(`${kernel}${place}${reason ? `: ${reason}` : ''}`);
  }

  /** What has been written down. Throws UnsupportedError that names all refused kernels. */
  graph(inputs: readonly Value[], outputs: readonly Value[]): Graph {
    if (this.#unsupported.size)
      throw new UnsupportedError(
        `TFLiteConverter: no TFLite operator for ${[...this.#unsupported].join('; ')}. ` +
          `Say these in other ops, or leave that part of the model out`,
      );
    return { name: 'main', nodes: this.#nodes, inputs, outputs };
  }

  #append(
    kernel: string,
    type: string,
    inputs: readonly (Value | undefined)[],
    given: Attrs,
    dtype: DType,
    count: number,
  ): readonly Value[] {
    const attrs = { ...defaultOptions(type), ...given };
    const declared = Array.from({ length: count }, (): TensorType => ({ shape: [], dtype }));
    const types = (type === erfOp.type ? erfOp : ops.get(type)!).infer(inputs, attrs, declared);
    const isWeight = inputs.every((v) => !v || v.data || this.#weights.has(v));
    const name = isWeight ? inputs.find((v) => v)!.name : this.layer ? `${this.layer}/${kernel}` : kernel;
    const outputs = types.map((inferred) => {
      if (!inferred) throw new UnsupportedError(`${type}: its shape depends on values`);
      return this.value(name, { shape: inferred.shape, dtype: inferred.dtype });
    });
    if (isWeight) for (const output of outputs) this.#weights.add(output);
    this.#nodes.push({ id: this.#nodes.length, type, attrs, inputs, outputs });
    return outputs;
  }
}
