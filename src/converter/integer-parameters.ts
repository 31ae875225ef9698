import { listOf, type Operator } from '../format/model.js';
import { type Affine, affineOf, covers, fixed, type IntegerType } from './affine.js';
import type { CalibratedGraph } from './calibrated-graph.js';
import { type IntegerOp, integerOps } from './integer-ops.js';

/** The row of an operator that can compute in integers, or why it cannot. */
export function integerForm(graph: CalibratedGraph, operator: Operator, type: IntegerType): IntegerOp | string {
  const row = integerOps.get(graph.nameOf(operator));
  if (!row?.types.includes(type)) return `there is no ${type.toLowerCase()} form`;
  const inputs = graph.floatInputs(operator);
  const made = typeof row.outputs === 'string' ? graph.floatOutputs(operator) : [];
  const unknown = [...inputs, ...made].find((index) => !graph.range(index));
  if (unknown !== undefined) return `"${graph.tensor(unknown).name}" has no finite range`;
  const constants = row.filter ? [row.filter.weights, row.filter.bias] : [];
  const unfit = constants.map((input) => operator.inputs?.[input] ?? -1).find((i) => i >= 0 && !graph.constant(i));
  return unfit === undefined ? row : `"${graph.tensor(unfit).name}" is no constant`;
}

/**
 * Scale and zero point of every activation. Operands that share those of what is made of them, as the parts of a
 * CONCATENATION do, get them if that loses nothing; moves give on what they get.
 */
export function parametersOf(
  graph: CalibratedGraph,
  rows: ReadonlyMap<Operator, IntegerOp>,
  type: IntegerType,
): ReadonlyMap<number, Affine> {
  const claimed = new Map<number, Affine>();
  const wanted = (index: number): Affine | undefined => {
    const range = claimed.has(index) ? undefined : graph.range(index);
    return range ? affineOf(range, type) : claimed.get(index);
  };
  const shares = (operator: Operator | undefined) => operator && rows.get(operator)?.outputs === 'shared';

  const claim = (index: number, parameters: Affine): void => {
    const producer = graph.producer(index);
    const row = producer && rows.get(producer);
    if (claimed.has(index) || graph.constant(index) || typeof row?.outputs === 'object') return;
    if (graph.readers(index) > 1 && !covers(parameters, graph.range(index)!)) return;
    claimed.set(index, parameters);
    if (producer && shares(producer)) for (const input of graph.floatInputs(producer)) claim(input, parameters);
  };
  for (const operator of [...graph.operators].reverse()) {
    const inputs = shares(operator) ? graph.floatInputs(operator) : [];
    if (inputs.length > 1) for (const input of inputs) claim(input, wanted(operator.outputs![0]!)!);
  }

  const parameters = new Map<number, Affine>();
  const settle = (index: number, found: Affine | undefined) => found && parameters.set(index, found);
  for (const index of listOf(graph.subgraph.inputs)) if (graph.isFloat(index)) settle(index, wanted(index));
  for (const operator of graph.operators) {
    const row = rows.get(operator);
    const given = typeof row?.outputs === 'object' ? row.outputs[type] : undefined;
    const inputs = shares(operator) ? graph.floatInputs(operator) : [];
    for (const output of graph.floatOutputs(operator)) {
      const shared = inputs.length === 1 ? movedFrom(inputs[0]!, output) : undefined;
      settle(output, given ? fixed(type, ...given) : (shared ?? wanted(output)));
    }
  }
  return parameters;

  /** What a move of one operand makes has its parameters; a constant takes those asked for where they cover it. */
  function movedFrom(input: number, output: number): Affine | undefined {
    if (!graph.constant(input)) return parameters.get(input);
    const asked = claimed.get(output);
    const range = graph.range(input)!;
    return asked && covers(asked, range) ? asked : affineOf(range, type);
  }
}
