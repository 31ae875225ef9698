/** Tensors that are on the GPU, from tfjs to a model and back, without readback: both must work on one context. */
import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl';
import {
  backend,
  type DataType,
  env,
  type GPUData,
  keep,
  pad,
  reshape,
  type Tensor,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import type { LinearTexture } from '../../delegate/index.js';

/** Size of a linear texture. */
export interface LinearSize {
  readonly width: number;
  readonly height: number;
}

/** A tensor's values as a linear texture, until it is released. */
export interface TensorTexture extends LinearTexture {
  release(): void;
}

/** True where tfjs computes on this context now, in float32. Tensors of tfjs made there can stay on the GPU. */
export function sharesContext(gl: WebGL2RenderingContext): boolean {
  const { gpgpu } = backend() as Partial<MathBackendWebGL>;
  return (gpgpu?.gl as unknown) === gl && env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
}

/** True where the tensor's values are in a texture of this context. */
export function isOnGpu({ dataId }: Tensor, gl: WebGL2RenderingContext): boolean {
  if (!sharesContext(gl)) return false;
  const { texData } = backend() as MathBackendWebGL;
  return texData.has(dataId) && texData.get(dataId).texture != null;
}

/** Copies a tensor that is on the GPU into a linear texture of this size; texels beyond its values are zero. */
export function toTexture(of: Tensor, { width, height }: LinearSize): TensorTexture {
  const rest = 4 * width * height - of.size;
  let made: GPUData | undefined;
  tidy(() => {
    const whole = rest > 0 ? pad(reshape(of, [of.size]), [[0, rest]]) : of;
    made = whole.dataToGPU({ customTexShape: [height, width] });
    keep(made.tensorRef);
  });
  const { texture, tensorRef } = made!;
  return { texture: texture!, width, height, release: () => tensorRef.dispose() };
}

/** A tensor on the GPU whose values `draw` puts into a linear texture of this size. */
export function fromTexture(
  gl: WebGL2RenderingContext,
  { width, height }: LinearSize,
  draw: (target: LinearTexture) => void,
  shape: readonly number[],
  dtype: DataType,
): Tensor {
  const texture = newTexture(gl, width, height);
  try {
    draw({ texture, width, height });
    return tensor({ texture, width, height, channels: 'RGBA' }, [...shape], dtype);
  } finally {
    gl.deleteTexture(texture);
  }
}

function newTexture(gl: WebGL2RenderingContext, width: number, height: number): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
  for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, wrap, gl.CLAMP_TO_EDGE);
  gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, width, height);
  gl.bindTexture(gl.TEXTURE_2D, null);
  return texture;
}
