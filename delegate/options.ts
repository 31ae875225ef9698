/**
 * The options of the native `TfLiteGpuDelegateOptions`, in camelCase or in the C struct's snake_case, with the
 * original's rules. `normalizeOptions` checks what the user wrote and resolves it to the one form the compiler reads.
 */

/** `compileOptions.preferredGlObjectType`: where constants live. */
export const TfLiteGlObjectType = { FASTEST: 0, TEXTURE: 1, BUFFER: 2 } as const;
/** A value of `TfLiteGlObjectType`. */
export type TfLiteGlObjectType = (typeof TfLiteGlObjectType)[keyof typeof TfLiteGlObjectType];

/** `inferencePreference`: whether the time of a load counts, also in small models, or how much tuning it may bring. */
export const TfLiteGpuInferencePreference = { FAST_SINGLE_ANSWER: 0, SUSTAINED_SPEED: 1, BALANCED: 2 } as const;
/** A value of `TfLiteGpuInferencePreference`. */
export type TfLiteGpuInferencePreference =
  (typeof TfLiteGpuInferencePreference)[keyof typeof TfLiteGpuInferencePreference];

/** `inferencePriority1..3`: what matters most, next, least. */
export const TfLiteGpuInferencePriority = { AUTO: 0, MAX_PRECISION: 1, MIN_LATENCY: 2, MIN_MEMORY_USAGE: 3 } as const;
/** A value of `TfLiteGpuInferencePriority`. */
export type TfLiteGpuInferencePriority = (typeof TfLiteGpuInferencePriority)[keyof typeof TfLiteGpuInferencePriority];

/** Bits of `experimentalFlags`. `CL_ONLY` and `GL_ONLY` are accepted and change nothing here. */
export const TfLiteGpuExperimentalFlags = {
  NONE: 0,
  ENABLE_QUANT: 1,
  CL_ONLY: 2,
  GL_ONLY: 4,
  ENABLE_SERIALIZATION: 8,
} as const;

type Flag = boolean | 0 | 1;
type SnakeCase<S extends string> = S extends `${infer Head}${infer Rest}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Rest>}`
  : S;
/** The fields of T, each optional, in camelCase or in snake_case. */
type Spelled<T> = { readonly [K in keyof T]?: T[K] } & { readonly [K in keyof T as SnakeCase<K & string>]?: T[K] };

/** `TfLiteGlCompileOptions`. */
export type TfLiteGlCompileOptions = Spelled<{
  precisionLossAllowed: Flag;
  preferredGlObjectType: TfLiteGlObjectType;
  dynamicBatchEnabled: Flag;
  inlineParameters: Flag;
}>;

/** What a user may write; every field is optional. */
export type TfLiteGpuDelegateOptions = Spelled<{
  metadata: unknown;
  compileOptions: TfLiteGlCompileOptions;
  inferencePreference: TfLiteGpuInferencePreference;
  inferencePriority1: TfLiteGpuInferencePriority;
  inferencePriority2: TfLiteGpuInferencePriority;
  inferencePriority3: TfLiteGpuInferencePriority;
  experimentalFlags: number;
  maxDelegatedPartitions: number;
  serializationDir: string | null;
  modelToken: string | null;
  isPrecisionLossAllowed: -1 | 0 | 1;
}>;

/** Most important first. */
type Priorities = readonly [TfLiteGpuInferencePriority, TfLiteGpuInferencePriority, TfLiteGpuInferencePriority];

/** What is in force: everything given, checked, and the priorities resolved. */
export interface GpuOptions {
  readonly metadata: unknown;
  /** What the options ask for; the device may not have it. */
  readonly precision: 'float32' | 'float16';
  readonly preferredGlObjectType: TfLiteGlObjectType;
  readonly dynamicBatchEnabled: boolean;
  readonly inlineParameters: boolean;
  readonly inferencePreference: TfLiteGpuInferencePreference;
  /** Most important first, AUTO resolved: each of MAX_PRECISION, MIN_LATENCY and MIN_MEMORY_USAGE once. */
  readonly priorities: Priorities;
  readonly experimentalFlags: number;
  /** 0: as many as there are. */
  readonly maxDelegatedPartitions: number;
  readonly serializationDir: string | null;
  readonly modelToken: string | null;
}

/** One field: the values it takes, in words, and how a value is read; `undefined` from `read` refuses it. */
interface Field {
  readonly accepted: string;
  read(value: unknown): unknown;
}
type Fields = Readonly<Record<string, Field>>;
type Given = Readonly<Record<string, unknown>>;

const anything: Field = { accepted: 'anything', read: (value) => value };
const flag: Field = {
  accepted: '0, 1, false or true',
  read: (value) => (value === 0 || value === false ? false : value === 1 || value === true ? true : undefined),
};
const text: Field = {
  accepted: 'a string or null',
  read: (value) => (typeof value === 'string' || value === null ? value : undefined),
};

const COMPILE_FIELDS: Fields = {
  precisionLossAllowed: flag,
  preferredGlObjectType: oneOf(TfLiteGlObjectType),
  dynamicBatchEnabled: flag,
  inlineParameters: flag,
};

const FIELDS: Fields = {
  metadata: anything,
  compileOptions: {
    accepted: 'an object',
    read: (value) => (isRecord(value) ? readFields(value, COMPILE_FIELDS, 'compileOptions.') : undefined),
  },
  inferencePreference: oneOf(TfLiteGpuInferencePreference),
  inferencePriority1: oneOf(TfLiteGpuInferencePriority),
  inferencePriority2: oneOf(TfLiteGpuInferencePriority),
  inferencePriority3: oneOf(TfLiteGpuInferencePriority),
  experimentalFlags: integer(0, 15, 'a mask of NONE 0, ENABLE_QUANT 1, CL_ONLY 2, GL_ONLY 4, ENABLE_SERIALIZATION 8'),
  maxDelegatedPartitions: integer(0, 2 ** 31 - 1, 'an integer of 0 (all) or more'),
  serializationDir: text,
  modelToken: text,
  isPrecisionLossAllowed: integer(-1, 1, '-1 (the priorities decide), 0 or 1'),
};

let defaults: TfLiteGpuDelegateOptions = {};

/** Replaces the options that the backend, and every load from now on, start from. Checks them at once. */
export function setGpuDelegateOptions(options: TfLiteGpuDelegateOptions): void {
  resolve(readOptions(options));
  defaults = options;
}

/** Checks what the user wrote, over the defaults of `setGpuDelegateOptions`, and resolves it. Throws TypeError. */
export function normalizeOptions(input: TfLiteGpuDelegateOptions = {}): GpuOptions {
  const base = readOptions(defaults);
  const given = readOptions(input);
  const decidesPrecision = PRECISION_KEYS.some((key) => given[key] !== undefined);
  const kept = Object.entries(base).filter(([key]) => !(decidesPrecision && PRECISION_KEYS.includes(key)));
  return resolve({ ...Object.fromEntries(kept), ...given });
}

/** Whoever gives one of these decides the precision alone: they only mean something together. */
const PRECISION_KEYS = [
  'precisionLossAllowed',
  'isPrecisionLossAllowed',
  'inferencePriority1',
  'inferencePriority2',
  'inferencePriority3',
];

/** The given fields in camelCase, the compile options among them. */
function readOptions(input: unknown): Given {
  if (!isRecord(input))
    throw new TypeError(`GPU options: ${show(input)}; accepted: an object with ${listKeys(FIELDS)}`);
  const { compileOptions, ...rest } = readFields(input, FIELDS, '');
  return { ...rest, ...(compileOptions as Given | undefined) };
}

function readFields(input: Given, fields: Fields, prefix: string): Given {
  const byName = new Map(Object.keys(fields).flatMap((key) => [[key, key] as const, [snakeCase(key), key] as const]));
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    const key = byName.get(name);
    if (!key) {
      throw new TypeError(`GPU options: unknown key "${prefix}${name.slice(0, 64)}"; accepted: ${listKeys(fields)}`);
    }
    if (value === undefined) continue;
    if (key in given)
      throw new TypeError(`GPU options: ${prefix}${key} is given twice, in camelCase and in snake_case`);
    const read = fields[key]!.read(value);
    if (read === undefined) {
      throw new TypeError(`GPU options: ${prefix}${name} is ${show(value)}; accepted: ${fields[key]!.accepted}`);
    }
    given[key] = read;
  }
  return given;
}

const DEFAULTS = {
  metadata: null,
  preferredGlObjectType: TfLiteGlObjectType.FASTEST,
  dynamicBatchEnabled: false,
  inlineParameters: false,
  inferencePreference: TfLiteGpuInferencePreference.FAST_SINGLE_ANSWER,
  experimentalFlags: TfLiteGpuExperimentalFlags.ENABLE_QUANT,
  maxDelegatedPartitions: 1,
  serializationDir: null,
  modelToken: null,
};

function resolve({
  inferencePriority1 = TfLiteGpuInferencePriority.MAX_PRECISION,
  inferencePriority2 = TfLiteGpuInferencePriority.AUTO,
  inferencePriority3 = TfLiteGpuInferencePriority.AUTO,
  precisionLossAllowed,
  isPrecisionLossAllowed,
  ...given
}: Given): GpuOptions {
  const priorities = resolvePriorities([inferencePriority1, inferencePriority2, inferencePriority3] as Priorities);
  const lossAllowed = allowsPrecisionLoss(
    precisionLossAllowed as boolean | undefined,
    isPrecisionLossAllowed as number | undefined,
    priorities,
  );
  return { ...DEFAULTS, ...given, precision: lossAllowed ? 'float16' : 'float32', priorities };
}

/** An explicit yes or no decides; else the priorities do. */
function allowsPrecisionLoss(
  explicit: boolean | undefined,
  obsolete: number | undefined,
  [first]: Priorities,
): boolean {
  if (obsolete === undefined || obsolete === -1) return explicit ?? first !== TfLiteGpuInferencePriority.MAX_PRECISION;
  if (explicit !== undefined && Number(explicit) !== obsolete) {
    const contradicted = `compileOptions.precisionLossAllowed ${Number(explicit)}`;
    throw new TypeError(`GPU options: isPrecisionLossAllowed ${obsolete} contradicts ${contradicted}`);
  }
  return obsolete === 1;
}

/** The original's rules: AUTO only behind what is given, nothing twice; AUTO becomes what is missing. */
function resolvePriorities(given: Priorities): Priorities {
  const [first, second, third] = given;
  const { AUTO } = TfLiteGpuInferencePriority;
  const refuse = (why: string) => new TypeError(`GPU options: inferencePriority1..3 are ${given.join(', ')}; ${why}`);
  if (first === AUTO) throw refuse('inferencePriority1 must not be AUTO (0)');
  if (second === AUTO && third !== AUTO) throw refuse('AUTO (0) is allowed only after all higher ones are given');
  if (first === second || first === third || (second === third && second !== AUTO))
    throw refuse('each may be given once');
  if (third !== AUTO) return given;
  // After the only one that is given come the others in the order 1, 2, 3, 1, …
  const next = second === AUTO ? (first % 3) + 1 : second;
  return [first, next, 6 - first - next] as unknown as Priorities;
}

function oneOf(values: Readonly<Record<string, number>>): Field {
  return {
    accepted: Object.entries(values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    read: (value) => Object.values(values).find((known) => known === value),
  };
}

function integer(least: number, most: number, accepted: string): Field {
  return {
    accepted,
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined,
  };
}

function isRecord(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function listKeys(fields: Fields): string {
  return Object.keys(fields).join(', ');
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : String(value).slice(0, 64);
}
