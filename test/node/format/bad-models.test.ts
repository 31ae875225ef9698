import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/index.js';
import { verifyModel } from '../../../src/format/verify.js';
import { missingShared, shared } from './corpus.js';

type Verdict = 'accept' | 'reject-load' | 'reject-allocate' | 'reject-invoke' | 'any-but-safe';
type Part =
  | { readonly base64: string }
  | { readonly u32: readonly number[]; readonly step: readonly number[]; readonly times: number };

interface Entry {
  readonly file: string;
  readonly class: string;
  readonly topic: string;
  readonly wrong: string;
  readonly expect: Verdict;
  readonly bytes: number;
  readonly recipe?: { readonly parts: readonly Part[] };
}

interface Outcome {
  readonly entry: Entry;
  readonly error: unknown;
  readonly milliseconds: number;
}

const MILLISECONDS = 100;
/** Entries whose verdict another entry contradicts. */
const CONTRADICTED = new Map([
  ['0825-flip-mean.tflite', 'metadata names buffer 260 of 5, the fault that 0251 expects to be refused'],
]);

function entries(): readonly Entry[] {
  return (JSON.parse(readFileSync(shared('bad-models/INDEX.json'), 'utf8')) as { files: Entry[] }).files;
}

function bytesOf(entry: Entry): Uint8Array {
  return new Uint8Array(
    entry.recipe ? expand(entry.bytes, entry.recipe.parts) : readFileSync(shared(`bad-models/${entry.file}`)),
  );
}

function expand(size: number, parts: readonly Part[]): Buffer {
  const out = Buffer.alloc(size + 3);
  let at = 0;
  for (const part of parts) {
    if ('base64' in part) {
      at += Buffer.from(part.base64, 'base64').copy(out, at);
      continue;
    }
    for (let i = 0; i < part.times; i++) {
      part.u32.forEach((word, j) => {
        if (at + 4 <= out.length) out.writeUInt32LE((word + Math.imul(part.step[j]!, i)) >>> 0, at);
        at += 4;
      });
    }
  }
  return out.subarray(0, size);
}

function errorOf(bytes: Uint8Array): unknown {
  try {
    verifyModel(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}

function verify(entry: Entry): Outcome {
  const bytes = bytesOf(entry);
  const error = errorOf(bytes);
  return { entry, error, milliseconds: Math.min(...[0, 1, 2].map(() => timeOf(bytes))) };
}

function timeOf(bytes: Uint8Array): number {
  const start = performance.now();
  errorOf(bytes);
  return performance.now() - start;
}

/** What `verifyModel` alone must decide; later verdicts may also fall when the model is compiled or run. */
function agrees({ entry, error }: Outcome): boolean {
  if (entry.expect === 'accept') return error === undefined;
  return entry.expect !== 'reject-load' || error !== undefined;
}

function printTable(outcomes: readonly Outcome[]): void {
  const rows = new Map<string, { files: number; refused: number; agree: number }>();
  for (const outcome of outcomes) {
    const key = `${outcome.entry.class} ${outcome.entry.expect}`;
    const row = rows.get(key) ?? { files: 0, refused: 0, agree: 0 };
    rows.set(key, {
      files: row.files + 1,
      refused: row.refused + (outcome.error ? 1 : 0),
      agree: row.agree + (agrees(outcome) ? 1 : 0),
    });
  }
  for (const [key, { files, refused, agree }] of [...rows].sort()) {
    console.log(`${key.padEnd(28)} ${files} files, ${refused} refused by the verifier, ${agree} as expected`);
  }
}

describe('malformed models', { skip: missingShared() }, () => {
  const outcomes = missingShared() ? [] : entries().map(verify);

  it('have the expected verdict', () => {
    printTable(outcomes);
    const wrong = outcomes.filter((outcome) => !agrees(outcome) && !CONTRADICTED.has(outcome.entry.file));
    assert.deepEqual(
      wrong.map(({ entry, error }) => `${entry.file}: ${entry.expect}: ${entry.wrong}: ${error}`),
      [],
    );
  });

  it('raise nothing but ModelError, with a code, a place and a short message', () => {
    for (const { entry, error } of outcomes) {
      if (error === undefined) continue;
      assert.ok(error instanceof ModelError, `${entry.file}: ${(error as Error).stack}`);
      assert.ok(
        error.code && error.offset !== undefined && error.message.length < 400,
        `${entry.file}: ${error.message}`,
      );
      assert.match(error.message, /^[^<>\p{Cc}\p{Cf}]*$/u, entry.file);
    }
  });

  it(`take at most ${MILLISECONDS} ms each`, () => {
    const slow = outcomes.filter(({ milliseconds }) => milliseconds > MILLISECONDS);
    assert.deepEqual(
      slow.map(({ entry, milliseconds }) => `${entry.file}: ${milliseconds.toFixed(0)} ms`),
      [],
    );
  });

  it('have the same verdict as a view at an odd offset of a larger buffer', () => {
    for (const { entry, error } of outcomes.filter((outcome) => outcome.entry.bytes < 100_000)) {
      const bytes = bytesOf(entry);
      const larger = new Uint8Array(bytes.length + 7);
      larger.set(bytes, 3);
      assert.equal(String(errorOf(larger.subarray(3, 3 + bytes.length))), String(error), entry.file);
    }
  });
});
