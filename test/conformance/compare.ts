// Compares an output with the reference: |a - r| <= abs + rel * |r|, the same NaN and infinities, the same shape and array type.
import { arrayTypeOf, type CorpusValue, type Numbers, numberAt, type Values, valuesOf } from './values.js';

/** How far an output may be from its reference. */
export interface Tolerance {
  readonly abs?: number;
  readonly rel?: number;
  readonly lsb?: number;
  readonly exact?: boolean;
  readonly fraction?: number;
}

/** What a comparison found: the largest difference, and an error where it is too large. */
export interface Verdict {
  readonly worst: number;
  readonly error?: string;
}

const largestFloat = 3.4028234e38;
const largestHalf = 65504;

/** Compares one output tensor with its corpus value. `half`: it went through half-float textures. */
export function compare(
  got: Values | undefined,
  shape: readonly number[] | undefined,
  reference: CorpusValue,
  tolerance: Tolerance,
  { only, half = false }: { only?: string | undefined; half?: boolean } = {},
): Verdict {
  if (shape && JSON.stringify([...shape]) !== JSON.stringify(reference.shape))
    return failed(`shape [${[...shape]}], wanted [${reference.shape}]`);
  if (!got) return failed('no output');
  if (reference.dtype === 'string') return compareStrings(got, reference);
  if (!(got instanceof arrayTypeOf(reference.dtype))) return failed(`${got.constructor.name} for ${reference.dtype}`);
  if (only === 'shape') return { worst: 0 };
  const want = valuesOf(reference) as Numbers;
  if (got.length !== want.length) return failed(`${got.length} elements, wanted ${want.length}`);
  return compareNumbers(got, want, reference.dtype, tolerance, half);
}

function compareNumbers(got: Numbers, want: Numbers, dtype: string, tolerance: Tolerance, half: boolean): Verdict {
  let wrong = 0;
  let worst = 0;
  let first: string | undefined;
  for (let i = 0; i < want.length; i++) {
    if (got[i] === want[i]) continue;
    const g = clamped(numberAt(dtype, got, i), half);
    const w = clamped(numberAt(dtype, want, i), half);
    if (typeof want[i] !== 'bigint' && (g === w || (Number.isNaN(g) && Number.isNaN(w)))) continue;
    const difference = Math.abs(g - w);
    if (Number.isNaN(difference) || difference > worst) worst = difference;
    if (difference <= limitAt(w, tolerance)) continue;
    wrong++;
    first ??= `[${i}] ${got[i]}, wanted ${want[i]}`;
  }
  const allowed = tolerance.fraction ? (1 - tolerance.fraction) * want.length : 0;
  return wrong > allowed
    ? { worst, error: `${wrong} of ${want.length} differ, first ${first}, worst ${worst}` }
    : { worst };
}

function limitAt(wanted: number, { abs = 0, rel = 0, lsb }: Tolerance): number {
  return lsb ?? abs + (rel && rel * Math.abs(wanted));
}

/** Kernels without an activation clamp to the largest float; half-float stores clamp to the largest half. */
function clamped(x: number, half: boolean): number {
  return Math.abs(x) >= (half ? largestHalf : largestFloat) ? Math.sign(x) * Number.POSITIVE_INFINITY : x;
}

function compareStrings(got: Values, reference: CorpusValue): Verdict {
  const text = new TextDecoder();
  const plain = (x: unknown) => (typeof x === 'string' ? x : text.decode(x as Uint8Array));
  const want = valuesOf(reference) as readonly Uint8Array[];
  if (got.length !== want.length) return failed(`${got.length} strings, wanted ${want.length}`);
  const at = want.findIndex((bytes, i) => plain(got[i]) !== text.decode(bytes));
  return at < 0
    ? { worst: 0 }
    : failed(`[${at}] ${JSON.stringify(plain(got[at]))}, wanted ${JSON.stringify(plain(want[at]))}`);
}

function failed(error: string): Verdict {
  return { worst: Number.NaN, error };
}
