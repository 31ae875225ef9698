import { UnsupportedError } from '../errors.js';
import type { TensorData } from '../ir/dtype.js';
import type { Node, Value } from '../ir/graph.js';
import { type CpuTensor, constantInts } from '../ir/op.js';
import { sameShape, sizeOf } from '../ir/shape.js';
import { ops } from '../ops/index.js';
import { gatherStrided } from '../ops/strided.js';
import type { Pass } from './pass.js';

/** Ops whose kernels accept TANH and SIGN_BIT as fused activation and ignore them (measured on the real interpreter). */
const IGNORE_OTHERS = new Set([
  'ADD',
  'SUB',
  'MUL',
  'DIV',
  'CONV_2D',
  'DEPTHWISE_CONV_2D',
  'AVERAGE_POOL_2D',
  'MAX_POOL_2D',
  'L2_POOL_2D',
  'TRANSPOSE_CONV',
  'CONV_3D',
]);
const SPLIT = new Set([...IGNORE_OTHERS, 'FULLY_CONNECTED']);
const CLAMPS = new Set(['RELU', 'RELU6', 'RELU_N1_TO_1']);

/** CONV_2D(RELU6) becomes CONV_2D → RELU6: no kernel knows of fused activations. */
export const splitFusedActivation: Pass = {
  name: 'split-fused-activation',
  at(node, edit) {
    const activation = node.attrs.fusedActivationFunction as string | undefined;
    const [output] = node.outputs;
    if (!activation || activation === 'NONE' || !SPLIT.has(node.type) || output?.dtype !== 'float32') return;
    const attrs = { ...node.attrs, fusedActivationFunction: 'NONE' };
    if (!CLAMPS.has(activation)) {
      if (!IGNORE_OTHERS.has(node.type)) return { declined: `${node.type} with ${activation}` };
      edit.replace(node, [{ ...node, attrs }]);
      return 'rewritten';
    }
    const before: Value = { ...output, id: -1, name: `${output.name}/before` };
    edit.replace(node, [
      { ...node, attrs, outputs: [before] },
      { id: node.id, type: activation, attrs: {}, inputs: [before], outputs: [output] },
    ]);
    return 'rewritten';
  },
};

/** Elements that a folded constant may have beyond what its inputs have: BROADCAST_TO and FILL stay ops. */
const GROWTH = 1 << 20;

/** Computes nodes that read constants alone: DEQUANTIZE of weights, DENSIFY, shape arithmetic. */
export const foldConstants: Pass = {
  name: 'fold-constants',
  at(node, edit) {
    const spec = ops.get(node.type);
    if (!spec?.cpu || spec.stateful || node.inputs.length === 0) return;
    if (!node.inputs.every((v) => !v || (v.data && !v.isVariable))) return;
    if (node.outputs.some((v) => edit.isOutput(v))) return { declined: 'a graph output' };
    const inputs = node.inputs as readonly (CpuTensor | undefined)[];
    const types = spec.infer(inputs, node.attrs, node.outputs);
    const known = types.map((t, i) => t && { ...node.outputs[i]!, ...t });
    const given = inputs.reduce((sum, v) => sum + (v ? sizeOf(v.shape) : 0), 0);
    if (known.some((t) => !t || sizeOf(t.shape) > given * 2 + GROWTH))
      return { declined: 'the constant would be too large' };
    let data: readonly TensorData[];
    try {
      data = spec.cpu(inputs, node.attrs, known as Value[]);
    } catch (error) {
      if (error instanceof UnsupportedError) return { declined: error.message };
      throw error;
    }
    edit.replace(node, []);
    for (const [i, v] of node.outputs.entries()) edit.redirect(v, { ...known[i]!, data: data[i]!, name: v.name });
    return 'rewritten';
  },
};

const zeros = (v: Value | undefined): boolean => constantInts(v)?.every((x) => x === 0) ?? false;
/** Nodes that give their first input back, by type, where the shapes are equal. */
const IDENTITIES: Readonly<Record<string, (node: Node) => boolean>> = {
  RESHAPE: () => true,
  SQUEEZE: () => true,
  EXPAND_DIMS: () => true,
  BROADCAST_TO: () => true,
  TILE: () => true,
  SLICE: () => true,
  PAD: ({ inputs }) => zeros(inputs[1]),
  PADV2: ({ inputs }) => zeros(inputs[1]),
  MIRROR_PAD: ({ inputs }) => zeros(inputs[1]),
  TRANSPOSE: ({ inputs }) => constantInts(inputs[1])?.every((p, i) => p === i) ?? false,
  CAST: () => true,
  CONCATENATION: ({ inputs }) => inputs.length === 1,
  STOP_GRADIENT: () => true,
};

/** Drops nodes that change nothing. */
export const dropIdentity: Pass = {
  name: 'drop-identity',
  at(node, edit) {
    const [from] = node.inputs;
    const [to] = node.outputs;
    if (!from || !to || node.tail?.length || !Object.hasOwn(IDENTITIES, node.type)) return;
    if (from.dtype !== to.dtype || !sameShape(from.shape, to.shape) || !IDENTITIES[node.type]!(node)) return;
    if (from.shape.includes(-1)) return { declined: 'its shape is known only while running' };
    if (edit.isOutput(to)) return { declined: `"${to.name}" is a graph output` };
    edit.replace(node, []);
    edit.redirect(to, from);
    return 'rewritten';
  },
};

/** Drops nodes whose results nobody reads. */
export const dropDead: Pass = {
  name: 'drop-dead',
  at(node, edit) {
    if (ops.get(node.type)?.stateful || !ops.has(node.type) || node.outputs.length === 0) return;
    if (node.outputs.some((v) => edit.isOutput(v) || edit.readers(v).size > 0)) return;
    edit.replace(node, []);
    return 'rewritten';
  },
};

const reshape = (id: number, from: Value, to: Value): Node => ({
  id,
  type: 'RESHAPE',
  attrs: { newShape: to.shape },
  inputs: [from],
  outputs: [to],
});

/** FULLY_CONNECTED on [rows, K] alone: other shapes are reshaped before and after. */
export const flattenFullyConnected: Pass = {
  name: 'flatten-fully-connected',
  at(node, edit) {
    const [x, filter] = node.inputs;
    const [output] = node.outputs;
    if (node.type !== 'FULLY_CONNECTED' || !x || !filter || !output) return;
    const k = filter.shape[1]!;
    const rows = sizeOf(x.shape) / k;
    const keeps = x.shape.at(-1) === k && sameShape(output.shape.slice(0, -1), x.shape.slice(0, -1));
    if (keeps || !Number.isInteger(rows)) return;
    const flat: Value = { ...x, id: -1, shape: [rows, k], name: `${x.name}/flat` };
    const before = x.shape.length === 2 && x.shape[1] === k ? [] : [reshape(node.id, x, flat)];
    const plain = sameShape(output.shape, [rows, filter.shape[0]!]);
    const y: Value = plain
      ? output
      : { ...output, id: -1, shape: [rows, filter.shape[0]!], name: `${output.name}/flat` };
    const inputs = [before.length ? flat : x, ...node.inputs.slice(1)];
    edit.replace(node, [
      ...before,
      { ...node, inputs, outputs: [y], attrs: { ...node.attrs, keepNumDims: false } },
      ...(plain ? [] : [reshape(node.id, y, output)]),
    ]);
    return 'rewritten';
  },
};

/** Operands of BATCH_MATMUL get the rank of its output, so that batches broadcast dimension by dimension. */
export const alignMatmulRanks: Pass = {
  name: 'align-matmul-ranks',
  at(node, edit) {
    const [output] = node.outputs;
    const rank = output?.shape.length ?? 0;
    if (node.type !== 'BATCH_MATMUL' || node.inputs.every((v) => !v || v.shape.length === rank)) return;
    const before: Node[] = [];
    const inputs = node.inputs.map((v) => {
      if (!v || v.shape.length === rank) return v;
      const shape = [...Array.from({ length: rank - v.shape.length }, () => 1), ...v.shape];
      const aligned: Value = { ...v, id: -1, shape };
      if (!v.data) before.push(reshape(node.id, v, aligned));
      return aligned;
    });
    edit.replace(node, [...before, { ...node, inputs }]);
    return 'rewritten';
  },
};

/** BATCH_MATMUL by a constant matrix is FULLY_CONNECTED with the matrix transposed. */
export const matmulToFullyConnected: Pass = {
  name: 'matmul-to-fully-connected',
  at(node, edit) {
    const [x, matrix] = node.inputs;
    const [output] = node.outputs;
    if (node.type !== 'BATCH_MATMUL' || !x || !matrix?.data || !output || x.data) return;
    if (matrix.dtype !== 'float32' || x.dtype !== 'float32')
      return { declined: `operands are ${x.dtype} and ${matrix.dtype}` };
    if (node.attrs.adjX) return { declined: 'the left operand is transposed' };
    if (sizeOf(matrix.shape.slice(0, -2)) !== 1 || x.shape.length < 2)
      return { declined: 'the constant is a batch of matrices' };
    if (output.shape.length !== x.shape.length) return { declined: 'the constant has the higher rank' };
    const [rows, cols] = matrix.shape.slice(-2) as [number, number];
    const [k, n] = node.attrs.adjY ? [cols, rows] : [rows, cols];
    const constant = matrix as CpuTensor;
    const data = node.attrs.adjY ? constant.data : gatherStrided(constant, [cols, rows], [1, cols]);
    const filter: Value = { ...matrix, id: -1, shape: [n, k], data };
    edit.replace(node, [
      {
        id: node.id,
        type: 'FULLY_CONNECTED',
        attrs: { fusedActivationFunction: 'NONE', keepNumDims: true },
        inputs: [x, filter],
        outputs: [output],
      },
    ]);
    return 'rewritten';
  },
};
