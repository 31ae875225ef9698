import type { OpSpec } from '../ir/op.js';
import { argOps } from './arg.js';
import { batchMatmulOps } from './batch-matmul.js';
import { binaryOps, compareOps } from './binary.js';
import { convOps } from './conv-2d.js';
import { conv3dOps } from './conv-3d.js';
import { convertOps } from './convert.js';
import { depthwiseConvOps } from './depthwise-conv-2d.js';
import { fillOps } from './fill.js';
import { fullyConnectedOps } from './fully-connected.js';
import { gatherOps } from './gather.js';
import { joinOps } from './join.js';
import { moveOps } from './move.js';
import { normalizationOps } from './normalization.js';
import { padOps } from './pad.js';
import { poolOps } from './pool.js';
import { reduceOps } from './reduce.js';
import { shapeOps } from './reshape.js';
import { resizeOps } from './resize.js';
import { selectOps } from './select.js';
import { softmaxOps } from './softmax.js';
import { spaceBatchOps } from './space-batch.js';
import { transposeConvOps } from './transpose-conv.js';
import { unaryOps } from './unary.js';
import { whereOps } from './where.js';

/** What every op means, by type: the one list. */
export const ops: ReadonlyMap<string, OpSpec> = new Map(
  [
    ...convOps,
    ...depthwiseConvOps,
    ...transposeConvOps,
    ...conv3dOps,
    ...fullyConnectedOps,
    ...batchMatmulOps,
    ...poolOps,
    ...reduceOps,
    ...softmaxOps,
    ...normalizationOps,
    ...resizeOps,
    ...argOps,
    ...unaryOps,
    ...binaryOps,
    ...compareOps,
    ...convertOps,
    ...selectOps,
    ...moveOps,
    ...joinOps,
    ...padOps,
    ...shapeOps,
    ...spaceBatchOps,
    ...gatherOps,
    ...whereOps,
    ...fillOps,
  ].map((op) => [op.type, op]),
);
