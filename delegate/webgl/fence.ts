import type { Device } from './device.js';

/** Resolves once the GPU has done everything issued so far; rejects with ContextLostError. Never blocks; advances in hidden tabs. */
export async function fence(device: Device, during: string): Promise<void> {
  const { gl } = device;
  const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  device.check(during);
  if (!sync) return;
  gl.flush();
  try {
    for (let polls = 0; ; polls++) {
      await (polls < 4 ? task() : pause(polls < 64 ? 0 : 4));
      device.check(during);
      if (gl.getSyncParameter(sync, gl.SYNC_STATUS) === gl.SIGNALED) return;
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

function pause(milliseconds: number): Promise<void> {
  return typeof document !== 'undefined' && document.hidden ? task() : new Promise((resolve) => setTimeout(resolve, milliseconds));
}
