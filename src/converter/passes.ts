import {
  dropDead,
  dropIdentity,
  foldConstants,
  type Graph,
  matmulToFullyConnected,
  type Node,
  type Pass,
  runPasses,
  sameShape,
  sizeOf,
  type Value,
} from '../../delegate/index.js';
import { foldScaleAndShift } from '../../delegate/passes/scaling.js';
import { signatureOf } from './dynamic-batch.js';
import { isPerChannel, vectorOf } from './legalize/legalization.js';
import { expandErf, recognizeGelu, recognizeHardSwish } from './recognize.js';

/** RESHAPE of a RESHAPE is one. */
const mergeReshapes: Pass = {
  name: 'merge-reshapes',
  at(node, edit) {
    const [x, target] = node.inputs;
    const producer = x && edit.producer(x);
    if (node.type !== 'RESHAPE' || producer?.type !== 'RESHAPE') return;
    edit.replace(node, [{ ...node, inputs: [producer.inputs[0], target] }]);
    return 'rewritten';
  },
};

/** As the delegate's, for graphs with open sizes: a node may change nothing for a batch of 1 alone. */
const dropIdentityOfAnySize: Pass = {
  name: dropIdentity.name,
  at(node, edit) {
    const [from] = node.inputs;
    const [to] = node.outputs;
    if (!from || !to || !sameShape(signatureOf(from), signatureOf(to))) return;
    return dropIdentity.at(node, edit);
  },
};

/** A RESHAPE to the same shape that makes a graph output: what comes before makes it instead. */
const dropReshapeOfOutput: Pass = {
  name: 'drop-reshape-of-output',
  at(node, edit) {
    const [from] = node.inputs;
    const [to] = node.outputs;
    const producer = from && edit.producer(from);
    if (node.type !== 'RESHAPE' || !producer || !to || !sameShape(signatureOf(from), signatureOf(to))) return;
    if (!edit.readOnlyBy(from, node)) return { declined: `"${from.name}" is read elsewhere` };
    edit.replace(producer, [{ ...producer, outputs: producer.outputs.map((v) => (v === from ? to : v)) }]);
    edit.replace(node, []);
    return 'rewritten';
  },
};

const ACTIVATIONS = new Set(['RELU', 'RELU6', 'RELU_N1_TO_1']);
const POINTWISE = new Set([...ACTIVATIONS, 'LOGISTIC', 'TANH', 'ELU', 'LEAKY_RELU', 'GELU', 'HARD_SWISH']);
const AFFINE = new Set(['ADD', 'SUB', 'MUL', 'DIV']);

/** Operands with the reshaped one replaced by what was reshaped, where the node does the same to that. */
function beforeReshape({ type, inputs }: Node, source: Value, x: Value): readonly (Value | undefined)[] | undefined {
  const channels = source.shape.at(-1);
  if (channels === undefined || channels !== x.shape.at(-1)) return undefined;
  if (POINTWISE.has(type)) return [source];
  if (type === 'FULLY_CONNECTED') return inputs[0] === x ? [source, ...inputs.slice(1)] : undefined;
  if (!AFFINE.has(type) || inputs.length !== 2) return undefined;
  const constant = inputs[inputs[0] === x ? 1 : 0]!;
  if (!isPerChannel(constant, channels) && !isPerChannel(constant, 1)) return undefined;
  const vector: Value = { ...constant, shape: [sizeOf(constant.shape)] };
  return inputs.map((v) => (v === x ? source : vector));
}

/** Ops on the last dimension go before a RESHAPE that keeps it, to the convolution or product before. */
const lowerReshape: Pass = {
  name: 'lower-reshape',
  at(node, edit) {
    const x = node.inputs.find((v) => v && edit.producer(v)?.type === 'RESHAPE');
    const reshape = x && edit.producer(x);
    const source = reshape?.inputs[0];
    const target = reshape?.inputs[1];
    const [output] = node.outputs;
    if (!x || !source || !target?.data || !output) return;
    const inputs = beforeReshape(node, source, x);
    if (!inputs) return;
    if (!edit.readOnlyBy(x, node)) return { declined: `"${x.name}" is read elsewhere` };
    const last = output.shape.at(-1)!;
    const ending = (shape: readonly number[]) => [...shape.slice(0, -1), last];
    const { shape, shapeSignature, name } = source;
    const before: Value = {
      ...output,
      id: -1,
      name: `${output.name}/${name}`,
      shape: ending(shape),
      shapeSignature: shapeSignature && ending(shapeSignature),
    };
    const sizes = vectorOf(ending(Array.from(target.data as Int32Array)));
    const attrs = node.type === 'FULLY_CONNECTED' ? { ...node.attrs, keepNumDims: shape.length > 2 } : node.attrs;
    edit.replace(node, [
      { ...node, attrs, inputs, outputs: [before] },
      { ...reshape, inputs: [before, sizes], outputs: [output] },
    ]);
    edit.replace(reshape, []);
    return 'rewritten';
  },
};

/** Ops without a bias as they are traced, and which input theirs is. */
const BIAS_INPUT: Readonly<Record<string, number>> = { TRANSPOSE_CONV: 3, CONV_3D: 2, CONV_3D_TRANSPOSE: 3 };

/** ADD of a constant per channel is the bias of a convolution without one. */
const foldBias: Pass = {
  name: 'fold-bias',
  at(node, edit) {
    const [x, constant] = node.inputs;
    const producer = x && edit.producer(x);
    const place = producer && BIAS_INPUT[producer.type];
    if (!x || node.type !== 'ADD' || !place || producer.inputs[place]) return;
    const channels = x.shape.at(-1)!;
    if (!constant || !isPerChannel(constant, channels)) return { declined: 'the operand is no constant per channel' };
    if (!edit.readOnlyBy(x, node)) return { declined: `"${x.name}" is read elsewhere` };
    const bias: Value = { ...constant, shape: [channels] };
    edit.replace(node, [{ ...producer, inputs: [...producer.inputs, bias], outputs: node.outputs }]);
    edit.replace(producer, []);
    return 'rewritten';
  },
};

/** Ops that TFLite applies an activation in. */
const FUSING = new Set([
  ...AFFINE,
  'CONV_2D',
  'DEPTHWISE_CONV_2D',
  'FULLY_CONNECTED',
  'TRANSPOSE_CONV',
  'CONV_3D',
  'AVERAGE_POOL_2D',
  'MAX_POOL_2D',
]);

/** RELU and its like become part of the op before. */
const fuseActivation: Pass = {
  name: 'fuse-activation',
  at(node, edit) {
    const [x] = node.inputs;
    const producer = x && edit.producer(x);
    if (!x || !ACTIVATIONS.has(node.type) || !producer || !FUSING.has(producer.type)) return;
    if (producer.attrs.fusedActivationFunction !== 'NONE') return { declined: 'there is an activation already' };
    if (!edit.readOnlyBy(x, node)) return { declined: `"${x.name}" is read elsewhere` };
    const attrs = { ...producer.attrs, fusedActivationFunction: node.type };
    edit.replace(node, [{ ...producer, attrs, outputs: node.outputs }]);
    edit.replace(producer, []);
    return 'rewritten';
  },
};

/** RELU6 of a RELU is RELU6: the layer ReLU with a greatest value says both. */
const mergeClamps: Pass = {
  name: 'merge-clamps',
  at(node, edit) {
    const [x] = node.inputs;
    const producer = x && edit.producer(x);
    if (producer?.type !== 'RELU' || (node.type !== 'RELU' && node.type !== 'RELU6')) return;
    edit.replace(node, [{ ...node, inputs: producer.inputs }]);
    return 'rewritten';
  },
};

const passes: readonly Pass[] = [
  foldConstants,
  matmulToFullyConnected,
  mergeClamps,
  recognizeGelu,
  recognizeHardSwish,
  expandErf,
  dropDead,
  lowerReshape,
  mergeReshapes,
  dropDead,
  dropIdentityOfAnySize,
  dropReshapeOfOutput,
  foldScaleAndShift,
  foldBias,
  fuseActivation,
  dropDead,
];

/** Makes a traced graph what TensorFlow's converter would write: weights in place, biases and activations inside ops. */
export function optimize(graph: Graph): Graph {
  return runPasses(graph, passes);
}
