// The page half of the benchmark: cold start of one peer, or all peers warm, taking turns on the same inputs.
import { type ApiCalls, countCalls } from './api-calls.js';
import { type Case, type Files, fetchCase } from './case.js';
import { countFetches } from './fetches.js';
import { type Holds, watchMainThread } from './main-thread.js';
import { type LoadedModel, peers } from './peers.js';
import { type Grouping, profile, runCost } from './profile.js';
import { measureRoofline } from './roofline.js';

declare global {
  interface Window {
    /** What the runner calls. */
    bench: typeof bench;
  }
}

/** The time of a peer from the file to its first outputs, in milliseconds. */
export interface ColdStart {
  /**
   * What the browser took before to start its GPU process and to load the GL library: until the first WebGL context
   * that anybody made has drawn. A browser that has shown a picture through the GPU has that behind it.
   */
  readonly browser: number;
  /** Until the engine itself is there; where it is part of the page's script there is nothing to start. */
  readonly engine: number;
  /** From the file's bytes to the first outputs. */
  readonly model: number;
}

/** Median and quartiles of times in milliseconds. */
export interface Times {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** A peer that runs the model. */
export interface Timing extends Times {
  /** From what is expected, as a share of the output's range. */
  readonly difference: number;
  /** Programs and the bytes of their shaders are those of loading, draws and calls those of a run. */
  readonly api: ApiCalls;
  /** A run that blocks the page until the outputs are there. */
  readonly blocking?: Times;
  /** The main thread's part of a run: uploading the inputs and issuing all draws. */
  readonly submit?: Times;
  /** Per run, with `IN_FLIGHT` of them in flight. */
  readonly overlapped?: Times;
  readonly figures: Readonly<Record<string, number | string>>;
}

/** What a peer does, or why it does not run the model. */
export type Outcome = Timing | { readonly error: string };

/** Runs that are started at once to see what overlaps. */
const IN_FLIGHT = 4;
/** Runs of each peer before any is timed: by then engines have compiled what a run takes, and learnt its pace. */
const WARM_UP = 5;
/** Short models are timed more often than asked for: until so many milliseconds have gone by, or so many rounds. */
const LEAST_TIME = 2000;
const ROUNDS = 31;

const bench = {
  /** The cold start of one peer, on this fresh page. */
  async cold(files: Files, name: string): Promise<ColdStart> {
    const test = await fetchCase(files);
    const browser = await settle();
    return { browser, ...(await start(name, test)) };
  },

  /**
   * How long a cold start holds the main thread, on this fresh page. On its own: the timer that tells interrupts whoever
   * gives the page turns, and never comes to its turn where somebody blocks it.
   */
  async holds(files: Files, name: string): Promise<Holds> {
    const test = await fetchCase(files);
    await settle();
    return watchMainThread(() => start(name, test));
  },

  /** Checks every peer's outputs, then times `rounds` rounds or more in which each peer runs once. */
  async warm(files: Files, names: readonly string[], rounds: number): Promise<Record<string, Outcome>> {
    const test = await fetchCase(files);
    const results: Record<string, Outcome> = {};
    const runners: Runner[] = [];
    for (const name of names) {
      try {
        runners.push(await loadRunner(name, test));
      } catch (error) {
        results[name] = { error: (error instanceof Error ? error.message : String(error)).split('\n')[0]! };
      }
    }
    await inRounds(rounds, async () => {
      for (const { model, times } of runners) times.run.push(await timed(() => model.run(test.inputs)));
    });
    await inRounds(rounds, async () => {
      for (const { model, times } of runners)
        if (model.runSync) times.blocking.push(await timed(async () => model.runSync!(test.inputs)));
    });
    for (let round = 0; round < Math.min(rounds, 5); round++)
      for (const runner of runners) await timeParts(runner, test);
    for (const { name, model, times, difference, api } of runners) {
      const figures = model.figures?.() ?? {};
      const parts = {
        ...ifAny('blocking', times.blocking),
        ...ifAny('submit', times.submit),
        ...ifAny('overlapped', times.overlapped),
      };
      results[name] = { ...quartiles(times.run), difference, api, ...parts, figures };
      model.dispose();
    }
    return results;
  },

  /** Our texture fetches and multiply-adds of a run. */
  async fetches(files: Files): Promise<{ fetches: number; multiplyAdds: number }> {
    const draws = await countFetches(await fetchCase(files));
    const sum = (of: 'fetches' | 'multiplyAdds') => draws.reduce((total, draw) => total + draw[of], 0);
    return { fetches: sum('fetches'), multiplyAdds: sum('multiplyAdds') };
  },

  profile: async (files: Files, rounds: number, grouping: Grouping) =>
    profile(await fetchCase(files), rounds, grouping),
  runCost: async (files: Files, rounds: number) => runCost(await fetchCase(files), rounds),
  roofline: measureRoofline,
};

/** A peer with its model loaded, and its times so far. */
interface Runner {
  readonly name: string;
  readonly model: LoadedModel;
  readonly difference: number;
  readonly api: ApiCalls;
  readonly times: Record<'run' | 'blocking' | 'submit' | 'overlapped', number[]>;
}

/**
 * Throws where the peer cannot load the model or its outputs are wrong: those of the second run, since tfjs-tflite's
 * first gives zeros where the batch size is open.
 */
async function loadRunner(name: string, { bytes, inputs, difference }: Case): Promise<Runner> {
  const peer = peers[name]!;
  await peer.start?.();
  const loading = await countCalls(async () => {
    const model = await peer.load(bytes);
    await model.run(inputs);
    return model;
  });
  const model = loading.result;
  const running = await countCalls(() => model.run(inputs));
  const worst = difference(running.result);
  if (!(worst < (peer.tolerance ?? 1e-3))) {
    model.dispose();
    throw new Error(`outputs are off by ${worst} of their range`);
  }
  for (let done = 2; done < WARM_UP; done++) await model.run(inputs);
  const { programs, shaderBytes } = loading.calls;
  const api = { ...running.calls, programs, shaderBytes };
  return { name, model, difference: worst, api, times: { run: [], blocking: [], submit: [], overlapped: [] } };
}

/** The time of a peer from the file to its first outputs. */
async function start(name: string, { bytes, inputs }: Case): Promise<Pick<ColdStart, 'engine' | 'model'>> {
  const peer = peers[name]!;
  const started = performance.now();
  await peer.start?.();
  const ready = performance.now();
  const model = await peer.load(bytes);
  await model.run(inputs);
  return { engine: ready - started, model: performance.now() - ready };
}

/**
 * Starts the GPU process, and waits until what was lost is put away, and the page that was here before: a second after it
 * was left Chromium ends its compositor, and the main thread waits until the GPU process has time for that. Gives the
 * milliseconds of the start.
 */
async function settle(): Promise<number> {
  const time = startGpu();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return time;
}

/** Makes a WebGL context, draws with it, and reads that back; returns how many milliseconds that took. */
function startGpu(): number {
  const started = performance.now();
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (gl) {
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
  return performance.now() - started;
}

async function inRounds(least: number, round: () => Promise<void>): Promise<void> {
  const started = performance.now();
  for (let done = 0; done < least || (done < ROUNDS && performance.now() - started < LEAST_TIME); done++) await round();
}

/** The parts of a run that a peer can tell apart. */
async function timeParts({ model, times }: Runner, { inputs }: Case): Promise<void> {
  if (model.submit) {
    times.submit.push(await timed(async () => model.submit!(inputs)));
    await model.run(inputs);
  }
  if (model.overlap) times.overlapped.push((await timed(() => model.overlap!(inputs, IN_FLIGHT))) / IN_FLIGHT);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function ifAny<K extends string>(key: K, times: readonly number[]): { readonly [key in K]?: Times } {
  return times.length ? ({ [key]: quartiles(times) } as { [key in K]: Times }) : {};
}

function quartiles(times: readonly number[]): Times {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}

window.bench = bench;
