import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/index.js';
import { monotone, type Progress, partOf } from '../../../src/runtime/progress.js';
import { type ModelSource, readSource } from '../../../src/runtime/sources.js';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

/** The bytes in chunks of 100; `taken` counts how many were asked for. */
function stream(): { body: ReadableStream<Uint8Array>; taken: () => number } {
  let at = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at === bytes.length) controller.close();
        else controller.enqueue(bytes.slice(at, (at += 100)));
      },
    },
    { highWaterMark: 0 },
  );
  return { body, taken: () => at };
}

describe('readSource', () => {
  const sources: Record<string, () => ModelSource> = {
    'an ArrayBuffer': () => bytes.slice().buffer,
    'a Uint8Array': () => bytes,
    'a view into a larger buffer': () => new DataView(Uint8Array.of(9, ...bytes, 9).buffer, 1, 1000),
    'a Blob': () => new Blob([bytes]),
    'a Response': () => new Response(stream().body),
    'a ReadableStream': () => stream().body,
    'an IOHandler with weightData': () => ({ load: async () => ({ weightData: bytes.slice().buffer }) }),
    'an IOHandler with several buffers': () => ({
      load: async () => ({ weightData: [bytes.slice(0, 300).buffer, bytes.slice(300).buffer] }),
    }),
    'a data URL': () => `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`,
    'a URL object': () => new URL(`data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`),
  };
  for (const [name, source] of Object.entries(sources)) {
    it(`reads ${name}`, async () => {
      const seen: Progress[] = [];
      assert.deepEqual(await readSource(source(), { onProgress: (p) => seen.push(p) }), bytes);
      assert.deepEqual(seen.at(-1), { phase: 'download', loaded: 1000, total: 1000, fraction: 1 });
    });
  }

  it('uses a Uint8Array in place', async () => {
    assert.equal((await readSource(bytes)).buffer, bytes.buffer);
  });

  it('refuses what is no source', async () => {
    await assert.rejects(readSource(7 as unknown as ModelSource), /\[object Number\]; accepted: a URL, ArrayBuffer/);
    await assert.rejects(readSource(null as unknown as ModelSource), TypeError);
  });

  it('says what the server answered', async () => {
    await assert.rejects(readSource(new Response('', { status: 404, statusText: 'Not Found' })), /404 Not Found/);
  });

  it('cuts a download off by the bytes received, whatever Content-Length says', async () => {
    const { body, taken } = stream();
    const response = new Response(body, { headers: { 'content-length': '10' } });
    await assert.rejects(readSource(response, { maxBytes: 250 }), (error) => {
      assert.ok(error instanceof ModelError);
      assert.equal(error.code, 'too-large');
      return true;
    });
    assert.ok(taken() <= 400);
  });

  it('refuses a buffer above the limit', async () => {
    await assert.rejects(readSource(bytes, { maxBytes: 999 }), /1000 bytes; accepted: up to 999/);
  });

  it('reports progress that never falls and ends at 1, also where Content-Length is wrong', async () => {
    for (const length of ['10', '1000', '100000']) {
      const seen: number[] = [];
      const response = new Response(stream().body, { headers: { 'content-length': length } });
      await readSource(response, { onProgress: monotone(({ fraction }) => seen.push(fraction)) });
      assert.deepEqual(
        seen,
        [...seen].sort((a, b) => a - b),
      );
      assert.equal(seen.at(-1), 1);
    }
  });

  it('stops when aborted', async () => {
    const controller = new AbortController();
    const { body, taken } = stream();
    const reading = readSource(body, {
      signal: controller.signal,
      onProgress: ({ loaded }) => loaded === 300 && controller.abort(),
    });
    await assert.rejects(reading, { name: 'AbortError' });
    assert.ok(taken() <= 500);
    await assert.rejects(readSource(bytes, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  });

  it('checks the integrity, of which any may match', async () => {
    const hash = `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
    assert.equal((await readSource(bytes, { integrity: hash })).length, 1000);
    assert.equal((await readSource(bytes, { integrity: `sha384-AAAA ${hash}` })).length, 1000);
    await assert.rejects(readSource(bytes, { integrity: 'sha256-AAAA' }), (error) => {
      assert.ok(error instanceof ModelError);
      assert.equal(error.code, 'integrity');
      return true;
    });
    await assert.rejects(readSource(bytes, { integrity: 'md5-AAAA' }), TypeError);
  });
});

describe('monotone', () => {
  it('drops what goes back within a phase or to an earlier one', () => {
    const seen: string[] = [];
    const report = monotone(({ phase, fraction }) => seen.push(`${phase} ${fraction}`));
    for (const fraction of [0.5, 0.2, 1]) report(partOf('verify', fraction));
    report(partOf('compile', 0));
    report(partOf('verify', 1));
    assert.deepEqual(seen, ['verify 0.5', 'verify 1', 'compile 0']);
  });
});
