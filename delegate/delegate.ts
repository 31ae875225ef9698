import { debug } from './debug.js';
import { DeviceError, UnsupportedError } from './errors.js';
import type { CompileOptions, DeviceStats, Executable, GpuDelegate } from './executable.js';
import { type Graph, isQuantized, type Node, readsOf, valuesOf } from './ir/graph.js';
import { forms } from './kernels/index.js';
import { layoutProblem } from './layout/layout.js';
import {
  type GpuOptions,
  normalizeOptions,
  TfLiteGlObjectType,
  TfLiteGpuExperimentalFlags,
  TfLiteGpuInferencePreference,
} from './options.js';
import { fuse } from './passes/fuse.js';
import { makePlan, type Plan } from './plan/plan.js';
import { multiplyAddsOf } from './plan/work.js';
import type { PlanStore } from './serialization/index.js';
import type { Choice, Target } from './shader/target.js';
import { finish, inSlices, type Pieces, pause, task } from './task.js';
import type { Bench, Tuner } from './tuning/index.js';
import { type Capabilities, Device } from './webgl/device.js';
import { Executor } from './webgl/executor.js';
import { ProgramCache } from './webgl/program.js';

/** What delegates of one context share: programs and counters, whatever their options. */
interface Shared {
  readonly device: Device;
  readonly programs: ProgramCache;
  forced: Partial<Target>;
}

const sharedByContext = new WeakMap<WebGL2RenderingContext, Shared>();

/** A delegate that compiles for one context. Throws DeviceError where the context renders to no float texture. */
export function createGpuDelegate(gl: WebGL2RenderingContext, options: GpuOptions = normalizeOptions()): GpuDelegate {
  return new Delegate(sharedBy(gl), options);
}

/**
 * For tests: what delegates made on this context from now on compile for, whatever its device and their options say.
 * This is how every variant of a kernel is had on every device.
 */
export function forceTarget(gl: WebGL2RenderingContext, forced: Partial<Target>): void {
  sharedBy(gl).forced = forced;
}

function sharedBy(gl: WebGL2RenderingContext): Shared {
  const known = sharedByContext.get(gl);
  if (known) return known;
  const device = new Device(gl);
  const made = { device, programs: new ProgramCache(device), forced: {} };
  sharedByContext.set(gl, made);
  // What a lost context made is gone: the restored one starts with a new device.
  const lose = () => {
    sharedByContext.delete(gl);
    device.fences.lose();
  };
  gl.canvas.addEventListener('webglcontextlost', lose, { once: true });
  return made;
}

/** A tenth of a second or so of a slow phone. */
const LARGEST_DRAW = 2e9;

/**
 * Multiply-adds below which a fragment writes 4 targets though 8 are to be had. Software GLs take up to 1.6 times as long to
 * compile 8, and what they save in fetches is little where layers are small: 0 to 8 % of a run.
 */
const SMALL_MODEL = 220e6;

/** Programs that do for other sizes too. */
function forOtherSizes(target: Target): Target {
  return target.literals === 'common' ? { ...target, literals: 'none' } : target;
}

/** Whether all tensors of a graph can be had with so many targets. */
function fits(graph: Graph, { targets, maxTextureSize }: Pick<Target, 'targets' | 'maxTextureSize'>): boolean {
  return [...valuesOf(graph)].every((value) => value.data || !layoutProblem(value.shape, targets, maxTextureSize));
}

/** What to compile for on a device with these options. */
function targetOf(
  { fetch, maxTextureSize, targets, varyings, narrowest, halfWeights, float32Targets }: Capabilities,
  { precision, preferredGlObjectType, inlineParameters }: GpuOptions,
): Target {
  return {
    fetch,
    maxTextureSize,
    largestDraw: LARGEST_DRAW,
    targets,
    varyings,
    narrowest,
    precision: float32Targets ? precision : 'float16',
    uniformWeights: preferredGlObjectType === TfLiteGlObjectType.BUFFER,
    halfWeights,
    winograd: 'cheaper',
    literals: inlineParameters ? 'all' : 'common',
  };
}

class Delegate implements GpuDelegate {
  readonly gl: WebGL2RenderingContext;
  readonly #device: Device;
  readonly #programs: ProgramCache;
  readonly #options: GpuOptions;
  #loadedTuner: Promise<Tuner> | undefined;
  #loadedStore: Promise<PlanStore> | undefined;
  readonly #target: Target;
  readonly #forced: Partial<Target>;

  constructor({ device, programs, forced }: Shared, options: GpuOptions) {
    this.gl = device.gl;
    this.#device = device;
    this.#programs = programs;
    this.#options = options;
    this.#forced = forced;
    this.#target = { ...targetOf(device.capabilities, options), ...forced };
  }

  declines(node: Node): string | undefined {
    const form = forms.get(node.type);
    if (!form) return `the GPU has no ${node.type} yet`;
    const accepted = ['float32', ...(form.dtypes ?? [])];
    for (const value of [...node.inputs, ...node.outputs]) {
      if (!value || (value.data && !accepted.includes(value.dtype) && isParameter(node, value))) continue;
      if (!accepted.includes(value.dtype))
        return `"${value.name.slice(0, 64)}" is ${value.dtype}; the GPU takes ${accepted.join(', ')}`;
      const { targets, maxTextureSize } = this.#target;
      const problem = value.data ? undefined : layoutProblem(value.shape, targets, maxTextureSize);
      if (problem) return problem;
    }
    return form.isMadeByPasses ? 'it is a custom op' : form.declines?.(node);
  }

  async compile(graph: Graph, { onProgress, signal, shapesVary }: CompileOptions = {}): Promise<Executable> {
    await task();
    const store = await this.#store();
    const target = this.#targetOf(graph, shapesVary);
    const key = store && (await inSlices(store.keyOf(graph, target), undefined, signal));
    const kept = key === undefined ? undefined : await store!.get(key, target);
    if (kept) return inSlices(this.#linked(kept), onProgress, signal);
    const fused = this.#fuse(graph);
    const tuning = await (await this.#tuner())?.tuningOf(fused);
    const executor = await inSlices(this.#link(fused, target, tuning?.choiceOf), onProgress, signal);
    if (tuning) this.#afterwards(executor, 'tuning', (life) => tuning.start(life));
    if (key !== undefined)
      this.#afterwards(executor, 'serialization', (life) => inSlices(store!.put(key, executor.plan), undefined, life));
    return executor;
  }

  /** Work that waits for the first answer. Where the device gives out or its context is lost, the next load goes on. */
  #afterwards(executor: Executor, what: string, work: (life: AbortSignal) => Promise<void>): void {
    executor.afterFirstAnswer((life) => {
      work(life).catch((error: unknown) => {
        if (!life.aborted && !(error instanceof DeviceError)) throw error;
        debug(1, () => `${what} ended: ${error}`);
      });
    });
  }

  compileSync(graph: Graph, shapesVary?: boolean): Executable {
    return finish(this.#link(this.#fuse(graph), this.#targetOf(graph, shapesVary), undefined, true));
  }

  /** Sums rounded to halves fall to other steps: what is quantised is computed in float32, whatever the options allow. */
  #targetOf(graph: Graph, shapesVary?: boolean): Target {
    const needsFloats = [...valuesOf(graph)].some((value) => !value.data && isQuantized(value));
    const canFloats = this.#device.capabilities.float32Targets;
    const bySize = { ...this.#target, ...this.#forLoading(graph), ...this.#forced };
    const target = shapesVary ? forOtherSizes(bySize) : bySize;
    return needsFloats && canFloats ? { ...target, precision: 'float32' } : target;
  }

  /** What is other for a graph so small that it costs more to compile than it saves. */
  #forLoading(graph: Graph): Partial<Target> {
    if (this.#options.inferencePreference !== TfLiteGpuInferencePreference.FAST_SINGLE_ANSWER) return {};
    const work = multiplyAddsOf(graph);
    const isSmall = this.#target.targets === 8 && work < SMALL_MODEL && fits(graph, { ...this.#target, targets: 4 });
    const { filteringFrom, varyingsFrom } = this.#device.capabilities;
    return {
      ...(isSmall && { targets: 4 }),
      ...(work < filteringFrom && { winograd: 'never' }),
      ...(work < varyingsFrom && { varyings: 0 }),
    };
  }

  #fuse(graph: Graph): Graph {
    for (const node of graph.nodes) {
      const reason = this.declines(node);
      if (reason) throw new UnsupportedError(`${node.type} #${node.id}: ${reason}`);
    }
    return fuse(graph);
  }

  /** Plans and links, in pieces; what is thrown in leaves nothing behind. */
  *#link(graph: Graph, target: Target, choiceOf?: (node: Node) => Choice, blocking = false): Pieces<Executor> {
    yield;
    return yield* this.#linked(yield* makePlan(graph, target, choiceOf), blocking);
  }

  *#linked(plan: Plan, blocking = false): Pieces<Executor> {
    const executor = new Executor(this.#device, this.#programs, plan);
    yield* executor.link(blocking);
    return executor;
  }

  /** Where plans are kept, loaded at the first; `undefined` where the options want none. What is tuned is not kept. */
  #store(): Promise<PlanStore> | undefined {
    const { experimentalFlags, inferencePreference, serializationDir, modelToken } = this.#options;
    const wanted = experimentalFlags & TfLiteGpuExperimentalFlags.ENABLE_SERIALIZATION;
    if (!wanted || inferencePreference !== TfLiteGpuInferencePreference.FAST_SINGLE_ANSWER) return undefined;
    this.#loadedStore ??= import('./serialization/index.js').then(
      (module) => new module.PlanStore(serializationDir ?? '', modelToken ?? '', this.#device.capabilities.renderer),
    );
    return this.#loadedStore;
  }

  /** The tuner of the models that this delegate compiles, loaded at the first; `undefined` where the options want none. */
  #tuner(): Promise<Tuner> | undefined {
    const { inferencePreference, preferredGlObjectType } = this.#options;
    if (inferencePreference === TfLiteGpuInferencePreference.FAST_SINGLE_ANSWER) return undefined;
    const extent = inferencePreference === TfLiteGpuInferencePreference.SUSTAINED_SPEED ? 'all' : 'heaviest';
    const choices: Choice[] = [{ winograd: 'always' }, { winograd: 'never' }];
    if (preferredGlObjectType === TfLiteGlObjectType.FASTEST) choices.push({ winograd: 'never', uniformWeights: true });
    this.#loadedTuner ??= import('./tuning/index.js').then(
      ({ Tuner, openStore }) =>
        new Tuner(this.#bench(), openStore(this.#device.capabilities.renderer), choices, extent),
    );
    return this.#loadedTuner;
  }

  #bench(): Bench {
    return {
      plan: (node, choice) => {
        const inputs = [...new Set(readsOf(node).filter((value) => !value.data))];
        const alone: Graph = { name: node.type, nodes: [node], inputs, outputs: node.outputs };
        return finish(makePlan(alone, forOtherSizes(this.#target), () => choice));
      },
      compile: async (plan) => {
        const executor = new Executor(this.#device, this.#programs, plan);
        await inSlices(executor.link());
        const time = async (runs: number) => {
          const start = performance.now();
          for (let run = 0; run < runs; run++) executor.run([]);
          await this.#device.fences.set('tuning');
          return performance.now() - start;
        };
        return { time, dispose: () => executor.dispose() };
      },
      pause: () => pause(1),
    };
  }

  stats(): DeviceStats {
    return this.#device.stats();
  }
}

/** Constants that kernels read at compile time (axes, shapes, paddings) may have any integer type. */
function isParameter(node: Node, value: { readonly dtype: string }): boolean {
  return node.inputs.length > 1 && /^u?int/.test(value.dtype);
}
