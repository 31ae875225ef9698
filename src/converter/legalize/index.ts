import { activations } from './activation.js';
import { binary } from './binary.js';
import { sums } from './einsum.js';
import type { Legalizations } from './legalization.js';
import { products } from './matmul.js';
import { move } from './move.js';
import { normalization } from './normalization.js';
import { reduce } from './reduce.js';
import { selections } from './select.js';
import { unary } from './unary.js';
import { volume } from './volume.js';
import { window } from './window.js';

/** How every tfjs kernel that the converter takes is said in TFLite's operators: the one list. */
export const legalizations: Legalizations = {
  ...window,
  ...volume,
  ...products,
  ...sums,
  ...normalization,
  ...activations,
  ...unary,
  ...binary,
  ...reduce,
  ...selections,
  ...move,
};
