// Runs a whole network against its golden file: generated inputs, outputs kept whole or sampled.
import { Interpreter } from 'tflite-gpu';
import { interpreterOptions, type Outcome, placement, type RunOptions, type SignatureRun } from './run-case.js';
import { arrayTypeOf, fromBase64, type Numbers, numbersOf, type Values } from './values.js';

/** The golden file of a network. */
export interface Golden {
  readonly error?: string;
  /** Whose outputs these are. */
  readonly reference?: string;
  readonly cases: readonly GoldenCase[];
}

export interface GoldenCase {
  readonly signature?: string;
  readonly inputs: readonly InputSpec[];
  readonly runs: readonly { readonly seed: number; readonly outputs: readonly OutputSpec[] }[];
}

interface InputSpec {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly k: number;
  readonly lo: number;
  readonly hi: number;
  readonly value?: string;
  /** Rounded shapes on [1, height, width, channels] instead of noise, which networks that know images blow up. */
  readonly isPicture?: boolean;
  readonly signatureName?: string;
}

interface OutputSpec {
  readonly dtype: string;
  readonly data?: string;
  readonly strings?: readonly string[];
  readonly every?: number;
  readonly stats?: { readonly min: number; readonly max: number };
  readonly tolerance?: { readonly abs?: number; readonly lsb?: number; readonly exactFraction?: number };
  readonly signatureName?: string;
}

/** A network's outcome: `worst` is relative to the output's range; `milliseconds` is the last run's. */
export interface GoldenOutcome extends Outcome {
  readonly milliseconds: number;
  readonly draws?: number;
}

/** Runs every case and every seed of a golden on one interpreter. */
export async function runGolden(model: Uint8Array, golden: Golden, options: RunOptions): Promise<GoldenOutcome> {
  const interpreter = await Interpreter.create(model, interpreterOptions(options));
  try {
    let worst = 0;
    let milliseconds = 0;
    let error: string | undefined;
    for (const [position, test] of golden.cases.entries()) {
      for (const { seed, outputs } of test.runs) {
        const started = performance.now();
        const results = await runOnce(interpreter, test, seed, outputs);
        milliseconds = performance.now() - started;
        for (const [i, spec] of outputs.entries()) {
          const verdict = options.half ? checkHalf(results[i], spec) : check(results[i], spec);
          worst = Math.max(worst, verdict.worst);
          if (verdict.error) error ??= `case ${position} output ${i}: ${verdict.error}`;
        }
      }
    }
    const { draws } = interpreter.report();
    return { ...placement(interpreter), worst, milliseconds, draws, ...(error ? { error } : {}) };
  } finally {
    interpreter.dispose();
  }
}

async function runOnce(
  interpreter: Interpreter,
  test: GoldenCase,
  seed: number,
  outputs: readonly OutputSpec[],
): Promise<(Values | undefined)[]> {
  const inputs = test.inputs.map((spec) => makeInput(spec, seed));
  if (test.signature) {
    const run = interpreter.getSignatureRunner(test.signature) as unknown as SignatureRun;
    const results = await run(Object.fromEntries(test.inputs.map((spec, i) => [spec.signatureName!, inputs[i]!])));
    return outputs.map((spec) => results[spec.signatureName!]);
  }
  const details = interpreter.getInputDetails();
  for (const [i, { shape }] of test.inputs.entries()) {
    const { index, shape: present } = details[i]!;
    if (JSON.stringify([...present]) !== JSON.stringify(shape)) interpreter.resizeTensorInput(index, [...shape]);
  }
  await interpreter.allocateTensors();
  for (const [i, values] of inputs.entries()) interpreter.setTensor(details[i]!.index, values as never);
  await interpreter.invokeAsync();
  return Promise.all(
    interpreter.getOutputDetails().map(({ index }) => interpreter.getTensorAsync(index) as Promise<Values>),
  );
}

function hash32(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The brightness, from 0 to 1, of element i: two waves, one of them cut off at half its height. */
function pictureAt([, height, width, channels]: readonly number[], i: number, seed: number): number {
  const pixel = Math.floor(i / channels!);
  const [x, y] = [(pixel % width!) / width!, Math.floor(pixel / width!) / height!];
  const color = (i % channels!) + seed;
  const soft = Math.sin(7 * x + color) * Math.cos(5 * y + 2 * color);
  const shapes = Math.sin(11 * x * y + color) + Math.cos(9 * (x - y) + color) > 0.5 ? 1 : -1;
  return 0.5 + 0.3 * soft + 0.2 * shapes;
}

/** The generated input number `k` of a run: the same values on every engine. */
export function makeInput({ dtype, shape, k, lo, hi, value, isPicture }: InputSpec, seed: number): Values {
  const size = shape.reduce((a, b) => a * b, 1) * (dtype === 'complex64' ? 2 : 1);
  if (dtype === 'string') return Array<string>(size).fill(value ?? '');
  const isFloat = dtype.startsWith('float') || dtype === 'complex64';
  const result = new (arrayTypeOf(dtype))(size);
  for (let i = 0; i < size; i++) {
    const unit = isPicture ? pictureAt(shape, i, seed) : (hash32((i + 7919 * k + seed) | 0) >>> 8) / 2 ** 24;
    const x = isFloat ? lo + (hi - lo) * unit : lo + Math.floor(unit * (hi - lo + 1));
    (result as { [index: number]: number | bigint })[i] = dtype.endsWith('int64') ? BigInt(x) : x;
  }
  return result;
}

function check(got: Values | undefined, spec: OutputSpec): { worst: number; error?: string } {
  if (spec.dtype === 'string') return checkStrings(got, spec);
  const { pairs, range } = sampled(got, spec);
  const limit = spec.tolerance?.lsb ?? spec.tolerance?.abs ?? 0;
  let worst = 0;
  let outside = 0;
  let equal = 0;
  for (const [g, w] of pairs) {
    if (g === w || (Number.isNaN(g) && Number.isNaN(w))) {
      equal++;
      continue;
    }
    const difference = Math.abs(g - w);
    if (!(difference <= worst)) worst = difference;
    if (!(difference <= limit)) outside++;
  }
  const share = pairs.length ? equal / pairs.length : 1;
  const relative = worst / (range || 1);
  if (outside) return { worst: relative, error: `${outside} of ${pairs.length} outside ${limit}, worst ${worst}` };
  if (share < (spec.tolerance?.exactFraction ?? 0))
    return { worst: relative, error: `only ${(100 * share).toFixed(1)} % equal` };
  return { worst: relative };
}

function checkStrings(got: Values | undefined, { strings }: OutputSpec): { worst: number; error?: string } {
  if (!strings) return { worst: 0 };
  const same = strings.every(
    (text, i) => String((got as readonly Uint8Array[] | undefined)?.[i]) === String(fromBase64(text)),
  );
  return same ? { worst: 0 } : { worst: Number.NaN, error: 'other strings' };
}

/** Half precision: the same direction (cosine), and the same top class where the reference is clear about it. */
function checkHalf(got: Values | undefined, spec: OutputSpec): { worst: number; error?: string } {
  if (!spec.dtype.startsWith('float')) return check(got, spec);
  const { pairs, range } = sampled(got, spec);
  let [gg, gw, ww, worst, top, second, chosen] = [0, 0, 0, 0, 0, -1, 0];
  for (const [i, [g, w]] of pairs.entries()) {
    gg += g * g;
    gw += g * w;
    ww += w * w;
    worst = Math.max(worst, Math.abs(g - w));
    if (w > pairs[top]![1]) [top, second] = [i, top];
    else if (i > 0 && (second < 0 || w > pairs[second]![1])) second = i;
    if (g > pairs[chosen]![0]) chosen = i;
  }
  const cosine = ww === 0 && gg === 0 ? 1 : gw / Math.sqrt(gg * ww);
  const relative = worst / (range || 1);
  if (!(cosine >= 0.999) && !(relative <= 1e-3)) return { worst: relative, error: `cosine ${cosine}` };
  const clear = second >= 0 && pairs[top]![1] - pairs[second]![1] > 0.01 * range;
  return clear && chosen !== top && !spec.every
    ? { worst: relative, error: `top class ${chosen}, wanted ${top}` }
    : { worst: relative };
}

function sampled(got: Values | undefined, { dtype, data, every = 1, stats }: OutputSpec) {
  const want = numbersOf(dtype, data!);
  const pairs: [number, number][] = [];
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < want.length; i++) {
    const w = Number(want[i]);
    pairs.push([Number((got as Numbers | undefined)?.[i * every]), w]);
    low = Math.min(low, w);
    high = Math.max(high, w);
  }
  return { pairs, range: stats ? stats.max - stats.min : high - low };
}
