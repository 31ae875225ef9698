import type { Graph } from '../ir/graph.js';
import {
  alignMatmulRanks,
  dropDead,
  dropIdentity,
  flattenFullyConnected,
  foldConstants,
  matmulToFullyConnected,
  splitFusedActivation,
} from './canonical.js';
import { type Pass, runPasses } from './pass.js';
import { computeOnReals } from './quantization.js';

/** What every executor expects: no arithmetic on quantised integers, no fused activations, nothing computed from constants alone, nothing idle. */
export const canonicalPasses: readonly Pass[] = [
  computeOnReals,
  foldConstants,
  splitFusedActivation,
  dropIdentity,
  matmulToFullyConnected,
  alignMatmulRanks,
  flattenFullyConnected,
  dropDead,
];

/** Makes a graph that every executor can take. */
export function canonicalize(graph: Graph): Graph {
  return runPasses(graph, canonicalPasses);
}
