import type { Model, Operator } from './model.js';
import { builtinOperators } from './schema.js';

/** True where the operator is not one of the schema's. */
export function isCustom(model: Model, operator: Operator): boolean {
  return builtinName(model, operator) === 'CUSTOM';
}

/** What the operator runs: a `BuiltinOperator` name such as `CONV_2D`, or a custom operator's own name. */
export function opName(model: Model, operator: Operator): string {
  const name = builtinName(model, operator);
  return name === 'CUSTOM' ? (model.operatorCodes?.[operator.opcodeIndex]?.customCode ?? '') : name;
}

/** The `BuiltinOperator` name; files before schema 3a keep the code in a byte, so the larger of the two codes counts. */
export function builtinName(model: Model, operator: Operator): string {
  const code = model.operatorCodes?.[operator.opcodeIndex];
  if (!code) throw new TypeError(`operator code ${operator.opcodeIndex} of ${model.operatorCodes?.length ?? 0}`);
  const old = builtinOperators[code.deprecatedBuiltinCode];
  const isOld = code.deprecatedBuiltinCode > builtinOperators.indexOf(code.builtinCode);
  return isOld && old !== undefined ? old : code.builtinCode;
}
