import type { Graph, Node, Value } from '../../../delegate/index.js';
import { activation, graphOf, node } from '../../node/delegate/build.js';

/** Appends a node and gives what it makes. */
export type Apply = (type: string, inputs: readonly Value[], shape: readonly number[], attrs?: Node['attrs']) => Value;

/** The graph of what `make` applies to inputs of these shapes. */
export function graph(
  shapes: readonly (readonly number[])[],
  make: (apply: Apply, inputs: readonly Value[]) => Value | readonly Value[],
): Graph {
  const nodes: Node[] = [];
  const inputs = shapes.map((shape) => activation(shape));
  const outputs = make((type, from, shape, attrs = {}) => {
    const made = activation(shape);
    nodes.push(node(type, from, [made], { fusedActivationFunction: 'NONE', ...attrs }));
    return made;
  }, inputs);
  return graphOf(inputs, nodes, [outputs].flat());
}
