import { UnsupportedError } from './errors.js';
import type { DeviceStats, Executable, GpuDelegate } from './executable.js';
import type { Graph, Node } from './ir/graph.js';
import { forms } from './kernels/index.js';
import { layoutProblem } from './layout/layout.js';
import { type GpuOptions, normalizeOptions, TfLiteGlObjectType } from './options.js';
import { fuse } from './passes/index.js';
import { makePlan, type PlanTarget } from './plan/plan.js';
import { finish, type Pieces, pause, task } from './task.js';
import { Device } from './webgl/device.js';
import { Executor } from './webgl/executor.js';
import { ProgramCache } from './webgl/program.js';

/** Work done at a stretch, in milliseconds, before the page may do something else. */
const SLICE = 8;

/** Devices by context: delegates with different options share programs and counters. */
const devices = new WeakMap<WebGL2RenderingContext, { device: Device; programs: ProgramCache }>();

/** A delegate that compiles for one context. Throws DeviceError where the context renders to no float texture. */
export function createGpuDelegate(gl: WebGL2RenderingContext, options: GpuOptions = normalizeOptions()): GpuDelegate {
  let shared = devices.get(gl);
  if (!shared) {
    const device = new Device(gl);
    shared = { device, programs: new ProgramCache(device) };
    devices.set(gl, shared);
    // What a lost context made is gone: the restored one starts with a new device.
    gl.canvas.addEventListener('webglcontextlost', () => devices.delete(gl), { once: true });
  }
  return new Delegate(shared.device, shared.programs, options);
}

class Delegate implements GpuDelegate {
  readonly gl: WebGL2RenderingContext;
  readonly #device: Device;
  readonly #programs: ProgramCache;
  readonly #target: PlanTarget;

  constructor(device: Device, programs: ProgramCache, options: GpuOptions) {
    this.gl = device.gl;
    this.#device = device;
    this.#programs = programs;
    const { fetch, maxTextureSize, targets, varyings, narrowest, float32Targets } = device.capabilities;
    this.#target = {
      fetch,
      maxTextureSize,
      targets,
      varyings,
      narrowest,
      precision: float32Targets ? options.precision : 'float16',
      uniformWeights: options.preferredGlObjectType === TfLiteGlObjectType.BUFFER,
      inlineParameters: options.inlineParameters,
    };
  }

  declines(node: Node): string | undefined {
    const form = forms.get(node.type);
    if (!form) return `the GPU has no ${node.type} yet`;
    const accepted = ['float32', ...(form.dtypes ?? [])];
    for (const value of [...node.inputs, ...node.outputs]) {
      if (!value || (value.data && !accepted.includes(value.dtype) && isParameter(node, value))) continue;
      if (!accepted.includes(value.dtype))
        return `"${value.name.slice(0, 64)}" is ${value.dtype}; the GPU takes ${accepted.join(', ')}`;
      const problem = value.data ? undefined : layoutProblem(value.shape, this.#device.capabilities.maxTextureSize);
      if (problem) return problem;
    }
    return form.declines?.(node);
  }

  async compile(graph: Graph, onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<Executable> {
    await task();
    const steps = this.#compile(graph);
    let done = 0;
    let since = performance.now();
    for (;;) {
      const step = signal?.aborted ? steps.throw(signal.reason) : steps.next();
      if (step.done) {
        onProgress?.(1);
        return step.value;
      }
      if (step.value !== 'wait') onProgress?.(1 - 1 / (1 + ++done / 256));
      if (step.value !== 'wait' && performance.now() - since < SLICE) continue;
      await (step.value === 'wait' ? pause(1) : task());
      since = performance.now();
    }
  }

  compileSync(graph: Graph): Executable {
    return finish(this.#compile(graph, true));
  }

  /** All of compiling, in pieces; yields `'wait'` while the driver is at work. What is thrown in leaves nothing behind. */
  *#compile(graph: Graph, blocking = false): Pieces<Executor> {
    for (const node of graph.nodes) {
      const reason = this.declines(node);
      if (reason) throw new UnsupportedError(`${node.type} #${node.id}: ${reason}`);
    }
    const fused = fuse(graph);
    yield;
    const plan = yield* makePlan(fused, this.#target);
    const executor = new Executor(this.#device, this.#programs, plan);
    yield* executor.link(blocking);
    return executor;
  }

  stats(): DeviceStats {
    return this.#device.stats();
  }
}

/** Constants that kernels read at compile time (axes, shapes, paddings) may have any integer type. */
function isParameter(node: Node, value: { readonly dtype: string }): boolean {
  return node.inputs.length > 1 && /^u?int/.test(value.dtype);
}
