/** A pool behind a convolution is a fold of the pixels that its fragments make. */
import { type Attrs, readsOf, type Value } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import { POOLED_CONV_2D, type PooledAttrs } from '../kernels/conv-2d.js';
import { POOLS } from '../kernels/pool.js';
import { channelVector } from '../kernels/tail.js';
import type { Pass } from './pass.js';

/**
 * A convolution and the pool that alone reads it become one node, where the pool's windows stand side by side inside the
 * image: one draw, and the image is never written. A tail in front of the pool may read what is the same for all pixels.
 */
export const fusePool: Pass = {
  name: 'fuse-pool',
  at(node, edit) {
    if (!POOLS[node.type]) return;
    const [x] = node.inputs;
    const conv = x && edit.producer(x);
    if (conv?.type !== 'CONV_2D') return;
    const { filterHeight, filterWidth, strideH, strideW, pads } = node.attrs;
    const [, h, w] = x!.shape as [number, number, number];
    const [, rows, cols] = node.outputs[0]!.shape as [number, number, number];
    if (filterHeight !== strideH || filterWidth !== strideW) return { declined: 'its windows overlap or leave gaps' };
    if (pads || rows * Number(filterHeight) > h || cols * Number(filterWidth) > w)
      return { declined: 'its windows reach outside the image' };
    if (node.tail?.length) return { declined: 'it has a tail' };
    if (!edit.readOnlyBy(x!, node)) return { declined: `"${x!.name}" is read elsewhere` };
    const operands = readsOf({ ...conv, inputs: [] });
    if (operands.some((v) => !isSameForAllPixels(v, x!)))
      return { declined: 'the tail of the convolution reads an image' };
    const pooled: PooledAttrs = { image: x!.shape, pool: { type: node.type, attrs: node.attrs } };
    edit.replace(conv, []);
    edit.replace(node, [
      {
        ...conv,
        type: POOLED_CONV_2D,
        attrs: { ...conv.attrs, ...(pooled as unknown as Attrs) },
        outputs: node.outputs,
      },
    ]);
    return 'rewritten';
  },
};

/** A constant of one element, or of one for each channel. */
function isSameForAllPixels(operand: Value, image: Value): boolean {
  return Boolean(operand.data && sizeOf(operand.shape) === 1) || channelVector(operand, image) !== undefined;
}
