import { matmulForms } from './batch-matmul.js';
import { castForms } from './cast.js';
import { convForms } from './conv-2d.js';
import { depthwiseForms } from './depthwise-conv-2d.js';
import { elementwiseForms } from './elementwise.js';
import type { GpuForm } from './form.js';
import { gatherForms } from './gather.js';
import { moveForms } from './move.js';
import { poolForms } from './pool.js';
import { reduceForms } from './reduce.js';
import { resizeForms } from './resize.js';
import { softmaxForms } from './softmax.js';
import { transposeConvForms } from './transpose-conv.js';

/** How the GPU does each op, by type: the one list. */
export const forms: ReadonlyMap<string, GpuForm> = new Map(
  [
    ...convForms,
    ...depthwiseForms,
    ...transposeConvForms,
    ...matmulForms,
    ...poolForms,
    ...reduceForms,
    ...softmaxForms,
    ...resizeForms,
    ...elementwiseForms,
    ...castForms,
    ...gatherForms,
    ...moveForms,
  ].map((form) => [form.type, form]),
);
