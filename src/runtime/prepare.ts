import type { Graph, Shape, TensorData, Value } from '../../delegate/index.js';
import { type InferenceContext, inferShapes } from './shapes.js';

/** What preparing needs beside the graph. */
export interface PrepareContext extends InferenceContext {
  /** The canonical passes. */
  canonicalize(graph: Graph): Graph;
}

/** A graph before and after folding what follows from shapes and running the canonical passes. */
export interface PreparedGraph {
  /** The file's graph, node by node, with the inferred shapes. */
  readonly shaped: Graph;
  readonly graph: Graph;
}

/** The file's graph in canonical form for inputs of the given shapes. */
export function prepare(file: Graph, inputShapes: readonly Shape[], context: PrepareContext): PreparedGraph {
  const { graph: shaped, known } = inferShapes(file, inputShapes, context);
  return { shaped, graph: context.canonicalize(foldKnown(shaped, known)) };
}

/** Makes constants of values that are known, and drops the nodes that would compute them. */
function foldKnown(graph: Graph, known: ReadonlyMap<Value, TensorData>): Graph {
  if (known.size === 0) return graph;
  const constants = new Map([...known].map(([value, data]) => [value, { ...value, data }] as const));
  const folded = (value: Value) => constants.get(value) ?? value;
  const nodes = graph.nodes
    .filter((node) => !(node.outputs.length > 0 && node.outputs.every((value) => known.has(value))))
    .map((node) => ({ ...node, inputs: node.inputs.map((value) => value && folded(value)) }));
  return { ...graph, nodes, outputs: graph.outputs.map(folded) };
}
