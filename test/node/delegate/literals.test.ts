import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makePlan } from '../../../delegate/plan/plan.js';
import type { Kernel } from '../../../delegate/shader/kernel.js';
import { withLiterals } from '../../../delegate/shader/literals.js';
import type { Target } from '../../../delegate/shader/target.js';
import { finish } from '../../../delegate/task.js';
import { activation, constant, graphOf, node, target } from './build.js';

/** Pointwise convolutions of 16 to 16 channels, one after the other: with pairs of slices two steps each. */
function chain(...sizes: readonly number[]) {
  const attrs = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
  const inputs = sizes.map((size) => activation([1, size, size, 16]));
  const outputs = sizes.map((size) => activation([1, size, size, 16]));
  const filter = constant([16, 1, 1, 16], new Array(256).fill(0.1));
  const nodes = inputs.map((x, i) => node('CONV_2D', [x, filter], [outputs[i]!], attrs));
  return graphOf(inputs, nodes, outputs);
}

const kernelsOf = (sizes: readonly number[], changes: Partial<Target> = {}): Kernel[] =>
  finish(makePlan(chain(...sizes), { ...target, ...changes }))
    .draws.map(({ kernel }) => kernel)
    .filter(({ name }) => name === 'conv_1x1');
const numbersOf = ({ params }: Kernel) => params.filter(({ kind }) => kind === 'size').length;

describe('sizes in shaders', () => {
  it('are literals where all draws of a program have them in common', () => {
    const [one] = kernelsOf([16]) as [Kernel];
    assert.equal(numbersOf(one), 0);
    assert.match(one.source, /\(8\.0\)/);
    const [small, large] = kernelsOf([16, 24]) as [Kernel, Kernel];
    assert.equal(small.source, large.source);
    assert.ok(numbersOf(small) > 0 && numbersOf(small) < numbersOf(kernelsOf([16], { literals: 'none' })[0]!));
  });

  it('stay parameters for models whose shapes vary: one text does for all', () => {
    const [a, b] = [16, 24].map((size) => kernelsOf([size], { literals: 'none' })[0]!);
    assert.equal(a!.source, b!.source);
    assert.equal(a!.vertex, b!.vertex);
  });

  it('leave turns of loops, what elements are computed with and what only placing tells', () => {
    const [{ params, source }] = kernelsOf([16]) as [Kernel];
    const kinds = params.map(({ kind }) => kind);
    for (const kind of ['count', 'number', 'cols', 'inverse', 'block'])
      assert.ok(kinds.includes(kind as 'count'), kind);
    const texels = Math.ceil(params.length / 4);
    assert.ok(source.includes(`flat in vec4 p[${texels}];`));
    const read = [...source.matchAll(/\bp\[(\d+)\]\.([xyzw])/g)].map(([, i, c]) => Number(i) * 4 + 'xyzw'.indexOf(c!));
    assert.deepEqual(
      [...new Set(read)].sort((a, b) => a - b),
      [...params.keys()],
    );
  });

  it('that are equal in all draws of a program are one parameter', () => {
    const numbers = numbersOf(kernelsOf([16, 24], { literals: 'none' })[0]!);
    // Of tiles: width and height of both images, and the inverse of those of the output.
    for (const kernel of kernelsOf([16, 24])) assert.equal(numbersOf(kernel), 2);
    assert.ok(numbers > 8, `${numbers}`);
  });

  it('stay where a literal might be another number, and leave shaders without any alone', () => {
    const [kernel] = kernelsOf([16], { literals: 'none' }) as [Kernel];
    const values = [1, -0, 2 ** -140, Number.POSITIVE_INFINITY, Number.NaN, -2.5, 0, -0];
    const source = `flat in vec4 p[2];\nvoid main() { r0 = vec4(${values.map((_, i) => `p[${i >> 2}].${'xyzw'[i & 3]}`)}); }`;
    const made = withLiterals(
      [{ ...kernel, source, params: values.map((value) => ({ kind: 'size', value }) as const) }],
      16,
    );
    assert.equal(
      made[0]!.source,
      'flat in vec4 p[1];\nvoid main() { r0 = vec4((1.0),p[0].x,p[0].y,(uintBitsToFloat(0x7f800000u)),p[0].z,(-2.5),(0.0),p[0].x); }',
    );
    assert.equal(made[0]!.params.length, 3);
    const plain = { ...kernel, source: 'void main() {}', params: [] };
    assert.equal(withLiterals([plain], 16)[0]!.source, plain.source);
  });
});
