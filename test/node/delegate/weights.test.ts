import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ARENA_WIDTH, type ArenaCursor, groupsPerRow, placeInArena } from '../../../delegate/layout/weights.js';

const block = fc.oneof(
  fc.record({ group: fc.integer({ min: 1, max: ARENA_WIDTH }), groups: fc.integer({ min: 0, max: 3000 }) }),
  fc.record({ group: fc.constantFrom(1, 2), groups: fc.integer({ min: 0, max: 3000 }), align: fc.constantFrom(2, 4) }),
);

describe('the arena', () => {
  it('gives every group texels of its own, in one row, and leaves less than a group and the end of rows between', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        let end: ArenaCursor = { row: 0, column: 0 };
        for (const one of blocks) {
          const perRow = groupsPerRow(one.group);
          const { first, behind } = placeInArena(one, end);
          const textureOf = (group: number) => [Math.floor(group / perRow), (group % perRow) * one.group] as const;
          const [row, column] = textureOf(first);
          if (one.groups === 0) assert.deepEqual(behind, end);
          else {
            // Not before the last block, and not far behind it.
            const gap = (row - end.row) * ARENA_WIDTH + column - end.column;
            const { align = 1 } = { align: 1, ...one };
            assert.equal((first % perRow) % align, 0);
            assert.ok(
              gap >= 0 && gap < (align + 1) * one.group + (row > end.row ? ARENA_WIDTH % one.group : 0),
              `${gap}`,
            );
            const [lastRow, lastColumn] = textureOf(first + one.groups - 1);
            assert.ok(lastColumn + one.group <= ARENA_WIDTH);
            assert.deepEqual(behind, { row: lastRow, column: lastColumn + one.group });
          }
          end = behind;
        }
      }),
    );
  });

  it('puts vectors of several kernels into one row', () => {
    const first = placeInArena({ group: 1, groups: 10, align: 2 }, { row: 3, column: 999 });
    assert.deepEqual(first, { first: 4072, behind: { row: 3, column: 1010 } });
    const next = placeInArena({ group: 4, groups: 4 }, first.behind);
    assert.deepEqual(next, { first: 1021, behind: { row: 4, column: 4 } });
  });
});
