import type { Graph, Node, Value } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import type { MatmulAttrs } from '../kernels/batch-matmul.js';

/** By type of op: the image of which each pixel is multiplied with all of the filter, which is the second input. */
const filtered: Readonly<Record<string, (node: Node) => Value | undefined>> = {
  CONV_2D: ({ outputs }) => outputs[0],
  DEPTHWISE_CONV_2D: ({ outputs }) => outputs[0],
  FULLY_CONNECTED: ({ outputs }) => outputs[0],
  TRANSPOSE_CONV: ({ inputs }) => inputs[2],
  Convolution2DTransposeBias: ({ inputs }) => inputs[0],
};

/** Multiply-adds of a graph by the definition of its ops, whatever the kernels make of them. */
export function multiplyAddsOf({ nodes }: Graph): number {
  return nodes.reduce((sum, node) => sum + multiplyAddsOfNode(node), 0);
}

function multiplyAddsOfNode(node: Node): number {
  const { type, attrs, inputs, outputs } = node;
  if (type === 'BATCH_MATMUL') {
    const { adjX, heads } = attrs as MatmulAttrs;
    return (sizeOf(outputs[0]!.shape) * inputs[0]!.shape.at(adjX ? -2 : -1)!) / (heads?.[0] || 1);
  }
  const image = filtered[type]?.(node)?.shape;
  return image ? (sizeOf(image) / (image.at(-1) || 1)) * sizeOf(inputs[1]!.shape) : 0;
}
