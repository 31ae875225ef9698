/** Products that are operators of their own in TFLite: x · Φ(x) is GELU, x · relu6(x + 3) / 6 is HARD_SWISH. */
import { type Node, type Pass, sameShape, type Value } from '../../delegate/index.js';
import { defaultOptions } from '../format/operator-options.js';
import { erfFormula } from './legalize/erf.js';
import { Trace } from './trace.js';

type Editor = Parameters<Pass['at']>[1];

/** True for a constant of one element near `value`. */
function isNumber(v: Value | undefined, value: number): boolean {
  return v?.data?.length === 1 && Math.abs(Number(v.data[0]) / value - 1) < 1e-5;
}

/** The operand beside a number, where the node is x ⊕ number or number ⊕ x. */
function besideNumber(node: Node | undefined, type: string, value: number): Value | undefined {
  if (node?.type !== type) return undefined;
  const [a, b] = node.inputs;
  return isNumber(b, value) ? a : isNumber(a, value) ? b : undefined;
}

/** x where the value is x · factor, or x divided by what that is one over. */
function scaledBy(factor: number, node: Node | undefined): Value | undefined {
  const isDivided = node?.type === 'DIV' && isNumber(node.inputs[1], 1 / factor);
  return isDivided ? node.inputs[0] : besideNumber(node, 'MUL', factor);
}

/** What alone reads a value that the graph does not give away. */
function onlyReader(value: Value, edit: Editor): Node | undefined {
  const [reader] = edit.readers(value);
  return reader && edit.readOnlyBy(value, reader) ? reader : undefined;
}

/** The last node of the product of a gate, x and a factor, whatever their order. */
function productOf(gate: Value, x: Value, factor: number, edit: Editor): Node | undefined {
  let [hasX, hasFactor] = [false, false];
  for (let at = gate; ; ) {
    const node = onlyReader(at, edit);
    const other = node?.inputs.find((v) => v !== at);
    if (!node || !other) return undefined;
    if (scaledBy(factor, node) === at && !hasFactor) hasFactor = true;
    else if (node.type !== 'MUL' || hasX) return undefined;
    else if (other === x) hasX = true;
    else if (!hasFactor && scaledBy(factor, edit.producer(other)) === x) hasX = hasFactor = true;
    else return undefined;
    if (hasX && hasFactor) return sameShape(node.outputs[0]!.shape, x.shape) ? node : undefined;
    at = node.outputs[0]!;
  }
}

/** Puts one operator of x where its formula ended; what came before is read by nothing then. */
function rewrite(last: Node, type: string, x: Value, edit: Editor): 'rewritten' {
  edit.replace(last, [{ ...last, type, attrs: defaultOptions(type), inputs: [x] }]);
  return 'rewritten';
}

/** x · ½ · (1 + erf(x / √2)). */
export const recognizeGelu: Pass = {
  name: 'recognize-gelu',
  at(node, edit) {
    const [scaled] = node.inputs;
    const [erf] = node.outputs;
    const x = node.type === 'ERF' && scaled && scaledBy(Math.SQRT1_2, edit.producer(scaled));
    const sum = x && erf ? onlyReader(erf, edit) : undefined;
    if (!x || !sum || besideNumber(sum, 'ADD', 1) !== erf) return;
    const last = productOf(sum.outputs[0]!, x, 0.5, edit);
    return last ? rewrite(last, 'GELU', x, edit) : { declined: 'it is no factor of x / 2' };
  },
};

/** x · relu6(x + 3) / 6. */
export const recognizeHardSwish: Pass = {
  name: 'recognize-hard-swish',
  at(node, edit) {
    const [shifted] = node.inputs;
    const x = node.type === 'RELU6' && shifted && besideNumber(edit.producer(shifted), 'ADD', 3);
    if (!x) return;
    const last = productOf(node.outputs[0]!, x, 1 / 6, edit);
    return last ? rewrite(last, 'HARD_SWISH', x, edit) : { declined: 'it is no factor of x / 6' };
  },
};

/** Says an error function that is part of nothing known as a formula. */
export const expandErf: Pass = {
  name: 'expand-erf',
  at(node, edit) {
    const [x] = node.inputs;
    const [output] = node.outputs;
    if (node.type !== 'ERF' || !x || !output) return;
    const trace = new Trace();
    const last = erfFormula(x, trace.call(output.name, { x }));
    const { shapeSignature } = output;
    const signed = new Map<Value, Value>([[last, output]]);
    const nodes = trace.graph([x], [last]).nodes.map((n): Node => {
      for (const v of n.outputs) if (v !== last) signed.set(v, { ...v, ...(shapeSignature && { shapeSignature }) });
      const replaced = (v: Value | undefined) => (v && signed.get(v)) ?? v;
      return { ...n, id: node.id, inputs: n.inputs.map(replaced), outputs: n.outputs.map((v) => replaced(v)!) };
    });
    edit.replace(node, nodes);
    return 'rewritten';
  },
};
