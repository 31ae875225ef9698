// The page half of the conformance runner: it runs cases and tells the runner about each as soon as it is done.
import { createGpuDelegate, forceTarget } from '../../delegate/delegate.js';
import type { Target } from '../../delegate/shader/target.js';
import { sharedContext } from '../../src/runtime/context.js';
import { absolute } from '../support/absolute.js';
import { type Golden, type GoldenOutcome, runGolden } from './golden.js';
import { type CorpusCase, type Outcome, type RunOptions, runCase } from './run-case.js';

interface CorpusFile {
  readonly op: string;
  readonly cases: readonly CorpusCase[];
}

declare global {
  interface Window {
    /** Provided by the runner: takes the outcome of case `index`. */
    tellCase(index: number, outcome: Outcome): Promise<void>;
    /** What the runner calls. */
    conformance: typeof conformance;
  }
}

const nothing = { worst: Number.NaN, gpu: 0, cpu: 0, reasons: [] };

const conformance = {
  /** Makes every model of this page compile for these fields of the target. */
  force(target: Partial<Target>): void {
    forceTarget(sharedContext(), target);
  },

  /** Runs the cases of a file from `first` on, telling each. */
  async ops(url: string, first: number, options: RunOptions): Promise<void> {
    const { op, cases } = (await (await fetch(url)).json()) as CorpusFile;
    if (options.delegate === 'gpu') await keepPrograms();
    for (let index = first; index < cases.length; index++) {
      const outcome = await runCase(op, cases[index]!, options).catch((error) => ({
        ...nothing,
        error: messageOf(error),
      }));
      await window.tellCase(index, outcome);
    }
  },

  /** Runs one network; `skipped` says why the reference itself could not. */
  async network(
    modelUrl: string,
    goldenUrl: string,
    options: RunOptions,
  ): Promise<GoldenOutcome | (Outcome & { skipped?: string })> {
    const golden = (await (await fetch(goldenUrl)).json()) as Golden;
    if (golden.error) return { ...nothing, skipped: golden.error };
    try {
      return await runGolden(await download(modelUrl), golden, options);
    } catch (error) {
      return { ...nothing, error: messageOf(error) };
    }
  },
};

let kept: Promise<unknown> | undefined;

/** While one executable lives the programs of those that are gone are kept: cases of one op mostly differ in sizes alone. */
function keepPrograms(): Promise<unknown> {
  kept ??= createGpuDelegate(sharedContext()).compile(absolute());
  return kept;
}

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  const body = url.endsWith('.gz')
    ? new Response(response.body!.pipeThrough(new DecompressionStream('gzip')))
    : response;
  return new Uint8Array(await body.arrayBuffer());
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 400) : String(error).slice(0, 400);
}

window.conformance = conformance;
