import type { Executor } from './executor.js';
import { pause, task } from './fence.js';

/** Work done at a stretch, in milliseconds, before the page may do something else. */
const SLICE = 12;

/** Links an executor without blocking the page. `onProgress` gets 0 … 1. When aborted, nothing is left behind. */
export async function linkInSlices(
  executor: Executor,
  onProgress?: (fraction: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  let done = 0;
  let since = performance.now();
  for (const step of executor.link()) {
    if (signal?.aborted) {
      executor.dispose();
      signal.throwIfAborted();
    }
    if (step === 'work') onProgress?.(1 - 1 / (1 + ++done / 16));
    if (step === 'work' && performance.now() - since < SLICE) continue;
    await (step === 'wait' ? pause(1) : task());
    since = performance.now();
  }
  onProgress?.(1);
}
