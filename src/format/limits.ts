/** What a file may ask for before it is refused. */
export interface Limits {
  /** Bytes of the whole file. */
  readonly fileBytes: number;
  /** Tables of the FlatBuffer, shared ones counted each time. */
  readonly tables: number;
  /** Bytes visited, per byte of the file: bounds what shared offsets can multiply. */
  readonly visitsPerByte: number;
  /** Subgraphs that may run each other in a chain. */
  readonly callDepth: number;
  /** Dimensions of a tensor. */
  readonly rank: number;
  /** Elements of a tensor. */
  readonly elements: number;
}

/** The limits of `verifyModel` and `readModel`. */
export const defaultLimits: Limits = {
  fileBytes: 512 * 2 ** 20,
  tables: 1_000_000,
  visitsPerByte: 4,
  callDepth: 16,
  rank: 8,
  elements: 2 ** 31 - 1,
};
