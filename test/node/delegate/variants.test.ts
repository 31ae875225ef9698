import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { areHalves } from '../../../delegate/layout/weights.js';
import { makePlan } from '../../../delegate/plan/plan.js';
import type { Target } from '../../../delegate/shader/target.js';
import { finish } from '../../../delegate/task.js';
import variants from '../../conformance/variants.json';
import { activation, constant, graphOf, node, target } from './build.js';

type Variant = Omit<Target, 'maxTextureSize' | 'largestDraw' | 'narrowest' | 'precision'>;
const all = Object.entries(variants) as [string, Variant][];
const targetOf = (variant: Variant): Target => ({ ...target, ...variant });

/** A 3×3 convolution of 4 to 4 channels: 36 texels of weights. */
function convolution() {
  const x = activation([1, 16, 16, 4], 'x');
  const y = activation([1, 16, 16, 4], 'y');
  const filter = constant([4, 3, 3, 4], new Array(144).fill(0.1));
  const attrs = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
  return graphOf([x], [node('CONV_2D', [x, filter], [y], attrs)], [y]);
}

describe('the variants that tests force', () => {
  it('hold every pair of values of two fields', () => {
    const fields = Object.keys(all[0]![1]) as (keyof Variant)[];
    const valuesOf = (field: keyof Variant) => [...new Set(all.map(([, variant]) => variant[field]))];
    const missing = fields.flatMap((a, i) =>
      fields.slice(i + 1).flatMap((b) =>
        valuesOf(a).flatMap((va) =>
          valuesOf(b)
            .filter((vb) => !all.some(([, variant]) => variant[a] === va && variant[b] === vb))
            .map((vb) => `${a} ${va}, ${b} ${vb}`),
        ),
      ),
    );
    assert.deepEqual(missing, []);
    for (const field of fields) assert.ok(valuesOf(field).length > 1, `${field} is the same in all`);
  });

  for (const [name, variant] of all)
    it(`make kernels as they say: ${name}`, () => {
      const kernels = finish(makePlan(convolution(), targetOf(variant))).draws.map(({ kernel }) => kernel);
      const text = kernels.map(({ source }) => source).join('\n');
      assert.equal(/\btexture\(/.test(text), variant.fetch === 'texture');
      assert.equal(/\btexelFetch\(/.test(text), variant.fetch === 'texelFetch');
      assert.equal(/flat in vec\d p/.test(text), variant.varyings > 0);
      assert.equal(kernels[0]!.name === 'winograd_columns', variant.winograd === 'always');
      assert.equal(
        kernels.some(({ storage }) => storage === 'uniform'),
        variant.uniformWeights,
      );
      const targets = kernels.map(({ source }) => source.match(/layout\(location = /g)!.length);
      // Points are made in pairs of slices.
      assert.equal(Math.max(...targets), Math.min(variant.targets, variant.winograd === 'always' ? 8 : 4));
    });
});

describe('numbers that halves hold', () => {
  const values = (...list: number[]) => Float32Array.from(list);

  it('are those with 11 digits between 2^-14 and 65504, and multiples of 2^-24 below', () => {
    assert.ok(areHalves(values(0, -0, 1, -1.5, 65504, 2 ** -14, 2 ** -24, 5 * 2 ** -24, 1 + 2 ** -10)));
    for (const x of [0.1, 65520, 1 + 2 ** -11, 2 ** -25, 3 * 2 ** -25, Number.NaN])
      assert.ok(!areHalves(values(1, x)), `${x}`);
  });

  it('are found in a part of a buffer too', () => {
    assert.ok(areHalves(values(0.1, 0.5, 0.25).subarray(1)));
  });
});
