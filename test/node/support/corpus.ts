// Runs the op corpus on the ops' own CPU form: every operator through `infer` and `cpu`, one after the other.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DType, TensorData } from '../../../delegate/ir/dtype.js';
import { arrayOf } from '../../../delegate/ir/dtype.js';
import type { Attrs, TensorType } from '../../../delegate/ir/graph.js';
import type { CpuTensor, InferInput, OpSpec } from '../../../delegate/ir/op.js';
import { sameShape } from '../../../delegate/ir/shape.js';
import { listOf, type Model, type Operator, type Tensor } from '../../../src/format/model.js';
import { opName } from '../../../src/format/operator-name.js';
import { optionsOf } from '../../../src/format/operator-options.js';
import { readModel } from '../../../src/format/read.js';
import { compare } from '../../conformance/compare.js';
import type { CorpusCase } from '../../conformance/run-case.js';
import { fromBase64, type Values, valuesOf } from '../../conformance/values.js';
import { root, shared } from '../../support/files.js';
import { tfjsCpu } from './tfjs-cpu.js';

/** The cases of a corpus file; of the project's own fixtures where the corpus is not on this machine. */
export function corpusCases(op: string, isWanted: (test: CorpusCase) => boolean = () => true): CorpusCase[] {
  const file = [shared && join(shared, 'ops'), join(root, 'test/fixtures/ops')]
    .map((folder) => folder && join(folder, `${op}.json`))
    .find((path) => path && existsSync(path));
  return file ? (JSON.parse(readFileSync(file, 'utf8')) as { cases: CorpusCase[] }).cases.filter(isWanted) : [];
}

/** True where no tensor of the case's model and steps is of another type than these. */
export function usesOnly(...dtypes: readonly string[]): (test: CorpusCase) => boolean {
  return ({ model, steps }) =>
    [
      ...listOf(readModel(fromBase64(model)).subgraphs).flatMap((graph) => listOf(graph.tensors).map(dtypeOf)),
      ...steps.flatMap((step) => [...step.inputs, ...step.outputs].map((value) => value.dtype)),
    ].every((dtype) => dtypes.includes(dtype));
}

/** True where every operator of the case's model is of one of these types and reads no sparse constant. */
export function runsOnly(...types: readonly string[]): (test: CorpusCase) => boolean {
  return (test) => {
    const model = readModel(fromBase64(test.model));
    return listOf(model.subgraphs).every(
      ({ operators, tensors }) =>
        listOf(operators).every((operator) => types.includes(opName(model, operator))) &&
        listOf(tensors).every((tensor) => !tensor.sparsity),
    );
  };
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

/** Runs the case's steps; state is not kept between them. */
function failuresOfCase(ops: Ops, test: CorpusCase): string[] {
  const model = readModel(fromBase64(test.model));
  return test.steps.flatMap((step, position) => {
    const inputs = step.inputs.map((value): CpuTensor => {
      return { shape: value.shape, dtype: value.dtype as DType, data: valuesOf(value) as TensorData };
    });
    const outputs = runMain(ops, model, inputs);
    return step.outputs.flatMap((reference, i) => {
      const output = outputs[i];
      const { error } = compare(output?.data as Values | undefined, output?.shape, reference, test.tolerance, test);
      return error ? [`step ${position}, output ${i}: ${error}`] : [];
    });
  });
}

function inferenceFailuresOfCase(ops: Ops, test: CorpusCase): string[] {
  const model = readModel(fromBase64(test.model));
  const graph = model.subgraphs![0]!;
  const tensors = listOf(graph.tensors).map((tensor) => declaredTensor(model, tensor));
  return listOf(graph.operators).flatMap((operator) => {
    const outputs = listOf(operator.outputs).map((i) => tensors[i]!);
    const inferred = specOf(ops, model, operator).infer(inputsOf(operator, tensors), attrsOf(model, operator), outputs);
    if (isDynamic(graph.tensors!, operator)) return [];
    return inferred.flatMap((type, i) => {
      const { dtype, shape } = outputs[i]!;
      if (!type || (type.dtype === dtype && sameShape(type.shape, shape))) return [];
      return [`infers ${type.dtype} [${type.shape}], declared is ${dtype} [${shape}]`];
    });
  });
}

/** True where TFLite could not know the output's shape when the file was written. */
function isDynamic(tensors: readonly Tensor[], operator: Operator): boolean {
  return listOf(operator.outputs).some((i) => listOf(tensors[i]!.shapeSignature).includes(-1));
}

function runMain(ops: Ops, model: Model, inputs: readonly CpuTensor[]): (CpuTensor | undefined)[] {
  const graph = model.subgraphs![0]!;
  const declared = listOf(graph.tensors).map((tensor) => declaredTensor(model, tensor));
  const tensors: InferInput[] = [...declared];
  for (const [i, index] of listOf(graph.inputs).entries()) tensors[index] = { ...declared[index], ...inputs[i]! };
  for (const operator of listOf(graph.operators)) {
    const spec = specOf(ops, model, operator);
    const attrs = attrsOf(model, operator);
    const operands = inputsOf(operator, tensors) as (CpuTensor | undefined)[];
    const indices = listOf(operator.outputs);
    const types = spec
      .infer(
        operands,
        attrs,
        indices.map((i) => declared[i]!),
      )
      .map((type, i) => {
        if (!type) throw new Error(`${spec.type}: output ${i} has no shape although every input is known`);
        return type;
      });
    const results = spec.cpu!(operands, attrs, types, tfjsCpu);
    for (const [i, index] of indices.entries())
      tensors[index] = { ...declared[index], ...types[i]!, data: results[i]! };
  }
  return listOf(graph.outputs).map((index) => tensors[index] as CpuTensor);
}

function specOf(ops: Ops, model: Model, operator: Operator): OpSpec {
  const spec = ops.get(opName(model, operator));
  if (!spec) throw new Error(`no spec of ${opName(model, operator)}`);
  return spec;
}

function attrsOf(model: Model, operator: Operator): Attrs {
  return { ...optionsOf(model, operator), customOptions: operator.customOptions };
}

function inputsOf<T>(operator: Operator, tensors: readonly T[]): (T | undefined)[] {
  return listOf(operator.inputs).map((index) => (index < 0 ? undefined : tensors[index]));
}

function dtypeOf(tensor: Tensor): DType {
  return tensor.type.toLowerCase() as DType;
}

function declaredTensor(model: Model, tensor: Tensor): InferInput {
  const type: TensorType = { shape: listOf(tensor.shape), dtype: dtypeOf(tensor) };
  const bytes = model.buffers?.[tensor.buffer]?.data;
  const isEmpty = type.shape.includes(0);
  if (!bytes?.length && !(isEmpty && tensor.buffer > 0)) return type;
  return { ...type, data: new (arrayOf(type.dtype))(bytes ? bytes.slice().buffer : new ArrayBuffer(0)) };
}
