/** Moves of elements become fewer: one of several, or none where only the shape has another name. */
import type { AttrValue, Node, Value } from '../ir/graph.js';
import { stepsOf } from '../ir/graph.js';
import { sameShape, sizeOf } from '../ir/shape.js';
import { COMPOSED, soleView } from '../kernels/move.js';
import { pointwiseTypes } from '../kernels/pointwise.js';
import { canBeOperand } from '../kernels/tail.js';
import { toNHWC } from '../layout/layout.js';
import { composeViews, isIdentity, isRun, simplifyView } from '../layout/view.js';
import { SHAPE_ONLY } from '../ops/reshape.js';
import type { Pass } from './pass.js';

/** A move of what another move made, and nothing else reads, is one move: a shuffle of channels, an image doubled by tiles. */
export const composeMoves: Pass = {
  name: 'compose-moves',
  at(node, edit) {
    const views = node.outputs.map((_, i) => soleView(node, i));
    const x = views[0]?.value;
    const producer = x && edit.producer(x);
    if (!x || !producer || producer.outputs.length !== 1 || producer.tail?.length) return;
    if (views.some((part) => part?.value !== x) || !edit.readOnlyBy(x, node)) return;
    const inner = soleView(producer, 0);
    if (!inner || inner.value.data || inner.view.mirror !== undefined) return;
    if (views.some((part) => part!.view.mirror !== undefined)) return { declined: 'it mirrors' };
    const composed = views.map((part) => composeViews(part!.view, inner.view));
    if (composed.includes(undefined)) return { declined: `no single view does both ${producer.type} and ${node.type}` };
    edit.replace(
      node,
      composed.map((view, i) => ({
        id: node.id,
        ...(isIdentity(view!, sizeOf(inner.value.shape))
          ? { type: 'RESHAPE', attrs: {} }
          : { type: COMPOSED, attrs: { view: view as unknown as AttrValue } }),
        inputs: [inner.value],
        outputs: [node.outputs[i]!],
        ...(node.tail && { tail: node.tail }),
      })),
    );
    edit.replace(producer, []);
    return 'rewritten';
  },
};

/** FULLY_CONNECTED of one pixel of an image, or one row of a sequence, reads it where it is: the first token, a step in time. */
export const readPixel: Pass = {
  name: 'read-pixel',
  at(node, edit) {
    const [x, filter] = node.inputs;
    const move = x && edit.producer(x);
    if (node.type !== 'FULLY_CONNECTED' || !move || move.tail?.length || !filter?.data) return;
    const picked = soleView(move, move.outputs.indexOf(x));
    const image = picked?.value;
    if (!image || image.data || SHAPE_ONLY.has(move.type)) return;
    const [, h, w, c] = toNHWC(image.shape);
    const { offset } = picked.view;
    if (sizeOf(x.shape) !== c || filter.shape[1] !== c || image.dtype !== 'float32') return;
    if (offset % c !== 0 || !isRun(simplifyView(picked.view))) return { declined: 'it is not a whole pixel' };
    const at = offset / c;
    const pixel = [Math.floor(at / (h * w)), Math.floor(at / w) % h, at % w];
    edit.replace(node, [{ ...node, attrs: { ...node.attrs, pixel }, inputs: [image, ...node.inputs.slice(1)] }]);
    if (move.outputs.every((v) => edit.readers(v).size === 0 && !edit.isOutput(v))) edit.replace(move, []);
    return 'rewritten';
  },
};

/** Ops whose draw does not depend on the dimensions of size 1 in front of what it makes. */
const INDIFFERENT = new Set(['FULLY_CONNECTED', 'CAST', ...pointwiseTypes]);

/** What a reshape makes of a value that nothing else reads is made in that shape, where it only has other outer dimensions of size 1. */
export const absorbReshape: Pass = {
  name: 'absorb-reshape',
  at(node, edit) {
    const [x] = node.inputs;
    const [output] = node.outputs;
    const producer = x && edit.producer(x);
    if (!SHAPE_ONLY.has(node.type) || node.tail?.length || !output || !producer || !INDIFFERENT.has(producer.type))
      return;
    if (producer.outputs.length !== 1 || !edit.readOnlyBy(x, node) || !canMake(producer, x, output)) return;
    edit.replace(producer, []);
    edit.replace(node, [{ ...producer, outputs: [output] }]);
    return 'rewritten';
  },
};

/**
 * Whether the draw of a node that makes `x` can make `output` instead: that has the same shape, or the same pixels and
 * channels with other outer dimensions of size 1, for which the node does not care.
 */
export function canMake({ type, inputs, tail }: Node, x: Value, output: Value): boolean {
  if (sameShape(x.shape, output.shape)) return true;
  const operands = [...(type === 'FULLY_CONNECTED' ? [] : inputs), ...stepsOf(tail).map(({ operand }) => operand)];
  const fit = operands.every((v) => !v || canBeOperand(v, output));
  return INDIFFERENT.has(type) && fit && sameShape(toNHWC(x.shape), toNHWC(output.shape));
}
