import type { Model, Operator, Options } from './model.js';
import { builtinName } from './operator-name.js';
import { emptyRow, optionsTableOf } from './schema.js';

const NONE: Options = {};

/** The operator's options; the schema's defaults where the file has none. */
export function optionsOf(model: Model, operator: Operator): Options {
  const given = operator.builtinOptions ?? operator.builtinOptions2;
  if (given) return given;
  const table = optionsTableOf(builtinName(model, operator));
  return table ? emptyRow(table) : NONE;
}
