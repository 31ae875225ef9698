import {
  canonicalize,
  DeviceError,
  type GpuOptions,
  normalizeOptions,
  ops,
  type TfLiteGpuDelegateOptions,
} from '../../delegate/index.js';
import type { Limits } from '../format/limits.js';
import { type ContextOptions, contextFor, countUser, deviceOf, liveUsers, loadCompiler } from './context.js';
import { cpuRunner } from './cpu-runner.js';
import { type CustomOps, customSpecs } from './custom-ops.js';
import type { Progress } from './progress.js';
import type { SessionContext } from './session.js';

/** How to load a model. */
export interface LoadOptions extends ContextOptions {
  /** `cpu`: nothing runs on the GPU. Default `gpu`. */
  readonly delegate?: 'gpu' | 'cpu';
  readonly gpu?: TfLiteGpuDelegateOptions;
  /**
   * What happens with ops that the GPU cannot take. `op` (default): they run on the CPU; `model`: then the whole model
   * does; `error`: loading fails.
   */
  readonly fallback?: 'op' | 'model' | 'error';
  /** Ops that the model names and this package lacks. */
  readonly customOps?: CustomOps;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  /** `sha256-…` of the file, as in HTML. */
  readonly integrity?: string;
  readonly limits?: Partial<Limits>;
  readonly onContextLost?: () => void;
  /** Default: `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

/** What a loaded model runs with. */
export interface Environment {
  readonly session: SessionContext;
  readonly gpu: GpuOptions;
  /** The context, where the GPU is used. */
  readonly gl?: WebGL2RenderingContext;
  /** Models that live on the context, this one included. */
  models(): number;
  /** Lets go of the context; once, when the model is disposed. */
  release(): void;
}

/** Finds the GPU and checks the options. Where there is no WebGL2 warns, or throws DeviceError with fallback `error`. */
export async function environmentOf(options: LoadOptions): Promise<Environment> {
  const delegate = choice('delegate', options.delegate ?? 'gpu', ['gpu', 'cpu']);
  const fallback = choice('fallback', options.fallback ?? 'op', ['op', 'model', 'error']);
  const gpu = normalizeOptions(options.gpu);
  const known = options.customOps ? new Map([...ops, ...customSpecs(options.customOps)]) : ops;
  const session: SessionContext = {
    ops: known,
    canonicalize,
    runner: cpuRunner(known),
    fallback,
    maxPartitions: gpu.maxDelegatedPartitions,
    experimentalFlags: gpu.experimentalFlags,
    dynamicBatch: gpu.dynamicBatchEnabled,
  };
  const onCpu = (whyNoGpu: string): Environment => ({
    session: { ...session, whyNoGpu },
    gpu,
    models: () => 0,
    release: () => undefined,
  });
  if (delegate === 'cpu') return onCpu("delegate is 'cpu'");
  try {
    await loadCompiler();
    const gl = contextFor(options);
    const device = deviceOf(gl, gpu);
    device.delegate();
    const stopCounting = countUser(gl);
    const stopListening = listen(gl, options.onContextLost);
    const release = () => {
      stopCounting();
      stopListening();
    };
    return { session: { ...session, device }, gpu, gl, models: () => liveUsers(gl), release };
  } catch (error) {
    if (!(error instanceof DeviceError) || fallback === 'error') throw error;
    const warn = options.onWarning ?? ((message: string) => console.warn(message));
    warn(`tflite-gpu: ${error.message}; the model runs on the CPU`);
    return onCpu(error.message);
  }
}

function listen(gl: WebGL2RenderingContext, onContextLost: (() => void) | undefined): () => void {
  if (!onContextLost) return () => undefined;
  const listener = () => onContextLost();
  gl.canvas.addEventListener('webglcontextlost', listener);
  return () => gl.canvas.removeEventListener('webglcontextlost', listener);
}

function choice<T extends string>(name: string, value: T, accepted: readonly T[]): T {
  if (accepted.includes(value)) return value;
  throw new TypeError(`load option ${name}: ${String(value).slice(0, 64)}; accepted: ${accepted.join(', ')}`);
}
