import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encode } from 'flatbuffers/js/flexbuffers.js';
import { ModelError } from '../../../delegate/index.js';
import { readFlexbuffer } from '../../../src/format/flexbuffer.js';

describe('reading FlexBuffers', () => {
  it('gives numbers, strings, vectors and nested maps, in the order of the keys', () => {
    const options = {
      count: 7,
      flags: [true, false],
      name: 'x y',
      negative: -300,
      nested: { list: [1, 2, 3] },
      ratio: 0.25,
    };
    const expected = new Map<string, unknown>(Object.entries({ ...options, nested: new Map([['list', [1, 2, 3]]]) }));
    assert.deepEqual(readFlexbuffer(encode(options)), expected);
  });

  it('gives 64-bit integers', () => {
    assert.deepEqual(readFlexbuffer(encode([2 ** 40, -(2 ** 40)])), [2 ** 40, -(2 ** 40)]);
  });

  it('keeps keys such as __proto__ as data', () => {
    const map = readFlexbuffer(encode(JSON.parse('{"__proto__": 1}'))) as ReadonlyMap<string, unknown>;
    assert.deepEqual([...map], [['__proto__', 1]]);
  });

  it('refuses vectors nested a thousand deep', () => {
    const bytes = [0];
    let offset = 1;
    for (let i = 0; i < 1000; i++) {
      bytes.push(1, offset, i ? 40 : 4);
      offset = 2;
    }
    assert.throws(() => readFlexbuffer(Uint8Array.from([...bytes, 2, 40, 1])), /nested or shared too often/);
  });

  it('raises only ModelError on damaged bytes', () => {
    const original = encode({ a: [1, 2.5, 'three'], b: { c: -4, d: [[1], [2]] } });
    for (let at = 0; at < original.length; at++) {
      for (const value of [0, 1, 2, 8, 36, 40, 107, 127, 255]) {
        const bytes = original.slice();
        bytes[at] = value;
        try {
          readFlexbuffer(bytes);
        } catch (error) {
          assert.ok(error instanceof ModelError, `${at} = ${value}: ${(error as Error).stack}`);
        }
      }
    }
  });
});
