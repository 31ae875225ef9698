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
import { composeMoves, foldFlatten, foldPad, foldPadIntoTail, fuseBranch, fuseTail, fuseVariance } from './fusing.js';
import { type Pass, runPasses } from './pass.js';
import { foldScaleAndShift, foldScaleBefore } from './scaling.js';

/** What every executor expects: no fused activations, nothing computed from constants alone, nothing idle. */
export const canonicalPasses: readonly Pass[] = [
  foldConstants,
  splitFusedActivation,
  dropIdentity,
  matmulToFullyConnected,
  alignMatmulRanks,
  flattenFullyConnected,
  dropDead,
];

/** What makes a GPU segment few draws. */
export const fusingPasses: readonly Pass[] = [
  foldFlatten,
  foldPad,
  composeMoves,
  foldScaleAndShift,
  foldScaleBefore,
  fuseVariance,
  fuseTail,
  fuseBranch,
  foldPadIntoTail,
];

/** Makes a graph that every executor can take. */
export function canonicalize(graph: Graph): Graph {
  return runPasses(graph, canonicalPasses);
}

/** Merges nodes of a GPU segment into fewer draws; only the GPU can run the result. */
export function fuse(graph: Graph): Graph {
  return runPasses(graph, fusingPasses);
}
