import { ModelError } from '../../delegate/index.js';
import type { Check } from './check.js';
import type { Limits } from './limits.js';
import { listOf, type Model } from './model.js';
import { verifyCalls } from './verify-calls.js';
import { verifyHeader } from './verify-header.js';
import { verifyOperators } from './verify-operators.js';
import { verifyTensors } from './verify-tensors.js';
import { verifyTopology } from './verify-topology.js';

/** Checks what a well-formed FlatBuffer can still have wrong as a model. `offsetOf` finds the byte of a path. */
export function verifySemantics(model: Model, limits: Limits, offsetOf: (path: string) => number): void {
  const fail: Check['fail'] = (code, path, message) => {
    throw new ModelError(code, message, { path, offset: offsetOf(path) });
  };
  const check: Check = {
    model,
    limits,
    fail,
    expectIndex(path, what, index, count) {
      if (index < 0 || index >= count) fail('bad-index', path, `${what} ${index}, but there are ${count} ${what}s`);
    },
  };
  verifyHeader(check);
  listOf(model.subgraphs).forEach((subgraph, s) => {
    verifyTensors(check, subgraph, `subgraphs[${s}]`);
    verifyTopology(check, subgraph, `subgraphs[${s}]`);
  });
  verifyCalls(check);
  listOf(model.subgraphs).forEach((subgraph, s) => {
    verifyOperators(check, subgraph, `subgraphs[${s}]`);
  });
}
