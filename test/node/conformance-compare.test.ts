import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compare } from '../conformance/compare.js';
import { halfTolerance } from '../conformance/half-tolerance.js';
import { fromHalf } from '../conformance/values.js';

const base64 = (values: Float32Array | Int32Array) => Buffer.from(values.buffer).toString('base64');
const reference = (...values: number[]) => ({
  dtype: 'float32',
  shape: [values.length],
  data: base64(Float32Array.from(values)),
});

describe('the conformance comparison', () => {
  it('accepts a difference within abs + rel * |r| and reports it', () => {
    const verdict = compare(Float32Array.of(10.5), [1], reference(10), { abs: 0.1, rel: 0.05 });
    assert.deepEqual(verdict, { worst: 0.5 });
  });

  it('refuses a difference beyond the tolerance', () => {
    assert.match(compare(Float32Array.of(10.7), [1], reference(10), { abs: 0.1, rel: 0.05 }).error!, /1 of 1 differ/);
  });

  it('refuses another shape with the same elements', () => {
    assert.match(
      compare(Float32Array.of(1, 2), [1, 2], reference(1, 2), { abs: 1 }).error!,
      /shape \[1,2\], wanted \[2\]/,
    );
  });

  it('refuses the wrong array type', () => {
    assert.match(compare(Int32Array.of(1), [1], reference(1), { abs: 1 }).error!, /Int32Array for float32/);
  });

  it('wants NaN where the reference has it, and nowhere else', () => {
    assert.equal(compare(Float32Array.of(Number.NaN), [1], reference(Number.NaN), { abs: 0 }).error, undefined);
    assert.ok(compare(Float32Array.of(Number.NaN), [1], reference(1), { abs: 1e9 }).error);
    assert.ok(compare(Float32Array.of(1), [1], reference(Number.NaN), { abs: 1e9 }).error);
  });

  it('takes the largest float for infinity, as kernels clamp to it', () => {
    assert.equal(
      compare(Float32Array.of(Number.POSITIVE_INFINITY), [1], reference(3.4028235e38), { abs: 0 }).error,
      undefined,
    );
  });

  it('takes the largest half for infinity in half precision only', () => {
    const [got, want] = [Float32Array.of(65504), reference(1e6)];
    assert.equal(compare(got, [1], want, { abs: 0 }, { half: true }).error, undefined);
    assert.ok(compare(got, [1], want, { abs: 0 }).error);
  });

  it('loosens a move to half an ULP of half precision, and an integer not at all', () => {
    assert.deepEqual(halfTolerance('RESHAPE', 'float32', { exact: true }), {
      exact: true,
      abs: 2 ** -25,
      rel: 2 ** -11,
    });
    assert.deepEqual(halfTolerance('RESHAPE', 'int32', { exact: true }), { exact: true });
  });

  it('decodes half-precision bits', () => {
    assert.deepEqual([0x3c00, 0xc000, 0x0001, 0x7c00].map(fromHalf), [1, -2, 2 ** -24, Number.POSITIVE_INFINITY]);
  });
});
