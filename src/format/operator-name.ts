import type { Model, Operator, OperatorCode } from './model.js';
import { builtinOperators } from './operators.js';
import { enums } from './schema.js';

const codes = enums.get('BuiltinOperator')!.values;

/** True where the operator is not one of the schema's. */
export function isCustom(model: Model, operator: Operator): boolean {
  return builtinName(model, operator) === 'CUSTOM';
}

/** What the operator runs: a `BuiltinOperator` name such as `CONV_2D`, or a custom operator's own name. */
export function opName(model: Model, operator: Operator): string {
  const code = codeOf(model, operator);
  const name = effectiveName(code);
  return name === 'CUSTOM' ? (code.customCode ?? '') : name;
}

/** The operator's `BuiltinOperator` name, `CUSTOM` for custom ones. */
export function builtinName(model: Model, operator: Operator): string {
  return effectiveName(codeOf(model, operator));
}

/** The `BuiltinOperator` name; files before schema 3a keep the code in a byte, so the larger of the two codes counts. */
export function effectiveName({ deprecatedBuiltinCode, builtinCode }: OperatorCode): string {
  const isOld = deprecatedBuiltinCode > (codes.get(builtinCode) ?? 0);
  return isOld ? (builtinOperators[deprecatedBuiltinCode] ?? builtinCode) : builtinCode;
}

function codeOf(model: Model, operator: Operator): OperatorCode {
  const code = model.operatorCodes?.[operator.opcodeIndex];
  if (!code) throw new TypeError(`operator code ${operator.opcodeIndex} of ${model.operatorCodes?.length ?? 0}`);
  return code;
}
