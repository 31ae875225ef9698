/** Pictures as inputs of a model. */
import {
  browser,
  cast,
  type DataType,
  image,
  reshape,
  round,
  type Tensor,
  type Tensor3D,
  tidy,
} from '@tensorflow/tfjs-core';
import { quoted, UnsupportedError, type Value } from '../../delegate/index.js';
import { tfjsDtype } from './tfjs-values.js';

/** Pictures that a model takes in place of a tensor; a video gives its current frame. */
export type Pixels =
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | ImageBitmap
  | OffscreenCanvas;

const KINDS = new Set([
  'ImageData',
  'HTMLImageElement',
  'HTMLCanvasElement',
  'HTMLVideoElement',
  'ImageBitmap',
  'OffscreenCanvas',
]);

/** True for pictures, of this window or of another. */
export function isPixels(x: unknown): x is Pixels {
  return KINDS.has(Object.prototype.toString.call(x).slice(8, -1));
}

/**
 * A picture as a tensor for an input [1, height, width, channels]: values 0 … 255, resized bilinearly to the input's
 * size where that is fixed.
 */
export function pixelsToTensor(pixels: Pixels, { name, shape, shapeSignature = [], dtype }: Value): Tensor {
  const [batch, height = 0, width = 0, channels = 0] = shape;
  const type = tfjsDtype(dtype);
  if (shape.length !== 4 || batch !== 1 || ![1, 3, 4].includes(channels) || !['float32', 'int32'].includes(type)) {
    throw new UnsupportedError(
      `input ${quoted(name)} is ${dtype} [${shape}]; a picture fits numbers of shape [1, height, width, 1, 3 or 4]`,
    );
  }
  const anySize = shapeSignature[1] === -1 && shapeSignature[2] === -1;
  return tidy(() => {
    const picture = browser.fromPixels(pixels as ImageData, channels);
    const same = picture.shape[0] === height && picture.shape[1] === width;
    const resized = anySize || same ? picture : resize(picture, height, width, type);
    return cast(reshape(resized, [1, ...resized.shape]), type);
  });
}

function resize(picture: Tensor3D, height: number, width: number, type: DataType): Tensor3D {
  const resized = image.resizeBilinear(picture, [height, width]);
  return type === 'int32' ? round(resized) : resized;
}
