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

/** What an operator of a row is, by operator. */
export type Rows = ReadonlyMap<Operator, IntegerOp>;

/**
 * Scale and zero point of every activation: as the kernel gives them, those of the only operand of a move, else what the
 * range asks for or what it is part of has.
 */
export function parametersOf(graph: CalibratedGraph, rows: Rows, type: IntegerType): ReadonlyMap<number, Affine> {
  const claims = claimsOf(graph, rows, type);
  const parameters = new Map<number, Affine>();
  const settle = (index: number, found = claims.get(index) ?? rangeAffine(graph, index, type)) => {
    if (found) parameters.set(index, found);
  };
  for (const index of listOf(graph.subgraph.inputs)) settle(index);
  for (const operator of graph.operators) {
    const row = rows.get(operator);
    const given = typeof row?.outputs === 'object' ? row.outputs[type] : undefined;
    const [moved, ...others] = sharing(graph, rows, operator);
    for (const output of graph.floatOutputs(operator)) {
      if (given) settle(output, fixed(type, ...given));
      else if (moved === undefined || others.length) settle(output);
      else settle(output, parameters.get(moved) ?? constantAffine(graph, moved, type, claims.get(output)));
    }
  }
  return parameters;
}

/**
 * What several operands are parts of, as those of a CONCATENATION, has one scale: they get it where nobody else would lose
 * by that, and moves pass it on to what they are made of. Later operators come first.
 */
function claimsOf(graph: CalibratedGraph, rows: Rows, type: IntegerType): ReadonlyMap<number, Affine> {
  const claims = new Map<number, Affine>();
  const claim = (index: number, parameters: Affine): void => {
    const producer = graph.producer(index);
    const isGiven = producer && typeof rows.get(producer)?.outputs === 'object';
    if (isGiven || claims.has(index) || graph.constant(index)) return;
    if (graph.readers(index) > 1 && !covers(parameters, graph.range(index)!)) return;
    claims.set(index, parameters);
    if (producer) for (const input of sharing(graph, rows, producer)) claim(input, parameters);
  };
  for (const operator of [...graph.operators].reverse()) {
    const parts = sharing(graph, rows, operator);
    const whole = operator.outputs?.[0] ?? -1;
    const parameters = parts.length > 1 ? (claims.get(whole) ?? rangeAffine(graph, whole, type)) : undefined;
    if (parameters) for (const part of parts) claim(part, parameters);
  }
  return claims;
}

/** The operands that have the scale of what is made of them. */
function sharing(graph: CalibratedGraph, rows: Rows, operator: Operator): readonly number[] {
  return rows.get(operator)?.outputs === 'shared' ? graph.floatInputs(operator) : [];
}

function rangeAffine(graph: CalibratedGraph, index: number, type: IntegerType): Affine | undefined {
  const range = graph.range(index);
  return range && affineOf(range, type);
}

/** A constant that is moved takes what is asked for where that covers it: samples need not have read all of it. */
function constantAffine(graph: CalibratedGraph, index: number, type: IntegerType, asked?: Affine): Affine {
  const range = graph.range(index)!;
  return asked && covers(asked, range) ? asked : affineOf(range, type);
}
