import type { DType } from '../ir/dtype.js';
import { type Node, stepsOf, type Value } from '../ir/graph.js';
import type { Shape } from '../ir/shape.js';
import { vectorBlock, type WeightBlock } from '../layout/weights.js';
import { ShaderBuilder } from '../shader/builder.js';
import type { Kernel } from '../shader/kernel.js';
import type { ShaderTarget } from '../shader/target.js';
import { channelVector } from './tail.js';

/** What a kernel is built for. */
export interface BuildContext {
  readonly target: ShaderTarget;
  /** A float32 tensor between two draws of one node. */
  scratch(shape: Shape): Value;
}

/** The GPU form of an op. */
export interface GpuForm {
  readonly type: string;
  /** Only passes make such nodes, and after nodes are placed: what has this name in a file is somebody's custom op. */
  readonly isMadeByPasses?: boolean;
  /** Element types of inputs and outputs beside float32. */
  readonly dtypes?: readonly DType[];
  /** Why the GPU cannot take this node, beyond element types and sizes; `undefined` when it can. */
  declines?(node: Node): string | undefined;
  /** The draws of a node, in order; the last one writes the node's output (one kernel per output where several). */
  build(node: Node, context: BuildContext): readonly Kernel[];
}

/**
 * A builder for output 0 of the node that knows all constants which the kernel and its tail will open. `made` is the shape
 * that the body makes where that is not the output's.
 */
export function builderFor(
  node: Node,
  context: BuildContext,
  blocks: readonly WeightBlock[] = [],
  output = node.outputs[0]!,
  made?: Shape,
): ShaderBuilder {
  const builder = new ShaderBuilder(context.target, output, made);
  const tails = stepsOf(node.tail).flatMap(({ operand }) => {
    const vector = operand && channelVector(operand, output);
    return vector ? [vectorBlock(vector)] : [];
  });
  builder.announce(...blocks, ...tails);
  return builder;
}

/** Attributes as the op's own type: the reader follows the schema. */
export function attrsOf<A>(node: Node): A {
  return node.attrs as unknown as A;
}
