import type { Device } from './device.js';

/** Milliseconds in which small models finish: polled at once, without the wait of a timer. */
const SHORT = 2;

/** Resolves once the GPU has done everything issued so far; rejects with ContextLostError. Never blocks; advances in hidden tabs. */
export async function fence(device: Device, during: string): Promise<void> {
  const { gl } = device;
  const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  device.check(during);
  if (!sync) return;
  gl.flush();
  try {
    const start = performance.now();
    for (;;) {
      await (performance.now() - start < SHORT ? task() : pause());
      device.check(during);
      const status = gl.clientWaitSync(sync, 0, 0);
      if (status === gl.ALREADY_SIGNALED || status === gl.CONDITION_SATISFIED) return;
    }
  } finally {
    gl.deleteSync(sync);
  }
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
 * About a millisecond in which the GPU may work: a poll without pause would take the processor from a software GL.
 * A timer set from a message is not clamped to 4 ms as one set from a timer is. Hidden tabs slow timers down.
 */
async function pause(): Promise<void> {
  await task();
  if (typeof document === 'undefined' || !document.hidden) await new Promise((resolve) => setTimeout(resolve, 1));
}
