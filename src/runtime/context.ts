/**
 * WebGL2 contexts. Browsers keep few of them alive, so all models and the tfjs backend of a page share one; a load
 * option may name another.
 */
import { DeviceError, type GpuDelegate, type GpuOptions } from '../../delegate/index.js';
import type { Device } from './session.js';

/** Where a context may come from: one that exists, a canvas to take it from, or (neither) the page's shared one. */
export interface ContextOptions {
  readonly gl?: WebGL2RenderingContext;
  readonly canvas?: HTMLCanvasElement | OffscreenCanvas;
}

const ATTRIBUTES: WebGLContextAttributes = {
  alpha: false,
  antialias: false,
  premultipliedAlpha: false,
  preserveDrawingBuffer: false,
  depth: false,
  stencil: false,
  failIfMajorPerformanceCaveat: false,
  powerPreference: 'high-performance',
};

let shared: WebGL2RenderingContext | undefined;
const delegates = new WeakMap<WebGL2RenderingContext, Map<string, GpuDelegate>>();
const losses = new WeakMap<WebGL2RenderingContext, number>();
const users = new WeakMap<WebGL2RenderingContext, number>();

let compiler: typeof import('../../delegate/delegate.js') | undefined;

/** Loads what compiles for the GPU, which no page needs before it has a model. Throws DeviceError where that fails. */
export async function loadCompiler(): Promise<void> {
  try {
    compiler ??= await import('../../delegate/delegate.js');
  } catch (error) {
    throw new DeviceError(
      `the GPU part of the package did not load: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** The page's one WebGL2 context, made at the first call. Throws DeviceError where there is no WebGL2. */
export function sharedContext(): WebGL2RenderingContext {
  shared ??= contextOf(newCanvas());
  return shared;
}

/** The context that the options name. Throws DeviceError where there is no WebGL2. */
export function contextFor({ gl, canvas }: ContextOptions): WebGL2RenderingContext {
  return gl ?? (canvas ? contextOf(canvas) : sharedContext());
}

/** The delegate of a context for these options, once the compiler is loaded; models with the same options share one, and with it their programs. */
export function getDelegate(gl: WebGL2RenderingContext, options: GpuOptions): GpuDelegate {
  const { metadata: _metadata, maxDelegatedPartitions: _limit, dynamicBatchEnabled: _batch, ...compiled } = options;
  const key = JSON.stringify(compiled);
  const known = delegates.get(gl) ?? watch(gl);
  const delegate = known.get(key) ?? compiler!.createGpuDelegate(gl, options);
  known.set(key, delegate);
  return delegate;
}

/** Counts a model that lives on this context; call the result once when it is disposed. */
export function countUser(gl: WebGL2RenderingContext): () => void {
  users.set(gl, liveUsers(gl) + 1);
  return () => users.set(gl, liveUsers(gl) - 1);
}

/** Models that live on this context. */
export function liveUsers(gl: WebGL2RenderingContext): number {
  return users.get(gl) ?? 0;
}

/** A context as sessions see it. */
export function deviceOf(gl: WebGL2RenderingContext, options: GpuOptions): Device {
  return {
    delegate: () => getDelegate(gl, options),
    isLost: () => gl.isContextLost(),
    losses: () => losses.get(gl) ?? 0,
  };
}

/** Asks for the context back when it is lost, and forgets the delegates, whose GL objects died with it. */
function watch(gl: WebGL2RenderingContext): Map<string, GpuDelegate> {
  const known = new Map<string, GpuDelegate>();
  delegates.set(gl, known);
  gl.canvas.addEventListener('webglcontextlost', (event) => {
    event.preventDefault();
    losses.set(gl, (losses.get(gl) ?? 0) + 1);
    known.clear();
  });
  return known;
}

function newCanvas(): HTMLCanvasElement | OffscreenCanvas {
  if (typeof document !== 'undefined') return document.createElement('canvas');
  if (typeof OffscreenCanvas !== 'undefined') return new OffscreenCanvas(1, 1);
  throw new DeviceError('WebGL2: there is neither a document nor OffscreenCanvas');
}

function contextOf(canvas: HTMLCanvasElement | OffscreenCanvas): WebGL2RenderingContext {
  const gl = canvas.getContext('webgl2', ATTRIBUTES) as WebGL2RenderingContext | null;
  if (!gl) throw new DeviceError('WebGL2: the browser gave no context; it is off, or the canvas has another kind');
  return gl;
}
