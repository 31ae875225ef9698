import type { Device } from './device.js';

/** Resolves once the GPU has done everything issued so far; rejects with ContextLostError. Never blocks; advances in hidden tabs. */
export async function fence(device: Device, during: string): Promise<void> {
  const { gl } = device;
  const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  device.check(during);
  if (!sync) return;
  gl.flush();
  try {
    const start = performance.now();
    for (let polls = 0; ; polls++) {
      await (polls === 0 ? task() : pause(Math.min(8, (performance.now() - start) / 32)));
      device.check(during);
      if (isPassed(device, sync)) return;
    }
  } finally {
    gl.deleteSync(sync);
  }
}

/** Whether the GPU has done everything issued before; browsers give news of that to a new task only. */
export function isPassed({ gl }: Device, sync: WebGLSync): boolean {
  if (gl.isContextLost()) return true;
  const status = gl.clientWaitSync(sync, 0, 0);
  return status === gl.ALREADY_SIGNALED || status === gl.CONDITION_SATISFIED;
}

/** Resolves in a new task; unlike a timer it is not slowed down in hidden tabs. */
export function task(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/**
 * At least a millisecond in which the GPU may work: a poll without pause takes the processor from a software GL and
 * makes a run of 4 ms one of 7. A timer set from a message is not clamped to 4 ms as one set from a timer is. Hidden
 * tabs slow timers down, so there a message has to do.
 */
export async function pause(milliseconds: number): Promise<void> {
  await task();
  if (typeof document === 'undefined' || !document.hidden)
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, milliseconds)));
}
