import { type Check, elementsOf } from './check.js';
import { listOf, type Operator, type Options, type SubGraph } from './model.js';
import { builtinName } from './operator-name.js';
import { optionsOf } from './operator-options.js';
import { builtinOperators } from './operators.js';
import { optionsTableOf } from './schema.js';

/** An operator of subgraph `from` that runs subgraph `to`. */
interface Call {
  readonly from: number;
  readonly to: number;
  readonly path: string;
}

/** Options that name subgraphs, by builtin operator. */
const callFields: ReadonlyMap<string, readonly string[]> = new Map(
  builtinOperators.flatMap((operator) => {
    const names = (optionsTableOf(operator)?.fields ?? []).map((field) => field.name);
    const fields = names.filter((name) => /subgraph(Index|Indices)?$|^calledComputations$/i.test(name));
    return fields.length ? [[operator, fields] as const] : [];
  }),
);

/** Checks that subgraphs run by operators exist, do not run themselves, and take and give what the operators pass. */
export function verifyCalls(check: Check): void {
  const subgraphs = listOf(check.model.subgraphs);
  const calls = subgraphs.flatMap((subgraph, s) => callsOf(check, subgraph, s));
  verifyDepth(check, calls, subgraphs.length);
  subgraphs.forEach((subgraph, s) => {
    listOf(subgraph.operators).forEach((operator, o) => {
      verifyInterface(check, subgraph, operator, `subgraphs[${s}].operators[${o}]`);
    });
  });
}

function callsOf({ model, expectIndex }: Check, subgraph: SubGraph, from: number): Call[] {
  const count = listOf(model.subgraphs).length;
  const calls: Call[] = [];
  listOf(subgraph.operators).forEach((operator, o) => {
    for (const field of callFields.get(builtinName(model, operator)) ?? []) {
      const value = optionsOf(model, operator)[field] ?? [];
      const path = `subgraphs[${from}].operators[${o}].${fieldOwner(operator)}.${field}`;
      for (const to of (typeof value === 'number' ? [value] : value) as readonly number[]) {
        expectIndex(path, 'subgraph', to, count);
        calls.push({ from, to, path });
      }
    }
  });
  return calls;
}

function fieldOwner(operator: Operator): string {
  return operator.builtinOptions2 ? 'builtinOptions2' : 'builtinOptions';
}

/** Takes subgraphs in the order of their callers; what is left over runs itself. */
function verifyDepth({ limits, fail }: Check, calls: readonly Call[], count: number): void {
  const waiting = new Array<number>(count).fill(0);
  const callees = Array.from({ length: count }, (): Call[] => []);
  for (const call of calls) {
    waiting[call.to]!++;
    callees[call.from]!.push(call);
  }
  const depth = new Array<number>(count).fill(1);
  const ready = waiting.flatMap((callers, s) => (callers ? [] : [s]));
  for (let s = ready.pop(); s !== undefined; s = ready.pop()) {
    for (const { to, path } of callees[s]!) {
      depth[to] = Math.max(depth[to]!, depth[s]! + 1);
      if (depth[to]! > limits.callDepth)
        fail('too-deep', path, `subgraphs run each other more than ${limits.callDepth} deep`);
      if (--waiting[to]! === 0) ready.push(to);
    }
  }
  const circular = calls.find(({ from, to }) => waiting[from] && waiting[to]);
  if (circular)
    fail('recursion', circular.path, `subgraph ${circular.from} runs subgraph ${circular.to}, which runs it again`);
}

function verifyInterface(check: Check, caller: SubGraph, operator: Operator, path: string): void {
  const inputs = listOf(operator.inputs).length;
  const outputs = listOf(operator.outputs).length;
  const options = optionsOf(check.model, operator);
  switch (builtinName(check.model, operator)) {
    case 'IF':
      verifyCondition(check, caller, operator.inputs![0]!, `${path}.inputs[0]`);
      verifyCounts(check, options, 'thenSubgraphIndex', inputs - 1, outputs, path);
      verifyCounts(check, options, 'elseSubgraphIndex', inputs - 1, outputs, path);
      break;
    case 'WHILE':
    case 'STABLEHLO_WHILE': {
      if (outputs !== inputs)
        check.fail('bad-arity', `${path}.outputs`, `${inputs} inputs and ${outputs} outputs of a loop`);
      const condition = verifyCounts(check, options, 'condSubgraphIndex', inputs, 1, path);
      verifyCondition(check, condition, condition.outputs![0]!, `${path}.${fieldOwner(operator)}.condSubgraphIndex`);
      verifyCounts(check, options, 'bodySubgraphIndex', inputs, outputs, path);
      break;
    }
    case 'CALL_ONCE':
      verifyCounts(check, options, 'initSubgraphIndex', 0, 0, path);
      break;
    case 'STABLEHLO_COMPOSITE':
      verifyCounts(check, options, 'decompositionSubgraphIndex', inputs, outputs, path);
  }
}

function verifyCounts(
  { model, fail }: Check,
  options: Options,
  field: string,
  inputs: number,
  outputs: number,
  path: string,
): SubGraph {
  const index = options[field] as number;
  const callee = model.subgraphs![index]!;
  const takes = listOf(callee.inputs).length;
  const gives = listOf(callee.outputs).length;
  if (takes !== inputs || gives !== outputs) {
    const found = `subgraph ${index} takes ${takes} and gives ${gives} tensors`;
    fail('bad-arity', path, `${field}: ${found}; ${inputs} and ${outputs} are passed and expected`);
  }
  return callee;
}

function verifyCondition({ fail }: Check, subgraph: SubGraph, index: number, path: string): void {
  const tensor = subgraph.tensors![index]!;
  if (tensor.type !== 'BOOL' || elementsOf(tensor) !== 1) {
    fail('bad-type', path, `a condition of type ${tensor.type} [${listOf(tensor.shape)}]; accepted: one BOOL`);
  }
}
