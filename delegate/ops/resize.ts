import { ModelError } from '../errors.js';
import type { TensorType } from '../ir/graph.js';
import { constantInts, defineOp, type InferInput, type OpSpec, required, typed } from '../ir/op.js';
import { sizeOf } from '../ir/shape.js';
import { takeAlong } from './gather.js';
import { expectRank, needsFloat } from './operand.js';

/** Attributes of the resizes. Inputs: x [N, H, W, C], size [2] as height, width. */
export interface ResizeAttrs {
  /** The corner pixels of input and output are the same points. */
  readonly alignCorners: boolean;
  /** Pixels are areas with their centre at .5, not points. */
  readonly halfPixelCenters: boolean;
  /** Parts of a pixel that the distance of two output pixels is rounded to, as integer kernels do; absent from files. */
  readonly parts?: number;
}

const bilinear: OpSpec<ResizeAttrs> = {
  type: 'RESIZE_BILINEAR',
  infer: (inputs) => inferResize(required(inputs, 0), required(inputs, 1)),
  cpu(inputs, attrs, [output]) {
    const x = required(inputs, 0);
    const data = needsFloat(this.type, x);
    const [batch, inHeight, inWidth, channels] = x.shape as [number, number, number, number];
    const [, height, width] = output!.shape as [number, number, number, number];
    const rows = bilinearSamples(inHeight, height, attrs);
    const columns = bilinearSamples(inWidth, width, attrs);
    const out = new Float32Array(sizeOf(output!.shape));
    let at = 0;
    for (let n = 0; n < batch; n++) {
      for (const row of rows) {
        const low = (n * inHeight + row.low) * inWidth;
        const high = (n * inHeight + row.high) * inWidth;
        for (const column of columns) {
          const w11 = row.fraction * column.fraction;
          const w10 = row.fraction - w11;
          const w01 = column.fraction - w11;
          const w00 = 1 - row.fraction - w01;
          let i00 = (low + column.low) * channels;
          let i01 = (low + column.high) * channels;
          let i10 = (high + column.low) * channels;
          let i11 = (high + column.high) * channels;
          for (let c = 0; c < channels; c++) {
            out[at++] = data[i00++]! * w00 + data[i01++]! * w01 + data[i10++]! * w10 + data[i11++]! * w11;
          }
        }
      }
    }
    return [out];
  },
};

const nearest: OpSpec<ResizeAttrs> = {
  type: 'RESIZE_NEAREST_NEIGHBOR',
  picks: true,
  infer: (inputs) => inferResize(required(inputs, 0), required(inputs, 1)),
  cpu(inputs, attrs, [output]) {
    let x = required(inputs, 0);
    for (const axis of [1, 2]) {
      x = takeAlong(x, axis, nearestSamples(x.shape[axis]!, output!.shape[axis]!, attrs));
    }
    return [x.data];
  },
};

function inferResize(x: InferInput, size: InferInput): readonly (TensorType | undefined)[] {
  expectRank('input', x, 4);
  const [batch, inHeight, inWidth, channels] = x.shape;
  if (size.shape.length !== 1 || size.shape[0] !== 2) {
    throw new ModelError('shape', `size is of shape [${size.shape}]; accepted: [2], for height and width`);
  }
  const sizes = constantInts(size);
  if (!sizes) return [undefined];
  if (sizes.some((d) => d < 1) || inHeight === 0 || inWidth === 0) {
    throw new ModelError('shape', `[${inHeight}, ${inWidth}] to [${sizes}]; accepted: 1 or more each way`);
  }
  return [typed([batch!, sizes[0]!, sizes[1]!, channels!], x.dtype)];
}

/** Input pixels per output pixel along one dimension. */
export function resizeScale(input: number, output: number, { alignCorners, parts }: ResizeAttrs): number {
  const scale = alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output;
  return Math.fround(parts ? Math.round(scale * parts) / parts : scale);
}

/** The input position of the first output pixel, before it is put inside the input. */
export function resizeOffset(scale: number, { halfPixelCenters, parts }: ResizeAttrs): number {
  const half = parts ? Math.floor((scale * parts) / 2) / parts : scale / 2;
  return halfPixelCenters ? half - 0.5 : 0;
}

/** For every output position: the two input positions that it lies between, and how far it is towards the second. */
function bilinearSamples(
  input: number,
  output: number,
  attrs: ResizeAttrs,
): { low: number; high: number; fraction: number }[] {
  const scale = resizeScale(input, output, attrs);
  const offset = resizeOffset(scale, attrs);
  return Array.from({ length: output }, (_, i) => {
    const x = i * scale + offset;
    const low = Math.max(Math.floor(x), 0);
    return { low, high: Math.min(Math.floor(x) + 1, input - 1), fraction: x - low };
  });
}

/** For every output position the input position that it copies, computed in float32 as TFLite does. */
function nearestSamples(input: number, output: number, attrs: ResizeAttrs): number[] {
  const scale = resizeScale(input, output, attrs);
  return Array.from({ length: output }, (_, i) => {
    const x = Math.fround((i + (attrs.halfPixelCenters ? 0.5 : 0)) * scale);
    return Math.min(Math.floor(attrs.alignCorners ? x + 0.5 : x), input - 1);
  });
}

/** RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR, with every combination of their flags. */
export const resizeOps: readonly OpSpec[] = [defineOp(bilinear), defineOp(nearest)];
