// The page half of the benchmark: cold start of one peer, or all peers warm, taking turns on the same inputs.
import { type Case, type Files, fetchCase } from './case.js';
import { type LoadedModel, peers } from './peers.js';
import { type KernelTiming, profile } from './profile.js';

declare global {
  interface Window {
    /** What the runner calls. */
    bench: typeof bench;
  }
}

/** The time of a peer from the file to its first outputs, in milliseconds. */
export interface ColdStart {
  /** Until the engine itself is there; where it is part of the page's script there is nothing to start. */
  readonly engine: number;
  /** From the file's bytes to the first outputs. */
  readonly model: number;
}

/** Times of one peer in milliseconds, with its difference from what is expected as a share of the output's range. */
export interface Timing {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly difference: number;
  readonly figures: Record<string, number | string>;
}

/** A peer that runs the model, or why it does not. */
export type Outcome = Timing | { readonly error: string };

const bench = {
  /** The cold start of one peer, on this fresh page. */
  async cold(files: Files, name: string): Promise<ColdStart> {
    const { bytes, inputs } = await fetchCase(files);
    const peer = peers[name]!;
    const started = performance.now();
    await peer.start?.();
    const ready = performance.now();
    const model = await peer.load(bytes);
    await model.run(inputs);
    const done = performance.now();
    model.dispose();
    return { engine: ready - started, model: done - ready };
  },

  /** Checks every peer's outputs, then times `rounds` rounds in which each peer runs once. */
  async warm(files: Files, names: readonly string[], rounds: number): Promise<Record<string, Outcome>> {
    const test = await fetchCase(files);
    const results: Record<string, Outcome> = {};
    const runners: Runner[] = [];
    for (const name of names) {
      try {
        runners.push(await loadRunner(name, test));
      } catch (error) {
        results[name] = { error: (error instanceof Error ? error.message : String(error)).trim() };
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const { model, times } of runners) {
        const started = performance.now();
        await model.run(test.inputs);
        times.push(performance.now() - started);
      }
    }
    for (const { name, model, times, difference } of runners) {
      results[name] = { ...quartiles(times), difference, figures: model.figures?.() ?? {} };
      model.dispose();
    }
    return results;
  },

  profile: (files: Files, rounds: number, perDraw: boolean): Promise<KernelTiming[]> =>
    fetchCase(files).then((test) => profile(test, rounds, perDraw)),
};

/** A peer with its model loaded, and its times so far. */
interface Runner {
  readonly name: string;
  readonly model: LoadedModel;
  readonly difference: number;
  readonly times: number[];
}

/**
 * Throws where the peer cannot load the model or its outputs are wrong: those of the second run, since tfjs-tflite's
 * first gives zeros where the batch size is open.
 */
async function loadRunner(name: string, { bytes, inputs, difference }: Case): Promise<Runner> {
  const peer = peers[name]!;
  await peer.start?.();
  const model = await peer.load(bytes);
  await model.run(inputs);
  const worst = difference(await model.run(inputs));
  if (!(worst < (peer.tolerance ?? 1e-3))) {
    model.dispose();
    throw new Error(`outputs are off by ${worst} of their range`);
  }
  await model.run(inputs);
  return { name, model, difference: worst, times: [] };
}

function quartiles(times: readonly number[]): { median: number; lower: number; upper: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}

window.bench = bench;
