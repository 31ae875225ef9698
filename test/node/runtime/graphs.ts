// Small graphs for tests, built by hand.
import type { Attrs, DType, Graph, Node, Shape, TensorData, Value } from '../../../delegate/index.js';

/** Makes values and nodes with ids in order. */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  #values = 0;

  value(shape: Shape = [1, 4], dtype: DType = 'float32', more: Partial<Value> = {}): Value {
    const id = this.#values++;
    return { id, name: `t${id}`, shape, dtype, ...more };
  }

  constant(shape: Shape, data: TensorData, dtype: DType = 'float32'): Value {
    return this.value(shape, dtype, { data });
  }

  node(type: string, inputs: readonly (Value | undefined)[], outputs: readonly Value[], attrs: Attrs = {}): Node {
    const node = { id: this.nodes.length, type, attrs, inputs, outputs };
    this.nodes.push(node);
    return node;
  }

  graph(inputs: readonly Value[], outputs: readonly Value[]): Graph {
    return { name: 'test', nodes: this.nodes, inputs, outputs };
  }
}
