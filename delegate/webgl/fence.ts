import { ContextLostError } from '../errors.js';
import { pause, task } from '../task.js';
import type { Device } from './device.js';

/** Work that takes less is short, in milliseconds. */
const SHORT = 2.5;
/** The first question about short work comes within these milliseconds of its begin, that about other work not before. */
const SOONEST = 0.3;
const LATEST = 1.2;

/** How long the GPU took for work that is asked for again and again, the last two times, in milliseconds. */
export class Pace {
  #last = 0;
  #before = 0;
  #first = LATEST;

  /** The lesser of both: one slow run, as the first that compiles, says nothing of the next. 0: not known. */
  get usual(): number {
    return Math.min(this.#last, this.#before);
  }

  /**
   * When to ask first. The time of short work is that of its news, which is only as early as it was asked for: so this
   * moves to where the first question is answered as often as not.
   */
  get first(): number {
    return this.usual < SHORT ? this.#first : Math.max(LATEST, this.usual / 2);
  }

  /** `flushes`: how often the GPU process was made to look. */
  took(milliseconds: number, flushes: number): void {
    this.#before = this.#last;
    this.#last = milliseconds;
    this.#first = flushes > 1 ? Math.min(LATEST, this.#first * 1.1) : Math.max(SOONEST, this.#first * 0.9);
  }
}

/** When a fence is set: at this share of the usual time, and at least so many milliseconds before its end. */
const LATE = 0.75;
const NEWS = 8;
/** Questions after each flush. */
const POLLS = 3;

interface Fence {
  /** Not yet set, or `null` where the context is lost. */
  sync: WebGLSync | null | undefined;
  readonly during: string;
  readonly at: number;
  readonly pace: Pace;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Fences of one context. However many are waited for, one loop polls: the GPU works in order, so only the oldest can be
 * the next to pass. Chromium's GPU process looks at fences every 2 ms, which takes a tenth of the processor from a
 * software GL: there a fence is set when its news is nearly due, or before more work is issued.
 */
export class Fences {
  readonly #device: Device;
  readonly #waiting: Fence[] = [];
  #passedAt = 0;
  #isLost = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /**
   * Resolves once the GPU has done everything issued so far; rejects with ContextLostError. Never blocks; advances in
   * hidden tabs. `during` names the call for the message; `pace` is kept, and tells when to expect it. What issues more
   * work calls `expectMore` before: else the promise may wait for that too.
   */
  set(during: string, pace = new Pace()): Promise<void> {
    const { gl, capabilities } = this.#device;
    return new Promise((resolve, reject) => {
      const fence: Fence = { sync: undefined, during, at: performance.now(), pace, resolve, reject };
      if (capabilities.isSoftware) gl.flush();
      else this.#place(fence);
      this.#waiting.push(fence);
      if (this.#waiting.length === 1) void this.#poll();
    });
  }

  /** Sets what is waited for and not yet set: work that comes now is not part of it. */
  expectMore(): void {
    for (let i = 0; i < this.#waiting.length; i++) this.#place(this.#waiting[i]!);
  }

  /** The context is lost: what is waited for never comes, not even where the context is restored before anybody asks. */
  lose(): void {
    this.#isLost = true;
  }

  #place(fence: Fence): WebGLSync | null {
    const { gl } = this.#device;
    if (fence.sync === undefined) {
      fence.sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
      gl.flush();
    }
    return fence.sync;
  }

  async #poll(): Promise<void> {
    const { gl } = this.#device;
    for (let fence = this.#waiting[0]; fence; fence = this.#waiting[0]) {
      // It began with this when it was done with the last.
      const since = Math.max(fence.at, this.#passedAt);
      await task();
      const { usual } = fence.pace;
      const left = Math.min(LATE * usual, usual - NEWS) - (performance.now() - since);
      if (fence.sync === undefined && left > 1) await pause(left);
      const sync = this.#place(fence);
      let polls = 0;
      while (sync && !this.#isLost && !isPassed(this.#device, sync))
        await this.#wait(performance.now() - since, fence.pace, polls++);
      this.#passedAt = performance.now();
      fence.pace.took(this.#passedAt - since, Math.ceil(polls / POLLS));
      gl.deleteSync(sync);
      this.#waiting.shift();
      if (!sync || this.#isLost || gl.isContextLost()) fence.reject(new ContextLostError(fence.during));
      else fence.resolve();
    }
  }

  /**
   * Chromium's GPU process looks at its fences every 2 ms and when it is told to flush. Told so when the answer is due, and
   * asked a few times after that, it gives news of a run of 0.5 ms after 0.7 ms instead of 5; told so all the time, it is
   * slowed down by a tenth. A poll takes the processor from a software GL, so there is none before `first`.
   */
  async #wait(elapsed: number, { usual, first }: Pace, polls: number): Promise<void> {
    const isDue = elapsed < SHORT || (elapsed > 0.9 * usual && elapsed < usual + 5);
    if (isDue && polls % POLLS > 0) return task();
    await pause(Math.min(8, Math.max(first - elapsed, elapsed / 32, isDue ? 0.3 : 1)));
    if (!isDue) return;
    this.#device.gl.flush();
    await task();
  }
}

/** Whether the GPU has done everything issued before; browsers give news of that to a new task only. */
export function isPassed({ gl }: Device, sync: WebGLSync): boolean {
  if (gl.isContextLost()) return true;
  const status = gl.clientWaitSync(sync, 0, 0);
  return status === gl.ALREADY_SIGNALED || status === gl.CONDITION_SATISFIED;
}
