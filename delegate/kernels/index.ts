import { convForms } from './conv-2d.js';
import { depthwiseForms } from './depthwise-conv-2d.js';
import { elementwiseForms } from './elementwise.js';
import type { GpuForm } from './form.js';
import { moveForms } from './move.js';

/** The GPU forms, by op type. */
export const forms: ReadonlyMap<string, GpuForm> = new Map(
  [...convForms, ...depthwiseForms, ...elementwiseForms, ...moveForms].map((form) => [form.type, form]),
);
