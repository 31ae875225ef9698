import { type Graph, type Node, type TailStep, type Value, valuesOf } from './graph.js';

/** The graph as text, a line per node, the same for equal graphs: goldens and `inspect` show it. */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  let next = 0;
  for (const value of valuesOf(graph)) names.set(value, value.data ? constantName(value) : `%${next++}`);
  const name = (value: Value | undefined) => (value ? names.get(value)! : '-');
  const typed = (value: Value) => `${name(value)}: ${value.dtype}[${value.shape}]`;
  const tailText = (steps: readonly TailStep[] = []): string =>
    steps
      .map(({ type, operand, branch, flipped, padded }) => {
        const other = branch ? `_${tailText(branch)}` : operand && name(operand);
        const pair = flipped ? `${other}, _` : `_, ${other}`;
        return ` |> ${type}${other ? `(${pair}${padded ? ', padded' : ''})` : ''}`;
      })
      .join('');
  const line = (node: Node) => {
    const tail = tailText(node.tail);
    return `  ${node.outputs.map(typed).join(', ')} = ${node.type}(${node.inputs.map(name).join(', ')})${tail}`;
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
