import type { Limits } from './limits.js';
import type { Model, Tensor } from './model.js';

/** What the semantic checks share. `fail` throws a ModelError with the byte where `path` leads. */
export interface Check {
  readonly model: Model;
  readonly limits: Limits;
  readonly fail: (code: string, path: string, message: string) => never;
  /** Refuses an index that is not one of `count` things called `what`. */
  readonly expectIndex: (path: string, what: string, index: number, count: number) => void;
}

/** The bytes of a constant tensor; `undefined` for tensors that the file has no data for. */
export function constantBytes(model: Model, tensor: Tensor): Uint8Array | undefined {
  const data = model.buffers?.[tensor.buffer]?.data;
  return data?.length ? data : undefined;
}

/** Number of elements by the declared shape; 1 where there is none. */
export function elementsOf(tensor: Tensor): number {
  return (tensor.shape ?? []).reduce((product, size) => product * size, 1);
}
