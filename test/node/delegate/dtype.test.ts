import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { floatToHalf, halfToFloat, halvesToFloats } from '../../../delegate/ir/dtype.js';

describe('half floats', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

  it('are the same one by one and in bulk, for all bits', () => {
    const floats = halvesToFloats(all);
    for (const bits of all) assert.ok(Object.is(floats[bits], halfToFloat(bits)), `${bits}: ${floats[bits]}`);
  });

  it('come back from floats, but for the kinds of NaN', () => {
    for (const bits of all) {
      const float = halfToFloat(bits);
      if (!Number.isNaN(float)) assert.equal(floatToHalf(float), bits);
    }
  });
});
