import { ContextLostError } from '../errors.js';
import { pause, task } from '../task.js';
import type { Device } from './device.js';

/** How long the GPU took for work that is asked for again and again, the last two times, in milliseconds. */
export class Pace {
  #last = 0;
  #before = 0;

  /** The lesser of both: one slow run, as the first that compiles, says nothing of the next. 0: not known. */
  get usual(): number {
    return Math.min(this.#last, this.#before);
  }

  took(milliseconds: number): void {
    this.#before = this.#last;
    this.#last = milliseconds;
  }
}

interface Fence {
  readonly sync: WebGLSync;
  readonly during: string;
  readonly at: number;
  readonly pace: Pace;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Fences of one context. However many are waited for, one loop polls: the GPU works in order, so only the oldest can be
 * the next to pass.
 */
export class Fences {
  readonly #device: Device;
  readonly #waiting: Fence[] = [];
  #passedAt = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  /**
   * Resolves once the GPU has done everything issued so far; rejects with ContextLostError. Never blocks; advances in
   * hidden tabs. `during` names the call for the message; `pace` is kept, and tells when to expect it.
   */
  set(during: string, pace = new Pace()): Promise<void> {
    const { gl } = this.#device;
    const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!sync) return Promise.reject(new ContextLostError(during));
    gl.flush();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sync, during, at: performance.now(), pace, resolve, reject });
      if (this.#waiting.length === 1) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    const { gl } = this.#device;
    for (let fence = this.#waiting[0]; fence; fence = this.#waiting[0]) {
      // It began with this when it was done with the last.
      const since = Math.max(fence.at, this.#passedAt);
      await task();
      for (let polls = 0; !isPassed(this.#device, fence.sync); polls++)
        await this.#wait(performance.now() - since, fence.pace.usual, polls);
      this.#passedAt = performance.now();
      fence.pace.took(this.#passedAt - since);
      gl.deleteSync(fence.sync);
      this.#waiting.shift();
      if (gl.isContextLost()) fence.reject(new ContextLostError(fence.during));
      else fence.resolve();
    }
  }

  /**
   * Chromium's GPU process looks at its fences every 2 ms and when it is told to flush. Told so when the answer is due, and
   * asked a few times after that, it gives news of a run of 1 ms after 2 ms instead of 5; told so all the time, it is slowed
   * down by a tenth. A poll takes the processor from a software GL, so there is none in the first half of the usual time.
   */
  async #wait(elapsed: number, usual: number, polls: number): Promise<void> {
    const isDue = elapsed < 2.5 || (elapsed > 0.9 * usual && elapsed < usual + 5);
    if (isDue && polls % 3 > 0) return task();
    await pause(Math.min(8, Math.max(1.2 - elapsed, usual / 2 - elapsed, elapsed / 32, isDue ? 0.3 : 1)));
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
