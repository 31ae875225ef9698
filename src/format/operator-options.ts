import type { Model, Operator, Options } from './model.js';
import { builtinName } from './operator-name.js';
import { emptyRow, optionsTableOf } from './schema.js';

const NONE: Options = {};

/** What the options of a builtin operator hold where a file says nothing: the schema's defaults. */
export function defaultOptions(operator: string): Options {
  const table = optionsTableOf(operator);
  return table ? emptyRow(table) : NONE;
}

/** The operator's options; the schema's defaults where the file has none. */
export function optionsOf(model: Model, operator: Operator): Options {
  return operator.builtinOptions ?? operator.builtinOptions2 ?? defaultOptions(builtinName(model, operator));
}
