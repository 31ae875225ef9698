import { ContextLostError } from '../errors.js';
import { pause, task } from '../task.js';
import type { Device } from './device.js';

interface Fence {
  readonly sync: WebGLSync;
  readonly during: string;
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

  constructor(device: Device) {
    this.#device = device;
  }

  /**
   * Resolves once the GPU has done everything issued so far; rejects with ContextLostError. Never blocks; advances in
   * hidden tabs. `during` names the call for the message.
   */
  set(during: string): Promise<void> {
    const { gl } = this.#device;
    const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!sync) return Promise.reject(new ContextLostError(during));
    gl.flush();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sync, during, resolve, reject });
      if (this.#waiting.length === 1) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    const { gl } = this.#device;
    for (let fence = this.#waiting[0]; fence; fence = this.#waiting[0]) {
      const since = performance.now();
      await task();
      while (!isPassed(this.#device, fence.sync)) await pause(Math.min(8, (performance.now() - since) / 32));
      gl.deleteSync(fence.sync);
      this.#waiting.shift();
      if (gl.isContextLost()) fence.reject(new ContextLostError(fence.during));
      else fence.resolve();
    }
  }
}

/** Whether the GPU has done everything issued before; browsers give news of that to a new task only. */
export function isPassed({ gl }: Device, sync: WebGLSync): boolean {
  if (gl.isContextLost()) return true;
  const status = gl.clientWaitSync(sync, 0, 0);
  return status === gl.ALREADY_SIGNALED || status === gl.CONDITION_SATISFIED;
}
