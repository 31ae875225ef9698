import type { Node, Value } from '../ir/graph.js';
import type { Padding } from '../ir/vocabulary.js';
import {
  decodeTransposeConvBias,
  type TransposeConvAttrs,
  type TransposeConvBiasAttrs,
  transposeConvBefore,
} from '../ops/transpose-conv.js';
import type { Pass } from './pass.js';

/** Taps of the convolution, zeros included, for each of the transposed one: not the 16 for 9 of a 3×3 filter of stride 2. */
const MOST_WASTE = 1.5;

/**
 * A transposed convolution of stride s makes s × s kinds of pixels, and each kind is a convolution of the input by some of
 * the taps. Together they are one convolution of s² times the channels, which are then spread to pixels: a block of outputs
 * of one kind shares every weight, where a block of neighbours has few taps in common (2.5 times the multiply-adds a fetch).
 */
export const convolveTransposed: Pass = {
  name: 'convolve-transposed',
  at(node, edit) {
    const operands = operandsOf(node);
    if (!operands || node.tail?.length) return;
    const { x, filter, bias, attrs } = operands;
    const output = node.outputs[0]!;
    const [n, h, w, outC] = output.shape as [number, number, number, number];
    const [, kh, kw, inC] = filter.shape as [number, number, number, number];
    const { strideH, strideW, padding } = attrs;
    if (!filter.data || (bias && !bias.data)) return { declined: 'its filter or bias is not constant' };
    if (strideH !== strideW) return { declined: `its strides are ${strideH} and ${strideW}` };
    if (outC % 4 !== 0) return { declined: `its ${outC} channels would be spread one by one` };
    if (h % strideH !== 0 || w % strideW !== 0) return { declined: `its output is ${h}x${w}, its stride ${strideH}` };
    const size = strideH;
    const rows = reachOf(x.shape[1]!, kh, size, h, padding);
    const columns = reachOf(x.shape[2]!, kw, size, w, padding);
    if (Math.min(rows.before, rows.after, columns.before, columns.after) < 0)
      return { declined: 'it leaves out some of its input' };
    const taps = size * size * rows.taps * columns.taps;
    if (taps > MOST_WASTE * kh * kw) return { declined: `it would have ${taps} taps for ${kh * kw}` };
    const data = new Float32Array(outC * taps * inC);
    let to = 0;
    for (let ry = 0; ry < size; ry++)
      for (let rx = 0; rx < size; rx++)
        for (let o = 0; o < outC; o++)
          for (let ty = 0; ty < rows.taps; ty++)
            for (let tx = 0; tx < columns.taps; tx++, to += inC) {
              const [fy, fx] = [rows.tapOf(ry, ty), columns.tapOf(rx, tx)];
              if (fy < 0 || fy >= kh || fx < 0 || fx >= kw) continue;
              const from = ((o * kh + fy) * kw + fx) * inC;
              for (let i = 0; i < inC; i++) data[to + i] = filter.data[from + i] as number;
            }
    const kinds = size * size;
    const weights: Value = { ...filter, id: -1, shape: [kinds * outC, rows.taps, columns.taps, inC], data };
    const biases: Value | undefined = bias && {
      ...bias,
      id: -1,
      shape: [kinds * outC],
      data: Float32Array.from({ length: kinds * outC }, (_, i) => bias.data![i % outC] as number),
    };
    const pads = [rows.before, rows.after, columns.before, columns.after];
    const window = { padding: 'VALID', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
    const convolution: Node = {
      ...node,
      type: 'CONV_2D',
      attrs: { ...window, ...(pads.some((pad) => pad > 0) && { pads }) },
      inputs: [x, weights, biases],
      outputs: size === 1 ? [output] : [{ ...output, id: -1, shape: [n, h / size, w / size, kinds * outC] }],
    };
    const spread: Node = {
      ...node,
      type: 'DEPTH_TO_SPACE',
      attrs: { blockSize: size },
      inputs: convolution.outputs,
      outputs: [output],
    };
    edit.replace(node, size === 1 ? [convolution] : [convolution, spread]);
    return 'rewritten';
  },
};

interface Operands {
  readonly x: Value;
  readonly filter: Value;
  readonly bias: Value | undefined;
  readonly attrs: TransposeConvAttrs;
}

function operandsOf({ type, inputs, attrs }: Node): Operands | undefined {
  if (type === 'TRANSPOSE_CONV')
    return { x: inputs[2]!, filter: inputs[1]!, bias: inputs[3], attrs: attrs as unknown as TransposeConvAttrs };
  if (type !== 'Convolution2DTransposeBias') return undefined;
  const decoded = decodeTransposeConvBias(attrs as unknown as TransposeConvBiasAttrs);
  return { x: inputs[0]!, filter: inputs[1]!, bias: inputs[2], attrs: decoded };
}

/**
 * The input pixels that output pixels s · Y + r of an axis read: Y + j takes tap r + before − s · j. All kinds of pixels
 * take j from the least to the greatest of any.
 */
function reachOf(input: number, filter: number, stride: number, output: number, padding: Padding) {
  const before = transposeConvBefore(input, filter, stride, output, padding);
  const least = Math.ceil((before - filter + 1) / stride);
  const greatest = Math.floor((stride - 1 + before) / stride);
  return {
    taps: greatest - least + 1,
    before: -least,
    after: output / stride - input + greatest,
    tapOf: (kind: number, tap: number) => kind + before - stride * (tap + least),
  };
}
