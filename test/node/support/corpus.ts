// Runs the op corpus on the ops' own CPU form: every node through `infer` and `cpu`, one after the other.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DType, TensorData } from '../../../delegate/ir/dtype.js';
import { type Graph, type Node, type Value, valuesOf } from '../../../delegate/ir/graph.js';
import type { CpuTensor, OpSpec } from '../../../delegate/ir/op.js';
import { sameShape } from '../../../delegate/ir/shape.js';
import { toGraph } from '../../../src/format/graph.js';
import { readModel } from '../../../src/format/read.js';
import { compare } from '../../conformance/compare.js';
import type { CorpusCase } from '../../conformance/run-case.js';
import { type CorpusValue, fromBase64, valuesOf as numbersOf, type Values } from '../../conformance/values.js';
import { root, shared } from '../../support/files.js';

/** The cases of a corpus file; of the project's own fixtures where the corpus is not on this machine. */
export function corpusCases(op: string, isWanted: (test: CorpusCase) => boolean = () => true): CorpusCase[] {
  const file = [shared && join(shared, 'ops'), join(root, 'test/fixtures/ops')]
    .map((folder) => folder && join(folder, `${op}.json`))
    .find((path) => path && existsSync(path));
  return file ? (JSON.parse(readFileSync(file, 'utf8')) as { cases: CorpusCase[] }).cases.filter(isWanted) : [];
}

/** True where no tensor of the case's graph and steps is of another type than these. */
export function usesOnly(...dtypes: readonly string[]): (test: CorpusCase) => boolean {
  return (test) =>
    [
      ...[...valuesOf(mainGraph(test))].map((value) => value.dtype),
      ...test.steps.flatMap((step) => [...step.inputs, ...step.outputs].map((value) => value.dtype)),
    ].every((dtype) => dtypes.includes(dtype));
}

/** True where every node of the case's graph is of one of these types and reads no sparse constant. */
export function runsOnly(...types: readonly string[]): (test: CorpusCase) => boolean {
  return (test) =>
    mainGraph(test).nodes.every(
      ({ type, inputs }) => types.includes(type) && inputs.every((input) => !input?.sparsity),
    );
}

/** Runs cases step by step, and returns a line for each that differs from TFLite or throws. */
export function failuresOf(specs: readonly OpSpec[], cases: readonly CorpusCase[]): string[] {
  return linesOf(specs, cases, failuresOfCase);
}

/**
 * Infers every shape of the cases' files, and returns a line for each that is not the one the file declares. Files made
 * to be resized declare sizes of another run.
 */
export function inferenceFailuresOf(specs: readonly OpSpec[], cases: readonly CorpusCase[]): string[] {
  const unresized = cases.filter(({ steps }) => !steps.some((step) => step.resize));
  return linesOf(specs, unresized, inferenceFailuresOfCase);
}

type Ops = ReadonlyMap<string, OpSpec>;

function linesOf(
  specs: readonly OpSpec[],
  cases: readonly CorpusCase[],
  failures: (ops: Ops, test: CorpusCase) => string[],
): string[] {
  const ops = new Map(specs.map((spec) => [spec.type, spec]));
  return cases.flatMap((test) => {
    try {
      return failures(ops, test).map((failure) => `${test.name}: ${failure}`);
    } catch (error) {
      return [`${test.name}: ${error}`];
    }
  });
}

function mainGraph(test: CorpusCase): Graph {
  return toGraph(readModel(fromBase64(test.model)), 0);
}

/** Runs the case's steps; state is not kept between them. */
function failuresOfCase(ops: Ops, test: CorpusCase): string[] {
  const graph = mainGraph(test);
  return test.steps.flatMap((step, position) => {
    const outputs = run(ops, graph, step.inputs.map(tensorOf));
    return step.outputs.flatMap((reference, i) => {
      const { data, shape } = outputs[i] ?? {};
      const { error } = compare(data as Values | undefined, shape, reference, test.tolerance, test);
      return error ? [`step ${position}, output ${i}: ${error}`] : [];
    });
  });
}

function tensorOf(value: CorpusValue): CpuTensor {
  return { shape: value.shape, dtype: value.dtype as DType, data: numbersOf(value) as TensorData };
}

function run(ops: Ops, graph: Graph, inputs: readonly CpuTensor[]): (CpuTensor | undefined)[] {
  const tensors = new Map<Value, CpuTensor>();
  const tensorAt = (value: Value | undefined) => value && (tensors.get(value) ?? (value as CpuTensor));
  for (const [i, value] of graph.inputs.entries()) tensors.set(value, { ...value, ...inputs[i]! });
  for (const node of graph.nodes) {
    const spec = specOf(ops, node);
    const operands = node.inputs.map(tensorAt);
    const types = spec.infer(operands, node.attrs, node.outputs).map((type, i) => {
      if (!type) throw new Error(`${node.type}: output ${i} has no shape although every input is known`);
      return { ...node.outputs[i]!, ...type };
    });
    const results = spec.cpu!(operands, node.attrs, types);
    for (const [i, value] of node.outputs.entries()) tensors.set(value, { ...types[i]!, data: results[i]! });
  }
  return graph.outputs.map(tensorAt);
}

function inferenceFailuresOfCase(ops: Ops, test: CorpusCase): string[] {
  return mainGraph(test).nodes.flatMap((node) => {
    const inferred = specOf(ops, node).infer(node.inputs, node.attrs, node.outputs);
    return inferred.flatMap((type, i) => {
      const { dtype, shape, shapeSignature } = node.outputs[i]!;
      if (!type || shapeSignature?.includes(-1) || (type.dtype === dtype && sameShape(type.shape, shape))) return [];
      return [`infers ${type.dtype} [${type.shape}], declared is ${dtype} [${shape}]`];
    });
  });
}

function specOf(ops: Ops, node: Node): OpSpec {
  const spec = ops.get(node.type);
  if (!spec) throw new Error(`no spec of ${node.type}`);
  return spec;
}
