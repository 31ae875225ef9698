import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { filtersOf, PAIRS, pairsOf, type Size } from '../../../delegate/kernels/winograd.js';
import { finish } from '../../../delegate/task.js';

/** Points of a line of m + 2 pixels, in the order 0, ∞, p, −p, … */
function pointsOf(line: readonly number[], m: Size): number[] {
  return pairsOf(m).flatMap(({ even, odd }, pair) => {
    const sum = (shares: readonly number[], from: number) =>
      shares.reduce((total, share, i) => total + share * (line[2 * i + from] ?? 0), 0);
    const [e, o] = [sum(even, 0), sum(odd, 1)];
    return pair === 0 ? [e, o] : [e + o, e - o];
  });
}

/** The m pixels that points become. */
function pixelsOf([zero, infinity, ...points]: readonly number[], m: Size): number[] {
  const signed = PAIRS[m].flatMap((p) => [p, -p]);
  return Array.from({ length: m }, (_, i) => {
    const sum = points.reduce((total, value, k) => total + value * signed[k]! ** i, 0);
    return sum + (i === 0 ? zero! : 0) + (i === m - 1 ? infinity! : 0);
  });
}

const transposed = (rows: readonly (readonly number[])[]) => rows[0]!.map((_, i) => rows.map((row) => row[i]!));
/** Both axes of a square, one after the other. */
const inBoth = (rows: readonly (readonly number[])[], along: (line: readonly number[]) => number[]) =>
  transposed(transposed(rows.map(along)).map(along));

describe('minimal filtering', () => {
  for (const m of [2, 4] as const)
    it(`of ${m}x${m} outputs is the sum over a 3x3 window`, () => {
      const number = fc.integer({ min: -64, max: 64 }).map((n) => n / 16);
      const square = (size: number) =>
        fc.array(fc.array(number, { minLength: size, maxLength: size }), { minLength: size, maxLength: size });
      fc.assert(
        fc.property(square(m + 2), square(3), (pixels, filter) => {
          const shape = { outC: 1, taps: 1, inC: 1, outSlices: 1, inSlices: 1 };
          const texels = finish(filtersOf(() => filter.flat(), m, shape).texels());
          const points = inBoth(pixels, (line) => pointsOf(line, m));
          const products = points.map((row, i) => row.map((v, j) => v * texels[(i * (m + 2) + j) * 4]!));
          const got = inBoth(products, (line) => pixelsOf(line, m));
          for (const [y, row] of got.entries())
            for (const [x, value] of row.entries()) {
              const window = filter.flatMap((taps, i) => taps.map((tap, j) => tap * pixels[y + i]![x + j]!));
              const expected = window.reduce((a, b) => a + b);
              assert.ok(Math.abs(value - expected) < 1e-3, `${value} at ${y}, ${x}; expected ${expected}`);
            }
        }),
      );
    });
});
