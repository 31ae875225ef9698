import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { assignMemory, bytesOf, sharedLowerBound, type Usage } from '../../../delegate/plan/memory.js';
import { finish } from '../../../delegate/task.js';

const usage: fc.Arbitrary<Usage> = fc
  .record({
    width: fc.integer({ min: 1, max: 8 }),
    height: fc.integer({ min: 1, max: 64 }),
    layers: fc.constantFrom(1, 4, 8),
    half: fc.boolean(),
    first: fc.nat(20),
    life: fc.nat(6),
  })
  .map(({ life, ...u }) => ({ ...u, last: u.first + life }));

const planned = (usages: readonly Usage[], effort = 2e6) => finish(assignMemory(usages, effort))!;

describe('memory', () => {
  it('never lets two live tensors share a texture, and gives each one that is large enough', () => {
    fc.assert(
      fc.property(fc.array(usage, { maxLength: 20 }), (usages) => {
        const { slotOf, slots } = planned(usages);
        usages.forEach((u, i) => {
          const slot = slots[slotOf[i]!]!;
          assert.ok(slot.width >= u.width && slot.height >= u.height && slot.layers >= u.layers);
          assert.equal(slot.half, u.half);
          usages.forEach((v, j) => {
            if (i !== j && slotOf[i] === slotOf[j]) assert.ok(u.last < v.first || v.last < u.first);
          });
        });
      }),
    );
  });

  it('stays between the lower bound and a texture for each', () => {
    fc.assert(
      fc.property(fc.array(usage, { maxLength: 20 }), (usages) => {
        const { bytes } = planned(usages);
        const naive = usages.reduce((sum, u) => sum + bytesOf(u), 0);
        assert.ok(bytes >= sharedLowerBound(usages) && bytes <= naive);
      }),
    );
  });

  it('runs a chain in two textures', () => {
    const chain = Array.from({ length: 10 }, (_, i) => ({
      width: 8,
      height: 10 - i,
      layers: 4,
      half: false,
      first: i,
      last: i + 1,
    }));
    assert.equal(planned(chain).slots.length, 2);
    assert.equal(planned(chain).bytes, sharedLowerBound(chain));
  });
});
