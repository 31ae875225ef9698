import type { Graph } from '../ir/graph.js';
import {
  foldFlatten,
  foldPad,
  foldPadIntoTail,
  fuseBranch,
  fuseTail,
  fuseVariance,
  nameGrid,
  shrinkOperand,
} from './fusing.js';
import { readHeads } from './heads.js';
import { absorbReshape, composeMoves, readPixel } from './moves.js';
import { factorNormalization, fuseNormalization } from './normalization.js';
import { type Pass, runPasses } from './pass.js';
import { fusePool } from './pooling.js';
import { foldScaleAndShift, foldScaleBefore } from './scaling.js';
import { convolveBeforeSpreading } from './spreading.js';
import { convolveTransposed } from './transposed.js';

/** What makes a GPU segment few draws. */
export const fusingPasses: readonly Pass[] = [
  nameGrid,
  shrinkOperand,
  foldFlatten,
  convolveTransposed,
  foldPad,
  composeMoves,
  absorbReshape,
  readPixel,
  foldScaleAndShift,
  foldScaleBefore,
  convolveBeforeSpreading,
  fuseVariance,
  factorNormalization,
  fuseTail,
  fuseBranch,
  foldPadIntoTail,
  fuseNormalization,
  readHeads,
  fusePool,
];

/** Merges nodes of a GPU segment into fewer draws; only the GPU can run the result. */
export function fuse(graph: Graph): Graph {
  return runPasses(graph, fusingPasses);
}
