/** Long work in pieces: it yields after each, so that whoever does it can let the page have a turn. */
export type Pieces<Result> = Generator<unknown, Result>;

/** Does all pieces at a stretch. */
export function finish<Result>(pieces: Pieces<Result>): Result {
  for (;;) {
    const next = pieces.next();
    if (next.done) return next.value;
  }
}

/** Work that is too short to be cut. */
export function inOnePiece<Result>(make: () => Result): () => Pieces<Result> {
  return function* () {
    yield;
    return make();
  };
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
 * Time in which the GPU may work: a poll without pause takes the processor from a software GL and makes a run of 4 ms one
 * of 7. Waiting for a cell that nobody writes is the only timer of browsers that knows parts of a millisecond, and that
 * hidden tabs do not slow down.
 */
export async function pause(milliseconds: number): Promise<void> {
  if (cell === undefined) cell = sharedCell();
  if (!cell) return timer(milliseconds);
  // Firefox counts whole milliseconds only: none is a task. Clocks are 0.1 ms coarse.
  const end = performance.now() + milliseconds - 0.1;
  do await Atomics.waitAsync(cell, 0, 0, milliseconds).value;
  while (performance.now() < end);
}

let cell: Int32Array<SharedArrayBuffer> | null | undefined;

/** Memory of WebAssembly may be shared where pages are not isolated. Node ends while it waits for a cell: not there. */
function sharedCell(): Int32Array<SharedArrayBuffer> | null {
  try {
    if (typeof addEventListener !== 'function' || !Atomics.waitAsync) return null;
    const { buffer } = new WebAssembly.Memory({ shared: true, initial: 1, maximum: 1 });
    return new Int32Array(buffer as unknown as SharedArrayBuffer);
  } catch {
    return null;
  }
}

/**
 * A timer set from a message is not clamped to 4 ms as one set from a timer is. Hidden tabs slow timers down, so there a
 * message has to do.
 */
async function timer(milliseconds: number): Promise<void> {
  await task();
  if (typeof document === 'undefined' || !document.hidden)
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, milliseconds)));
}

/** Work done at a stretch, in milliseconds, before the page may do something else. */
const SLICE = 8;

/**
 * Does all pieces without blocking the page; those that are `'wait'` are pauses of the one who works elsewhere.
 * `onProgress` gets 0 … 1. When aborted, the reason is thrown into the work.
 */
export async function inSlices<Result>(
  pieces: Pieces<Result>,
  onProgress?: (fraction: number) => void,
  signal?: AbortSignal,
): Promise<Result> {
  let done = 0;
  let since = performance.now();
  for (;;) {
    const step = signal?.aborted ? pieces.throw(signal.reason) : pieces.next();
    if (step.done) {
      onProgress?.(1);
      return step.value;
    }
    if (step.value !== 'wait') onProgress?.(1 - 1 / (1 + ++done / 256));
    if (step.value !== 'wait' && performance.now() - since < SLICE) continue;
    await (step.value === 'wait' ? pause(1) : task());
    since = performance.now();
  }
}
