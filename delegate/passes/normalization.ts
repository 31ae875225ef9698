/** Normalisation as TensorFlow writes it becomes one chain of pointwise steps, and along the last axis one node. */
import type { Node, Value } from '../ir/graph.js';
import { constantInts } from '../ir/op.js';
import { normalizeAxis, sameShape, sizeOf } from '../ir/shape.js';
import { NORMALIZATION } from '../kernels/softmax.js';
import type { Editor } from './editor.js';
import type { Pass } from './pass.js';

/** What x · g + rest adds: n · g + c, or c − n · g. */
interface Rest {
  readonly product: Node;
  readonly c: Value;
  readonly subtracted: boolean;
}

/**
 * x · g + (c − m · g) is (x − m) · g + c, which needs no tensor beside its result: where g = r · γ is as large as the result
 * and r and γ are not, (x − m) · r · γ + c. The parts are what batch and layer normalisation make of mean, deviation,
 * gamma and beta.
 */
export const factorNormalization: Pass = {
  name: 'factor-normalization',
  at(node, edit) {
    const [a, b] = node.inputs;
    const [output] = node.outputs;
    if (node.type !== 'ADD' || !a || !b || output!.dtype !== 'float32') return;
    for (const [scaled, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const product = soleProducer(edit, scaled, node, 'MUL');
      const shift = soleProducer(edit, other, node, 'ADD') ?? soleProducer(edit, other, node, 'SUB');
      const rest = product && shift && restOf(edit, shift);
      const g = rest && product.inputs.find((v) => rest.product.inputs.includes(v));
      const x = g && otherOf(product, g);
      if (!rest || !x || x.data || !sameShape(x.shape, output!.shape)) continue;
      const n = otherOf(rest.product, g);
      const negated = rest.subtracted ? undefined : soleProducer(edit, n, rest.product, 'NEG');
      const parts = factorsOf(edit, g, [product, rest.product], x);
      const step = (type: string, from: Value, operand: Value): Node => ({
        ...node,
        type,
        attrs: {},
        inputs: [from, operand],
        outputs: [{ ...output!, id: -1, name: `${output!.name}/${type}` }],
      });
      const steps = [negated ? step('SUB', x, negated.inputs[0]!) : step(rest.subtracted ? 'SUB' : 'ADD', x, n)];
      for (const factor of parts.factors) steps.push(step('MUL', steps.at(-1)!.outputs[0]!, factor));
      edit.replace(node, [...steps, { ...node, inputs: [steps.at(-1)!.outputs[0]!, rest.c] }]);
      for (const gone of [product, shift, rest.product, negated, parts.made]) if (gone) edit.replace(gone, []);
      return 'rewritten';
    }
    return;
  },
};

/** The node that makes a value for this reader alone. */
function soleProducer(edit: Editor, value: Value, reader: Node, type: string): Node | undefined {
  const producer = edit.producer(value);
  return producer?.type === type && !producer.tail?.length && edit.readOnlyBy(value, reader) ? producer : undefined;
}

function restOf(edit: Editor, shift: Node): Rest | undefined {
  const [a, b] = shift.inputs as [Value, Value];
  const subtracted = shift.type === 'SUB';
  const last = soleProducer(edit, b, shift, 'MUL');
  if (last) return { product: last, c: a, subtracted };
  const first = subtracted ? undefined : soleProducer(edit, a, shift, 'MUL');
  return first && { product: first, c: b, subtracted };
}

function otherOf({ inputs: [a, b] }: Node, one: Value): Value {
  return (a === one ? b : a)!;
}

/** What to multiply by instead of g: the smaller factors that it is made of, or itself. */
function factorsOf(edit: Editor, g: Value, readers: readonly Node[], x: Value): { factors: Value[]; made?: Node } {
  const made = edit.producer(g);
  const isTheirs = !edit.isOutput(g) && [...edit.readers(g)].every((reader) => readers.includes(reader));
  const factors = made?.inputs.filter((v) => v !== undefined) ?? [];
  const isLarger = sizeOf(g.shape) === sizeOf(x.shape) && factors.every((v) => sizeOf(v.shape) < sizeOf(g.shape));
  return made?.type === 'MUL' && !made.tail?.length && isTheirs && isLarger ? { factors, made } : { factors: [g] };
}

/**
 * (x − mean) · rsqrt(variance + ε) along the last axis is one node, whose form reads each row once for both: the layer
 * normalisation that `fuse-variance` and `factor-normalization` leave.
 */
export const fuseNormalization: Pass = {
  name: 'fuse-normalization',
  at(node, edit) {
    const [x, mean] = node.inputs;
    const [first, ...rest] = node.tail ?? [];
    const deviation = first?.operand;
    if (node.type !== 'SUB' || !x || x.data || !mean || first?.type !== 'MUL' || !deviation) return;
    const [ofMean, ofDeviation] = [edit.producer(mean), edit.producer(deviation)];
    if (ofMean?.type !== 'MEAN' || ofDeviation?.type !== 'MEAN' || ofMean.tail?.length) return;
    const [shift, root, ...more] = ofDeviation.tail ?? [];
    const epsilon = shift?.type === 'ADD' && root?.type === 'RSQRT' && more.length === 0 ? shift.operand : undefined;
    if (!epsilon?.data || sizeOf(epsilon.shape) !== 1) return;
    if (ofMean.inputs[0] !== x || ofDeviation.inputs[0] !== x || ofDeviation.inputs[2] !== mean) return;
    if (![ofMean, ofDeviation].every((each) => isAlongLast(each, x)) || !sameShape(x.shape, node.outputs[0]!.shape))
      return;
    const readers = [...edit.readers(mean)].filter((reader) => reader !== node && reader !== ofDeviation);
    if (readers.length > 0 || edit.isOutput(mean) || !edit.readOnlyBy(deviation, node))
      return { declined: 'its mean or variance is read elsewhere' };
    const attrs = { epsilon: (epsilon.data as Float32Array)[0]! };
    edit.replace(node, [{ ...node, type: NORMALIZATION, attrs, inputs: [x], tail: rest }]);
    for (const gone of [ofMean, ofDeviation]) edit.replace(gone, []);
    return 'rewritten';
  },
};

function isAlongLast({ inputs: [, axes], outputs: [output] }: Node, x: Value): boolean {
  const along = constantInts(axes)?.map((axis) => normalizeAxis(axis, x.shape.length));
  return along?.length === 1 && along[0] === x.shape.length - 1 && output!.shape.length === x.shape.length;
}
