/** Matrix products read and write the heads of attention where they are: side by side in the channels. */
import type { Node, Value } from '../ir/graph.js';
import type { MatmulAttrs } from '../kernels/batch-matmul.js';
import { soleView } from '../kernels/move.js';
import { toNHWC } from '../layout/layout.js';
import { isWindowed, simplifyView, type View, view } from '../layout/view.js';
import type { Editor } from './editor.js';
import type { Pass } from './pass.js';

/** Channels of a head: whole groups of slices in the output, whole texels in operands. */
const WHOLE_GROUP = 8;
const WHOLE_TEXEL = 4;

/**
 * BATCH_MATMUL of [b, heads, rows, columns] that a view makes of [b, rows, heads · columns] reads that; its result is
 * written in that form where a view is all that reads it. Of the right operand the view may be transposed too.
 */
export const readHeads: Pass = {
  name: 'read-heads',
  at(node, edit) {
    if (node.type !== 'BATCH_MATMUL') return;
    return readOperand(node, edit, 0) ?? readOperand(node, edit, 1) ?? writeHeads(node, edit);
  },
};

const headsOf = (node: Node) => (node.attrs as MatmulAttrs).heads ?? ([0, 0, 0] as const);

function readOperand(node: Node, edit: Editor, i: 0 | 1): 'rewritten' | undefined {
  const value = node.inputs[i]!;
  const producer = edit.producer(value);
  const part = producer && !producer.tail?.length ? soleView(producer, producer.outputs.indexOf(value)) : undefined;
  if (!part || part.value.data || headsOf(node)[i]) return undefined;
  const { adjX, adjY } = node.attrs as MatmulAttrs;
  const inMove = (move: Move) => headsMoved(part.view, move, part.value, value, WHOLE_TEXEL);
  const plain = inMove('apart');
  const transposed = i === 1 && !plain ? inMove('apart, transposed') : 0;
  if ((i === 0 && adjX) || !(plain || transposed)) return undefined;
  // Broadcast, a batch that is the heads would be one of images that have them.
  if (toNHWC(value.shape)[1] !== toNHWC(node.outputs[0]!.shape)[1]) return undefined;
  const heads = headsOf(node).map((h, j) => (j === i ? plain || transposed : h));
  const inputs = node.inputs.map((v, j) => (j === i ? part.value : v));
  edit.replace(node, [{ ...node, inputs, attrs: { ...node.attrs, heads, ...(transposed && { adjY: !adjY }) } }]);
  if (edit.readers(value).size === 0 && !edit.isOutput(value)) edit.replace(producer!, []);
  return 'rewritten';
}

function writeHeads(node: Node, edit: Editor): 'rewritten' | undefined {
  const [output] = node.outputs as [Value];
  const [reader] = edit.readers(output);
  if (node.tail?.length || !reader || !edit.readOnlyBy(output, reader)) return undefined;
  const moved = reader.outputs.length === 1 ? soleView(reader, 0) : undefined;
  const to = reader.outputs[0]!;
  const heads = moved?.value === output ? headsMoved(moved.view, 'together', to, output, WHOLE_GROUP) : 0;
  if (!heads) return undefined;
  const attrs = { ...node.attrs, heads: [...headsOf(node).slice(0, 2), heads] };
  edit.replace(node, []);
  edit.replace(reader, [{ ...node, attrs, outputs: [to], ...(reader.tail && { tail: reader.tail }) }]);
  return 'rewritten';
}

type Move = 'apart' | 'apart, transposed' | 'together';

/**
 * How many heads the view takes apart or puts together: `joined` is [b, rows, heads · columns], `apart` is
 * [b, heads, rows, columns] or, transposed, [b, heads, columns, rows]. 0: it does something else, or heads do not have a
 * multiple of `whole` columns.
 */
function headsMoved(v: View, move: Move, joined: Value, apart: Value, whole: number): number {
  const [b, one, rows, channels] = toNHWC(joined.shape);
  const [n, h, ...matrix] = toNHWC(apart.shape);
  const heads = (n * h) / b;
  const columns = channels / heads;
  const isBatch = (n === b && h === heads) || (b === 1 && h === 1);
  const sizes = move === 'apart, transposed' ? [columns, rows] : [rows, columns];
  if (heads < 2 || one !== 1 || !isBatch || columns % whole !== 0 || `${matrix}` !== `${sizes}`) return 0;
  const image = rows * channels;
  const expected = {
    apart: () => view([b, heads, rows, columns], [image, columns, channels, 1]),
    'apart, transposed': () => view([b, heads, columns, rows], [image, columns, 1, channels]),
    together: () => view([b, rows, heads, columns], [image, columns, rows * columns, 1]),
  };
  return isSame(v, expected[move]()) ? heads : 0;
}

function isSame(a: View, b: View): boolean {
  if (isWindowed(a)) return false;
  const [x, y] = [simplifyView(a), simplifyView(b)];
  return x.offset === y.offset && `${x.dims}` === `${y.dims}` && `${x.strides}` === `${y.strides}`;
}
