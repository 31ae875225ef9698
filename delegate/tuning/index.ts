// Loaded when options ask for tuning: see `tuningOf`.
import { debug } from '../debug.js';
import { DeviceError } from '../errors.js';
import type { Graph, Node } from '../ir/graph.js';
import { makePlan } from '../plan/plan.js';
import type { Choice, Target } from '../shader/target.js';
import type { Device } from '../webgl/device.js';
import { Executor } from '../webgl/executor.js';
import { fence, pause, task } from '../webgl/fence.js';
import { linkInSlices } from '../webgl/link.js';
import type { ProgramCache } from '../webgl/program.js';
import { openStore } from './store.js';
import { type Bench, chosen, type Extent, type Store, tune } from './tuner.js';

/** Where and for what to tune. */
export interface TuningContext {
  readonly device: Device;
  readonly programs: ProgramCache;
  readonly target: Target;
  /** What may be chosen for a node instead of nothing. */
  readonly choices: readonly Choice[];
  readonly extent: Extent;
}

/** What earlier tuning chose for the nodes of one graph, and the tuning of the rest. */
export interface Tuning {
  readonly choiceOf: (node: Node) => Choice;
  /** Times what is left in the background, for the next compilation, until done or aborted. */
  start(signal: AbortSignal): void;
}

const stores = new WeakMap<Device, Store>();
/** One graph is tuned at a time: two would time each other. */
const turns = new WeakMap<Device, Promise<void>>();

/** Looks up what was chosen for a graph on this device. */
export async function tuningOf(graph: Graph, context: TuningContext): Promise<Tuning> {
  const { device, target, choices, extent } = context;
  const store = stores.get(device) ?? openStore(device.capabilities.renderer);
  stores.set(device, store);
  const { choiceOf, untuned } = await chosen(graph, target, choices, extent, { store, pause: task });
  const work = async (signal: AbortSignal) => {
    await turns.get(device);
    await tune(untuned, benchOf(context), store, signal).catch((error: unknown) => {
      // The device gave out, or was lost: the model stays as it is.
      if (!(error instanceof DeviceError)) throw error;
      debug(1, () => `tuning ended: ${error.message}`);
    });
  };
  return { choiceOf, start: (signal) => void turns.set(device, work(signal)) };
}

function benchOf({ device, programs, target }: TuningContext): Bench {
  return {
    pause: () => pause(1),
    async compile(graph, choice) {
      const executor = new Executor(
        device,
        programs,
        makePlan(graph, target, () => choice),
      );
      await linkInSlices(executor);
      return {
        async time(runs) {
          const start = performance.now();
          for (let run = 0; run < runs; run++) executor.run();
          await fence(device, 'tuning');
          return performance.now() - start;
        },
        dispose: () => executor.dispose(),
      };
    },
  };
}
