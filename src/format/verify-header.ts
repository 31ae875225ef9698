import type { Check } from './check.js';
import { listOf, type SignatureDef } from './model.js';
import { effectiveName } from './operator-name.js';
import { builtinOperators } from './operators.js';

/** Checks version, operator codes, and the indices of metadata and signatures. */
export function verifyHeader(check: Check): void {
  const { model, fail, expectIndex } = check;
  if (model.version !== 3) fail('bad-version', 'version', `schema version ${model.version}; accepted: 3`);
  if (!model.subgraphs?.length) fail('no-subgraphs', 'subgraphs', 'the model has no subgraph');
  verifyOperatorCodes(check);
  const buffers = listOf(model.buffers).length;
  listOf(model.metadata).forEach(({ buffer }, i) => {
    expectIndex(`metadata[${i}].buffer`, 'buffer', buffer, buffers);
  });
  listOf(model.signatureDefs).forEach((signature, i) => {
    verifySignature(check, signature, `signatureDefs[${i}]`);
  });
}

function verifyOperatorCodes({ model, fail }: Check): void {
  listOf(model.operatorCodes).forEach((code, i) => {
    const path = `operatorCodes[${i}]`;
    if (code.deprecatedBuiltinCode < 0) {
      fail('bad-enum', `${path}.deprecatedBuiltinCode`, `${code.deprecatedBuiltinCode} is not a BuiltinOperator`);
    }
    const name = effectiveName(code);
    if (name === 'PLACEHOLDER_FOR_GREATER_OP_CODES') {
      fail('bad-enum', `${path}.builtinCode`, 'the placeholder for greater codes is no operator');
    }
    if (name !== 'CUSTOM') return;
    if (!code.customCode) fail('bad-name', `${path}.customCode`, 'a custom operator without a name');
    else if (builtinOperators.includes(code.customCode)) {
      fail('bad-name', `${path}.customCode`, `a custom operator with the name of the builtin ${code.customCode}`);
    }
  });
}

function verifySignature({ model, expectIndex }: Check, signature: SignatureDef, path: string): void {
  const subgraphs = listOf(model.subgraphs);
  const subgraph = subgraphs[signature.subgraphIndex];
  const tensors = listOf(subgraph?.tensors).length;
  expectIndex(`${path}.subgraphIndex`, 'subgraph', signature.subgraphIndex, subgraphs.length);
  for (const list of ['inputs', 'outputs'] as const) {
    listOf(signature[list]).forEach(({ tensorIndex }, i) => {
      expectIndex(`${path}.${list}[${i}].tensorIndex`, 'tensor', tensorIndex, tensors);
    });
  }
}
