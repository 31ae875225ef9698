import {
  ops as builtinOps,
  type CpuTensor,
  type Node,
  nodeName,
  type OpSpec,
  UnsupportedError,
  type Value,
} from '../../delegate/index.js';
import type { SegmentRunner } from './execution.js';
import { located, unknownOp } from './shapes.js';

/** Runs graphs on plain memory, node by node, with the CPU form of each op. */
export function cpuRunner(ops: ReadonlyMap<string, OpSpec> = builtinOps): SegmentRunner {
  return {
    /** Intermediate tensors are dropped after their last reader. */
    run(graph, inputs) {
      const lastReader = new Map<Value, Node>();
      for (const node of graph.nodes) for (const value of node.inputs) if (value) lastReader.set(value, node);
      const kept = new Set(graph.outputs);
      const held = new Map<Value, CpuTensor>(graph.inputs.map((value, i) => [value, inputs[i]!]));
      const tensorOf = (value: Value): CpuTensor => held.get(value) ?? (value as CpuTensor);
      for (const node of graph.nodes) {
        const operands = node.inputs.map((value) => value && tensorOf(value));
        const results = runNode(node, operands, ops);
        node.outputs.forEach((value, i) => {
          if (lastReader.has(value) || kept.has(value)) held.set(value, results[i]!);
        });
        for (const value of node.inputs)
          if (value && lastReader.get(value) === node && !kept.has(value)) held.delete(value);
      }
      return graph.outputs.map(tensorOf);
    },
  };
}

function runNode(
  node: Node,
  operands: readonly (CpuTensor | undefined)[],
  ops: ReadonlyMap<string, OpSpec>,
): readonly CpuTensor[] {
  const spec = ops.get(node.type);
  if (!spec) throw unknownOp(node);
  if (!spec.cpu) throw new UnsupportedError(`${nodeName(node)}: ${node.type} has no CPU form`);
  try {
    const types = spec.infer(operands, node.attrs, node.outputs).map((type, i) => {
      if (!type) throw new UnsupportedError(`output ${i} has no shape although every input is known`);
      return { ...node.outputs[i]!, ...type };
    });
    const results = spec.cpu(operands, node.attrs, types);
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
