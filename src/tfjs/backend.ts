/**
 * The TensorFlow.js backend `tflite-gpu`, registered by importing this file: tfjs's own WebGL backend on the context
 * that compiled models use, so that tensors pass between the two without leaving the GPU.
 */
import { GPGPUContext, MathBackendWebGL, setWebGLContext, webgl_util } from '@tensorflow/tfjs-backend-webgl';
import { env, registerBackend } from '@tensorflow/tfjs-core';
import { ContextLostError } from '../../delegate/index.js';
import { sharedContext } from '../runtime/context.js';
import { registerKernels } from './kernels.js';

/** The backend's name for `tf.setBackend`. It has no underscore: tfjs splits the keys of its kernels there. */
export const BACKEND_NAME = 'tflite-gpu';

/** Below tfjs's own backends: it is there for who asks for it, and changes no default. */
const PRIORITY = 0;

/** tfjs's WebGL backend on the page's shared context. The context outlives it. */
export class TfliteGpuBackend extends MathBackendWebGL {
  constructor() {
    super(onContext(sharedContext()));
  }

  /** Frees programs, textures and buffers. */
  override dispose(): void {
    super.dispose();
    const { gl, vertexBuffer } = this.gpgpu;
    this.gpgpu.program = null;
    this.gpgpu.dispose();
    gl.deleteBuffer(vertexBuffer);
  }
}

registerKernels(BACKEND_NAME);
registerBackend(
  BACKEND_NAME,
  () => {
    registerKernels(BACKEND_NAME);
    return new TfliteGpuBackend();
  },
  PRIORITY,
);

/** Makes a context tfjs's own, with the state that tfjs expects. */
function onContext(gl: WebGL2RenderingContext): GPGPUContext {
  if (gl.isContextLost()) throw new ContextLostError(`setBackend('${BACKEND_NAME}')`);
  // The types of tfjs know WebGL 1 only.
  const context = gl as unknown as WebGLRenderingContext;
  setWebGLContext(2, context);
  // Asking is what sets the state: culling, scissors, no blending.
  webgl_util.isWebGLVersionEnabled(2);
  if (env().getNumber('WEBGL_VERSION') !== 2) forgetAbsence();
  return new GPGPUContext(context);
}

/** Drops what tfjs had concluded from finding no WebGL 2: it takes no software GL, and its conclusions stay. */
function forgetAbsence(): void {
  const concluded = ([name, value]: [string, unknown]) => name.includes('WEBGL') && !value;
  env().setFlags(Object.fromEntries(Object.entries(env().getFlags()).filter((flag) => !concluded(flag))));
}
