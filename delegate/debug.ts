/**
 * The one debug number. 0: silent. 1: passes and placements. 2: every declined rewrite. 3: shader sources.
 */
let level = 0;

/** Sets the debug level, 0 to 3; see the table in `docs/architecture.md`. */
export function setDebug(value: number): void {
  level = value;
}

/** The level set last; 0 unless told. */
export function debugLevel(): number {
  return level;
}

/** Prints a line from the given level on. */
export function debug(from: number, line: () => string): void {
  if (level >= from) console.debug(`tflite-gpu: ${line()}`);
}
