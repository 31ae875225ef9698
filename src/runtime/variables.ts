import { type CpuTensor, type Graph, newData, sameShape, sizeOf, type Value } from '../../delegate/index.js';

/** Values of a subgraph's variable tensors, which ops change in place and which outlive a run. */
export class Variables {
  readonly #tensors = new Map<number, CpuTensor>();
  readonly #known = new WeakMap<Graph, ReadonlySet<Value>>();

  /** The variables that the graph reads, with what they hold now; zeros at first and where the shape is another. */
  *of(graph: Graph): Iterable<readonly [Value, CpuTensor]> {
    const known = this.#known.get(graph) ?? variablesOf(graph);
    this.#known.set(graph, known);
    for (const value of known) {
      let tensor = this.#tensors.get(value.id);
      if (!tensor || !sameShape(tensor.shape, value.shape)) {
        tensor = { shape: value.shape, dtype: value.dtype, data: newData(value.dtype, sizeOf(value.shape)) };
        if (value.quantization) tensor = { ...tensor, quantization: value.quantization };
        reset(tensor);
        this.#tensors.set(value.id, tensor);
      }
      yield [value, tensor];
    }
  }

  /** Sets all to zero; int8 ones to their zero point, as TFLite does. */
  reset(): void {
    for (const tensor of this.#tensors.values()) reset(tensor);
  }
}

function variablesOf(graph: Graph): Set<Value> {
  const values = graph.nodes.flatMap(({ inputs }) =>
    inputs.filter((value): value is Value => value?.isVariable === true),
  );
  return new Set(values.filter(({ data }) => !data));
}

function reset({ data, dtype, quantization }: CpuTensor): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(0n);
  else if (ArrayBuffer.isView(data)) data.fill(dtype === 'int8' ? (quantization?.zeroPoints[0] ?? 0) : 0);
}
