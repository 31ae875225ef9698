import type { Graph, Shape, TensorData, Value } from '../../delegate/index.js';
import { checkDeclaredShapes, type InferenceContext, inferShapes } from './shapes.js';

/** What preparing needs beside the graph. */
export interface PrepareContext extends InferenceContext {
  /** The canonical passes. */
  canonicalize(graph: Graph): Graph;
}

/** The file's graph in canonical form for inputs of the given shapes, everything that follows from shapes folded. */
export function prepare(file: Graph, inputShapes: readonly Shape[], context: PrepareContext): Graph {
  const { graph, known } = inferShapes(file, inputShapes, context);
  return context.canonicalize(foldKnown(graph, known));
}

/** Throws ModelError where the file's shapes contradict its own ops. */
export function checkShapes(file: Graph, path: string, context: InferenceContext): void {
  const shapes = file.inputs.map(({ shape }) => shape);
  checkDeclaredShapes(file, inferShapes(file, shapes, context).graph, path);
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
