/** A pixel spread over an image is convolved before it is spread: the image-level branch of DeepLab's pyramid pooling. */
import type { Node, Value } from '../ir/graph.js';
import { normalizeAxis, sizeOf } from '../ir/shape.js';
import type { Editor } from './editor.js';
import type { Pass } from './pass.js';

/** Ops that repeat an image of one pixel when their output has more; interpolation between equal values changes none. */
const SPREADING = new Set(['RESIZE_BILINEAR', 'RESIZE_NEAREST_NEIGHBOR', 'BROADCAST_TO', 'TILE']);

/**
 * A pointwise convolution of a concatenation is the sum of the convolutions of its parts. Where a part is one pixel, spread,
 * its convolution is of that pixel, and is added to all of the other parts': DeepLab v3's heaviest layer is half the work.
 */
export const convolveBeforeSpreading: Pass = {
  name: 'convolve-before-spreading',
  at(node, edit) {
    const [x, filter, bias] = node.inputs;
    const concatenation = node.type === 'CONV_2D' && x ? edit.producer(x) : undefined;
    if (concatenation?.type !== 'CONCATENATION' || concatenation.tail?.length || node.tail?.length) return;
    const parts = concatenation.inputs.filter((v) => v !== undefined);
    const pixels = parts.map((part) => pixelOf(edit, part));
    if (!pixels.some(Boolean) || normalizeAxis(Number(concatenation.attrs.axis), 4) !== 3) return;
    const [, kh, kw, inC] = filter!.shape as [number, number, number, number];
    if (kh * kw !== 1 || node.attrs.pads || inC !== x!.shape[3]) return { declined: 'it is not pointwise' };
    if (!filter!.data || filter!.dtype !== 'float32') return { declined: 'its filter is not constant, or not float32' };
    if (pixels.every(Boolean)) return { declined: 'all of its input is one pixel' };
    if (!edit.readOnlyBy(x!, node)) return { declined: `"${x!.name}" is read elsewhere` };
    const output = node.outputs[0]!;
    const [n, , , outC] = output.shape as [number, number, number, number];
    /** The nodes that convolve some of the parts; the last one's output has this shape. */
    const convolution = (chosen: readonly boolean[], images: readonly Value[], shape: number[], b?: Value): Node[] => {
      const channels = parts.flatMap((part, i) => Array<boolean>(part.shape[3]!).fill(chosen[i]!));
      const used = images.filter((_, i) => chosen[i]);
      const depth = used.reduce((sum, v) => sum + v.shape[3]!, 0);
      const joined: Value = { ...x!, id: -1, shape: [...used[0]!.shape.slice(0, 3), depth] };
      const join = used.length > 1 ? [{ ...concatenation, inputs: used, outputs: [joined] }] : [];
      const weights: Value = {
        ...filter!,
        id: -1,
        shape: [outC, 1, 1, depth],
        data: (filter!.data as Float32Array).filter((_, i) => channels[i % inC]),
      };
      const sum: Value = { ...output, id: -1, shape };
      return [...join, { ...node, inputs: [join.length ? joined : used[0], weights, b], outputs: [sum] }];
    };
    const spread = pixels.map(Boolean);
    const ofPixels = convolution(spread, pixels as Value[], [n, 1, 1, outC], bias);
    const ofRest = convolution(
      spread.map((is) => !is),
      parts,
      [...output.shape],
    );
    const sums = [ofRest, ofPixels].map((nodes) => nodes.at(-1)!.outputs[0]!);
    edit.replace(node, [...ofPixels, ...ofRest, { ...node, type: 'ADD', attrs: {}, inputs: sums }]);
    edit.replace(concatenation, []);
    for (const part of new Set(parts.filter((_, i) => spread[i])))
      if (edit.readers(part).size === 0 && !edit.isOutput(part)) edit.replace(edit.producer(part)!, []);
    return 'rewritten';
  },
};

/** The image of one pixel that is repeated to make this one. */
function pixelOf(edit: Editor, image: Value): Value | undefined {
  const producer = edit.producer(image);
  const pixel = producer?.inputs[0];
  if (!pixel || pixel.data || !SPREADING.has(producer.type) || producer.tail?.length) return undefined;
  const [n, h, w, c] = pixel.shape;
  const isPixel = pixel.shape.length === 4 && h === 1 && w === 1 && n === image.shape[0] && c === image.shape[3];
  return isPixel && sizeOf(image.shape) > sizeOf(pixel.shape) ? pixel : undefined;
}
