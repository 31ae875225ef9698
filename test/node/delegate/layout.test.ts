import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  atlasWidthFor,
  eachTexel,
  floatsOf,
  isLinear,
  layoutOf,
  layoutProblem,
  packTexels,
  unpackTexels,
} from '../../../delegate/layout/layout.js';

const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 });

describe('layout', () => {
  it('gives every element one place of its own, inside the texture', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 8, max: 64 }), (shape, width) => {
        const layout = layoutOf(shape, width);
        const seen = new Set<number>();
        eachTexel(layout, (offset, element, lanes) => {
          assert.ok(offset >= 0 && offset + 4 <= floatsOf(layout));
          for (let i = 0; i < lanes; i++) {
            assert.ok(!seen.has(offset + i));
            seen.add(offset + i);
          }
          assert.ok(element < shape.reduce((a, b) => a * b, 1));
        });
        assert.equal(
          seen.size,
          shape.reduce((a, b) => a * b, 1),
        );
        assert.ok(layout.width <= Math.max(width, layout.tileW));
      }),
    );
  });

  it('gives back what was packed', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);
        const layout = layoutOf(shape, 16);
        const texels = new Float32Array(floatsOf(layout));
        packTexels(values, layout, texels);
        const back = new Float32Array(values.length);
        unpackTexels(texels, layout, back);
        assert.deepEqual(back, values);
      }),
    );
  });

  it('interleaves 2x2 pixels of an image over four layers', () => {
    const { bx, by, tileW, tileH, layers } = layoutOf([1, 5, 7, 3], 64);
    assert.deepEqual({ bx, by, tileW, tileH, layers }, { bx: 2, by: 2, tileW: 4, tileH: 3, layers: 4 });
  });

  it('keeps a vector dense', () => {
    const layout = layoutOf([1, 1001], 64);
    assert.ok(isLinear(layout));
    assert.deepEqual([layout.cols, layout.rows], [63, 4]);
  });

  it('finds a width at which nothing is higher than the device allows', () => {
    assert.equal(atlasWidthFor([[1, 224, 224, 3]], 2048), 112);
    const width = atlasWidthFor([[1, 65, 65, 960]], 2048);
    assert.ok(layoutOf([1, 65, 65, 960], width).height <= 2048);
  });

  it('says what does not fit', () => {
    assert.equal(
      layoutProblem([1, 1, 40000, 1], 4096),
      '[1,1,40000,1] needs a 10000x1 texture; this device allows 4096x4096',
    );
    assert.equal(layoutProblem([1, 0, 4], 4096), '[1,0,4] is empty');
    assert.equal(layoutProblem([1, 224, 224, 64], 4096), undefined);
  });
});
