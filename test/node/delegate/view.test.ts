import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sizeOf, stridesOf } from '../../../delegate/ir/shape.js';
import {
  applyView,
  broadcastView,
  composeViews,
  grainView,
  identityView,
  simplifyView,
  type View,
  view,
} from '../../../delegate/layout/view.js';

const arbitraryView: fc.Arbitrary<View> = fc
  .array(
    fc.record({
      d: fc.integer({ min: 1, max: 5 }),
      s: fc.integer({ min: -4, max: 8 }),
      lo: fc.integer({ min: 0, max: 1 }),
      hi: fc.integer({ min: 0, max: 1 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((dims) => ({
    dims: dims.map((x) => x.d),
    strides: dims.map((x) => x.s),
    lo: dims.map((x) => x.lo),
    hi: dims.map((x) => x.d - x.hi),
    offset: 100,
    fill: -1,
  }));
const source = Array.from({ length: 400 }, (_, i) => i);

/** A move of all elements of `shape` to another shape: transposed, doubled along an axis, cut, or only renamed. */
const step: fc.Arbitrary<{ kind: number; a: number; b: number }> = fc.record({
  kind: fc.nat(3),
  a: fc.nat(5),
  b: fc.nat(5),
});
function moveOf(shape: readonly number[], { kind, a, b }: { kind: number; a: number; b: number }): View {
  const strides = stridesOf(shape);
  const order = shape.map((_, i) => i);
  const [i, j] = [a % shape.length, b % shape.length];
  if (kind === 0) [order[i], order[j]] = [order[j]!, order[i]!];
  const dims = order.map((k) => shape[k]!);
  const moved = order.map((k) => strides[k]!);
  if (kind === 1) return view([...dims.slice(0, i), 2, ...dims.slice(i)], [...moved.slice(0, i), 0, ...moved.slice(i)]);
  if (kind === 2 && dims[i]! > 1)
    return view(
      dims.map((d, k) => (k === i ? d - 1 : d)),
      moved,
      strides[i]!,
    );
  return view(dims, moved);
}

describe('view', () => {
  it('moves the same elements when two are composed, or refuses', () => {
    let composed = 0;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(1, 2, 3, 4, 6), { minLength: 1, maxLength: 4 }),
        step,
        step,
        fc.nat(3),
        (shape, s1, s2, split) => {
          const inner = moveOf(shape, s1);
          const size = sizeOf(inner.dims);
          // What lies between is renamed to another shape of as many elements.
          const parts = [[size], [2, size / 2], [size / 3, 3], [size / 4, 2, 2]][split]!;
          const between = parts.every(Number.isInteger) ? parts : [size];
          const outer = moveOf(between, s2);
          const both = composeViews(outer, inner);
          if (!both) return;
          composed++;
          assert.deepEqual(applyView(both, source), applyView(outer, applyView(inner, source)));
        },
      ),
      { numRuns: 500 },
    );
    assert.ok(composed > 100, `${composed} of 500`);
  });

  it('moves the same elements when simplified', () => {
    fc.assert(
      fc.property(arbitraryView, (v) => assert.deepEqual(applyView(simplifyView(v), source), applyView(v, source))),
    );
  });

  it('moves the same elements at any grain', () => {
    fc.assert(
      fc.property(arbitraryView, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), (v, outC, inC) => {
        const { grain, view: g } = grainView(v, outC, inC);
        const unit = grain === 'pixel' ? inC : grain === 'slice' ? 4 : 1;
        const grains = applyView(
          g,
          Array.from({ length: 400 }, (_, i) => i),
        );
        const elements = grains.flatMap((from) =>
          Array.from({ length: unit }, (_, i) => (from === g.fill ? g.fill : from * unit + i)),
        );
        assert.deepEqual(elements, applyView(v, source));
      }),
    );
  });

  it('moves whole pixels where channels stay together', () => {
    assert.equal(grainView(identityView([1, 6, 4, 3]), 3, 3).grain, 'pixel');
    assert.equal(grainView(identityView([2, 8]), 8, 4).grain, 'slice');
    assert.equal(grainView(identityView([2, 6]), 6, 3).grain, 'element');
    assert.equal(grainView(view([4, 4, 8], [8, 32, 1]), 8, 8).grain, 'pixel');
  });

  it('broadcasts by strides of zero', () => {
    assert.deepEqual(applyView(broadcastView([3, 1], [2, 3, 2]), [5, 6, 7]), [5, 5, 6, 6, 7, 7, 5, 5, 6, 6, 7, 7]);
  });

  it('mirrors with and without the edge', () => {
    const padded = { dims: [7], strides: [1], offset: -2, lo: [2], hi: [5], fill: 0 };
    assert.deepEqual(applyView({ ...padded, mirror: 0 }, [1, 2, 3]), [3, 2, 1, 2, 3, 2, 1]);
    assert.deepEqual(applyView({ ...padded, mirror: 1 }, [1, 2, 3]), [2, 1, 1, 2, 3, 3, 2]);
  });
});
