import { type Graph, type Node, type Value, valuesOf } from './graph.js';

/** The graph as text, a line per node, the same for equal graphs: goldens and `inspect` show it. */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  let next = 0;
  for (const value of valuesOf(graph)) names.set(value, value.data ? constantName(value) : `%${next++}`);
  const name = (value: Value | undefined) => (value ? names.get(value)! : '-');
  const typed = (value: Value) => `${name(value)}: ${value.dtype}[${value.shape}]`;
  const line = (node: Node) => {
    const tail = (node.tail ?? []).map(({ type, operand, flipped, padded }) => {
      const pair = flipped ? `${name(operand)}, _` : `_, ${name(operand)}`;
      return ` |> ${type}${operand ? `(${pair}${padded ? ', padded' : ''})` : ''}`;
    });
    return `  ${node.outputs.map(typed).join(', ')} = ${node.type}(${node.inputs.map(name).join(', ')})${tail.join('')}`;
  };
  return [
    `(${graph.inputs.map(typed).join(', ')}) {`,
    ...graph.nodes.map(line),
    `} -> ${graph.outputs.map(name).join(', ')}`,
  ].join('\n');
}

function constantName({ data, shape, dtype }: Value): string {
  const few = data && data.length <= 6 ? `{${Array.from(data as ArrayLike<unknown>, String)}}` : '{…}';
  return `${dtype}[${shape}]${few}`;
}
