import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  type BackendValues,
  type DataType,
  getKernel,
  type NamedAttrMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import {
  ops as builtinOps,
  type Cpu,
  type CpuTensor,
  type DType,
  type Graph,
  type Node,
  nodeName,
  type OpSpec,
  type TensorData,
  UnsupportedError,
  type Value,
} from '../../delegate/index.js';
import type { SegmentRunner } from './execution.js';
import { located } from './shapes.js';

/**
 * Runs graphs on plain memory, node by node, with the CPU form of each op. tfjs's CPU kernels are called directly on a
 * backend of its own: the user's active backend is never switched.
 */
export class CpuDelegate implements Cpu, SegmentRunner {
  readonly #ops: ReadonlyMap<string, OpSpec>;
  #backend: MathBackendCPU | undefined;

  constructor(ops: ReadonlyMap<string, OpSpec> = builtinOps) {
    this.#ops = ops;
  }

  /** Computes the graph's outputs, in order. Intermediate tensors are dropped after their last reader. */
  run(graph: Graph, inputs: readonly CpuTensor[]): readonly CpuTensor[];
  /** Runs a tfjs kernel on tensors of plain memory. */
  run(
    kernel: string,
    inputs: Readonly<Record<string, CpuTensor>>,
    attrs?: Readonly<Record<string, unknown>>,
  ): CpuTensor;
  run(
    what: Graph | string,
    inputs: readonly CpuTensor[] | Readonly<Record<string, CpuTensor>>,
    attrs: Readonly<Record<string, unknown>> = {},
  ): readonly CpuTensor[] | CpuTensor {
    if (typeof what === 'string') return this.#runKernel(what, inputs as Readonly<Record<string, CpuTensor>>, attrs);
    return this.#runGraph(what, inputs as readonly CpuTensor[]);
  }

  #runGraph(graph: Graph, inputs: readonly CpuTensor[]): readonly CpuTensor[] {
    const lastReader = new Map<Value, Node>();
    for (const node of graph.nodes) for (const value of node.inputs) if (value) lastReader.set(value, node);
    const kept = new Set(graph.outputs);
    const held = new Map<Value, CpuTensor>(graph.inputs.map((value, i) => [value, inputs[i]!]));
    const tensorOf = (value: Value): CpuTensor => held.get(value) ?? (value as CpuTensor);
    for (const node of graph.nodes) {
      const operands = node.inputs.map((value) => value && tensorOf(value));
      const results = this.#runNode(node, operands);
      node.outputs.forEach((value, i) => {
        if (lastReader.has(value) || kept.has(value)) held.set(value, results[i]!);
      });
      for (const value of node.inputs)
        if (value && lastReader.get(value) === node && !kept.has(value)) held.delete(value);
    }
    return graph.outputs.map(tensorOf);
  }

  #runNode(node: Node, operands: readonly (CpuTensor | undefined)[]): readonly CpuTensor[] {
    const spec = this.#ops.get(node.type);
    if (!spec?.cpu) throw new UnsupportedError(missing(node, spec));
    try {
      const types = spec.infer(operands, node.attrs, node.outputs).map((type, i) => {
        if (!type) throw new UnsupportedError(`output ${i} has no shape although every input is known`);
        return { ...node.outputs[i]!, ...type };
      });
      const results = spec.cpu(operands, node.attrs, types, this);
      return types.map(({ shape, dtype, quantization }, i) => ({
        shape,
        dtype,
        data: results[i]!,
        ...(quantization && { quantization }),
      }));
    } catch (error) {
      throw located(error, node);
    }
  }

  #runKernel(
    kernel: string,
    inputs: Readonly<Record<string, CpuTensor>>,
    attrs: Readonly<Record<string, unknown>>,
  ): CpuTensor {
    this.#backend ??= new MathBackendCPU();
    const backend = this.#backend;
    const config = getKernel(kernel, 'cpu');
    if (!config) throw new UnsupportedError(`tfjs's CPU backend has no kernel ${kernel}`);
    const infos = Object.entries(inputs).map(
      ([name, { shape, dtype, data }]) =>
        [name, backend.makeTensorInfo([...shape], dtype as DataType, data as BackendValues)] as const,
    );
    const result = config.kernelFunc({
      inputs: Object.fromEntries(infos),
      backend,
      attrs: attrs as NamedAttrMap,
    }) as TensorInfo;
    const data = backend.readSync(result.dataId) as TensorData;
    for (const info of [...infos.map(([, i]) => i), result]) backend.disposeData(info.dataId, true);
    return { shape: result.shape, dtype: result.dtype as DType, data };
  }
}

function missing(node: Node, spec: OpSpec | undefined): string {
  if (spec) return `${nodeName(node)}: ${node.type} has no CPU form`;
  return `${nodeName(node)}: there is no such op here; register it: customOps: {${node.type}: {inferShapes, cpu}}`;
}
