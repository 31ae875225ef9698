/** Where in a model something was found: a path such as `subgraphs[0].operators[12].inputs[1]` and a byte offset. */
export interface ErrorPlace {
  readonly path?: string;
  readonly offset?: number;
}

/** The file is wrong. `code` is stable and short (`truncated`, `bad-index`, `too-large`, …). */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: string;
  readonly path: string;
  readonly offset: number | undefined;

  constructor(code: string, message: string, place: ErrorPlace = {}) {
    super(place.path ? `${place.path}: ${message}` : message);
    this.code = code;
    this.path = place.path ?? '';
    this.offset = place.offset;
  }
}

/** The model or the request is right, but this package cannot run it. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

/** The GPU cannot: out of memory, a shader that does not compile, no WebGL2. */
export class DeviceError extends Error {
  override readonly name: string = 'DeviceError';

  /** `nodeId`: the id of the node that it is about, where it is about one; that node can still run on the CPU. */
  constructor(
    message: string,
    readonly nodeId?: number,
  ) {
    super(message);
  }
}

/** The WebGL context was lost; the call may be repeated once it is restored. */
export class ContextLostError extends DeviceError {
  override readonly name = 'ContextLostError';
  readonly retryable = true;

  constructor(during: string) {
    super(`${during}: the WebGL context was lost; repeat the call once it is restored`);
  }
}
