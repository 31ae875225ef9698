/** How many values become one: GLSL over vec4 variables. */
export interface Fold {
  /** The value of no elements; folding it in changes nothing. */
  readonly start: number;
  /** The statement that makes what is folded of an element `v` and of `centre`; absent where that is the element itself. */
  element?(v: string, centre: string): string;
  /** The statement that takes `v` into `a`. */
  step(a: string, v: string): string;
}

const LARGEST = 3.4028234663852886e38;

export const SUM: Fold = { start: 0, step: (a, v) => `${a} += ${v};` };
export const PRODUCT: Fold = { start: 1, step: (a, v) => `${a} *= ${v};` };
/** Selects, not `max`: a comparison with NaN is false, so NaN is passed over. */
export const LARGER: Fold = { start: -LARGEST, step: (a, v) => `${a} = mix(${a}, ${v}, greaterThan(${v}, ${a}));` };
export const SMALLER: Fold = { start: LARGEST, step: (a, v) => `${a} = mix(${a}, ${v}, lessThan(${v}, ${a}));` };
