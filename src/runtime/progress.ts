/** What loading is doing. `loaded` and `total` are bytes for a download, else parts of 1. */
export interface Progress {
  readonly phase: 'download' | 'verify' | 'compile' | 'upload' | 'warmup';
  readonly loaded: number;
  readonly total: number;
  /** 0 … 1 within the phase; 0 until the end where the total is not known. */
  readonly fraction: number;
}

const PHASES: readonly Progress['phase'][] = ['download', 'verify', 'compile', 'upload', 'warmup'];

/** Passes reports on so that phases come in order and fractions within a phase never fall. */
export function monotone(onProgress: ((progress: Progress) => void) | undefined): (progress: Progress) => void {
  let phase = 0;
  let fraction = 0;
  return (progress) => {
    const next = PHASES.indexOf(progress.phase);
    if (!onProgress || next < phase || (next === phase && progress.fraction < fraction)) return;
    phase = next;
    fraction = progress.fraction;
    onProgress(progress);
  };
}

/** A report of a phase that counts in fractions. */
export function partOf(phase: Progress['phase'], fraction: number): Progress {
  return { phase, loaded: fraction, total: 1, fraction };
}
