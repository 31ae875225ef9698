import { lanesOf } from './dtype.js';
import { type Graph, nodeName, readsOf, type Value } from './graph.js';
import { sizeOf } from './shape.js';

/** What is wrong with a graph, in words; empty for a valid one. Run between passes in tests. */
export function checkGraph(graph: Graph): string[] {
  const problems: string[] = [];
  const known = new Set<Value>(graph.inputs);
  for (const node of graph.nodes) {
    for (const value of readsOf(node)) {
      if (!value.data && !value.isVariable && !known.has(value))
        problems.push(`${nodeName(node)} reads "${value.name}" before it is written`);
      problems.push(...checkConstant(value));
    }
    for (const value of node.outputs) {
      if (known.has(value)) problems.push(`${nodeName(node)} writes "${value.name}", which has a value already`);
      if (value.data) problems.push(`${nodeName(node)} writes the constant "${value.name}"`);
      known.add(value);
    }
    if (node.outputs.length === 0) problems.push(`${nodeName(node)} has no output`);
  }
  for (const value of graph.outputs)
    if (!known.has(value) && !value.data) problems.push(`output "${value.name}" is never written`);
  return problems;
}

function checkConstant({ name, data, dtype, shape, sparsity }: Value): string[] {
  if (!data || sparsity || data.length === sizeOf(shape) * lanesOf(dtype)) return [];
  return [`constant "${name}" has ${data.length} values for [${shape}]`];
}
