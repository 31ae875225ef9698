import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  applyView,
  broadcastView,
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

describe('view', () => {
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
