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
  type RenderTargets,
  rectsOf,
  unpackTexels,
} from '../../../delegate/layout/layout.js';

const grids = fc.record({
  atlasWidth: fc.integer({ min: 8, max: 64 }),
  targets: fc.constantFrom<RenderTargets>(1, 4, 8),
});
const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 });

describe('layout', () => {
  it('gives every element one place of its own, inside the texture', () => {
    fc.assert(
      fc.property(shapes, grids, (shape, grid) => {
        const layout = layoutOf(shape, grid);
        assert.ok(layout.layers <= grid.targets);
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
        assert.ok(layout.width <= Math.max(grid.atlasWidth, layout.tileW));
      }),
    );
  });

  it('gives back what was packed', () => {
    fc.assert(
      fc.property(shapes, grids, (shape, grid) => {
        const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);
        const layout = layoutOf(shape, grid);
        const texels = new Float32Array(floatsOf(layout));
        packTexels(values, layout, texels);
        const back = new Float32Array(values.length);
        unpackTexels(texels, layout, back);
        assert.deepEqual(back, values);
      }),
    );
  });

  it('interleaves 2x2 pixels of an image over four layers', () => {
    const { bx, by, tileW, tileH, layers } = layoutOf([1, 5, 7, 3], { atlasWidth: 64, targets: 8 });
    assert.deepEqual({ bx, by, tileW, tileH, layers }, { bx: 2, by: 2, tileW: 4, tileH: 3, layers: 4 });
  });

  it('pairs slices of an image where 8 targets may be written', () => {
    const of = (c: number, targets: 4 | 8) => layoutOf([1, 8, 8, c], { atlasWidth: 64, targets });
    assert.deepEqual([of(16, 8).bs, of(16, 8).layers, of(16, 8).cols], [2, 8, 2]);
    assert.deepEqual([of(16, 4).bs, of(16, 4).layers, of(16, 4).cols], [1, 4, 4]);
    assert.deepEqual([of(12, 8).bs, of(20, 8).bs], [1, 2], 'half a group stays empty only where there are many');
  });

  it('keeps a vector dense', () => {
    const layout = layoutOf([1, 1001], { atlasWidth: 64, targets: 8 });
    assert.ok(isLinear(layout));
    assert.deepEqual([layout.cols, layout.rows], [63, 4]);
  });

  it('stacks the tiles of a sequence, so that a draw is not one row', () => {
    const of = (channels: number) => layoutOf([1, 49, channels], { atlasWidth: 64, targets: 4 });
    const [{ width, height }, few] = [of(64), of(12)];
    assert.deepEqual([width, height], [52, 4]);
    assert.deepEqual([few.width, few.height], [13, 3]);
  });

  it('finds a width at which nothing is higher than the device allows', () => {
    assert.equal(atlasWidthFor([[1, 224, 224, 3]], 4, 2048), 64);
    const width = atlasWidthFor([[1, 65, 65, 960]], 4, 2048);
    assert.ok(layoutOf([1, 65, 65, 960], { atlasWidth: width, targets: 4 }).height <= 2048);
  });

  it('says what does not fit', () => {
    assert.equal(
      layoutProblem([1, 1, 40000, 1], 4, 4096),
      '[1,1,40000,1] needs a 10000x1 texture; this device allows 4096x4096',
    );
    assert.equal(layoutProblem([1, 0, 4], 4, 4096), '[1,0,4] is empty');
    assert.equal(layoutProblem([1, 224, 224, 64], 4, 4096), undefined);
  });

  it('covers tiles by rectangles: the rest of a row, whole rows, and the begin of another', () => {
    // 20 slices of 8x8 pixels: tiles of 4x4 texels, 4 side by side.
    const layout = layoutOf([1, 8, 8, 80], { atlasWidth: 16, targets: 4 });
    assert.deepEqual(rectsOf(layout, 3, 10), [
      { x: 12, y: 0, width: 4, height: 4 },
      { x: 0, y: 4, width: 16, height: 8 },
      { x: 0, y: 12, width: 4, height: 4 },
    ]);
    assert.deepEqual(rectsOf(layout, 5, 2), [{ x: 4, y: 4, width: 8, height: 4 }]);
  });

  it('covers each tile of a run once', () => {
    fc.assert(
      fc.property(shapes, grids, fc.nat(), fc.nat(), (shape, grid, a, b) => {
        const layout = layoutOf(shape, grid);
        const tiles = layout.n * layout.groups;
        const [first, end] = [a % tiles, b % tiles].sort((x, y) => x - y) as [number, number];
        const covered = rectsOf(layout, first, end - first).flatMap(({ x, y, width, height }) => {
          const [across, down] = [width / layout.tileW, height / layout.tileH];
          const at = (y / layout.tileH) * layout.cols + x / layout.tileW;
          return Array.from(
            { length: across * down },
            (_, i) => at + Math.floor(i / across) * layout.cols + (i % across),
          );
        });
        assert.deepEqual(
          covered,
          Array.from({ length: end - first }, (_, i) => first + i),
        );
      }),
    );
  });
});
