import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makePlan, type Plan, type PlannedDraw } from '../../../delegate/plan/plan.js';
import { type Kernel, PARAM_TEXT, paramsDeclaration, paramText, type Shader } from '../../../delegate/shader/kernel.js';
import { shadersOf } from '../../../delegate/shader/literals.js';
import type { Target } from '../../../delegate/shader/target.js';
import { finish } from '../../../delegate/task.js';
import { Arena } from '../../../delegate/webgl/arena.js';
import { placedShaders } from '../../../delegate/webgl/commands.js';
import type { Device } from '../../../delegate/webgl/device.js';
import { activation, constant, graphOf, node, target } from './build.js';

/** What the draws of a plan run. */
function shadersOfPlan(plan: Plan): Shader[] {
  const kernels = plan.draws.map(({ kernel }) => kernel);
  const arena = new Arena({ capabilities: { maxTextureSize: 4096 } } as Device, plan.target);
  finish(arena.place(kernels));
  return placedShaders(plan, kernels, (v) => plan.textures[plan.textureOf.get(v)!]!, arena);
}

/** Pointwise convolutions of 16 to 16 channels, one after the other: with pairs of slices two steps each. */
function chain(...sizes: readonly number[]) {
  const attrs = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
  const inputs = sizes.map((size) => activation([1, size, size, 16]));
  const outputs = sizes.map((size) => activation([1, size, size, 16]));
  const filter = constant([16, 1, 1, 16], new Array(256).fill(0.1));
  const nodes = inputs.map((x, i) => node('CONV_2D', [x, filter], [outputs[i]!], attrs));
  return graphOf(inputs, nodes, outputs);
}

const shaders = (sizes: readonly number[], changes: Partial<Target> = {}): Shader[] =>
  shadersOfPlan(finish(makePlan(chain(...sizes), { ...target, ...changes }))).filter(
    ({ kernel }) => kernel.name === 'conv_1x1',
  );

/** A kernel of nothing but parameters of one kind, and the text that reads them. */
function reading(kind: 'size' | 'number' | 'count', values: readonly number[]): Kernel {
  const [{ kernel }] = finish(makePlan(chain(16), target)).draws as readonly [PlannedDraw];
  const { text } = paramsDeclaration(values.length, target.varyings);
  const source = `${text}\nvoid main() { r0 = vec4(${values.map((_, i) => paramText(i))}); }`;
  return { ...kernel, source, params: values.map((value) => ({ kind, value })) };
}
const respelled = (kind: 'size' | 'number' | 'count', ...draws: readonly (readonly number[])[]) =>
  shadersOf(
    draws.map((values) => reading(kind, values)),
    draws,
    target,
  );

describe('numbers in shaders', () => {
  it('are literals where all draws of a program have the size or the place in common', () => {
    const [one] = shaders([16]) as [Shader];
    assert.match(one.source, /\(8\.0\)/);
    // Turns of the loop over slices and bounds of the activation are left.
    assert.deepEqual(one.numbers, [2, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    const [small, large] = shaders([16, 24]) as [Shader, Shader];
    assert.equal(small.source, large.source);
    assert.equal(small.vertex, large.vertex);
    assert.ok(
      small.numbers.length > 1 && small.numbers.length < shaders([16], { literals: 'none' })[0]!.numbers.length,
    );
  });

  it('stay parameters for models whose shapes vary: one text does for all', () => {
    const [a, b] = [16, 24].map((size) => shaders([size], { literals: 'none' })[0]!);
    assert.equal(a!.source, b!.source);
    assert.equal(a!.vertex, b!.vertex);
    assert.notDeepEqual(a!.numbers, b!.numbers);
  });

  it('are all read, and in their order', () => {
    const [{ source, numbers }] = shaders([16, 24]) as [Shader];
    assert.ok(source.includes(paramsDeclaration(numbers.length, target.varyings).text));
    const read = [...source.matchAll(PARAM_TEXT)].map(([, i, c]) => Number(i) * 4 + 'xyzw'.indexOf(c!));
    assert.deepEqual(
      [...new Set(read)].sort((a, b) => a - b),
      [...numbers.keys()],
    );
  });

  it('that elements are computed with or loops are counted with stay parameters', () => {
    for (const kind of ['number', 'count'] as const) {
      const [{ source, numbers }] = respelled(kind, [1, 2]) as [Shader];
      assert.match(source, /p0\.x,p0\.y/);
      assert.deepEqual(numbers, [1, 2]);
    }
  });

  it('that are equal in all draws of a program are one parameter', () => {
    const [first, second] = respelled('size', [1, 1, 5, 3], [2, 2, 5, 4]) as [Shader, Shader];
    assert.equal(first.source, 'flat in vec2 p0;\nvoid main() { r0 = vec4(p0.x,p0.x,(5.0),p0.y); }');
    assert.equal(second.source, first.source);
    assert.deepEqual(
      [first.numbers, second.numbers],
      [
        [1, 3],
        [2, 4],
      ],
    );
  });

  it('stay where a literal might be another number, and leave shaders without any alone', () => {
    const values = [1, -0, 2 ** -140, Number.POSITIVE_INFINITY, Number.NaN, -2.5, 0, -0];
    const [made] = respelled('size', values) as [Shader];
    assert.equal(
      made.source,
      'flat in vec3 p0;\nvoid main() { r0 = vec4((1.0),p0.x,p0.y,(uintBitsToFloat(0x7f800000u)),p0.z,(-2.5),(0.0),p0.x); }',
    );
    assert.deepEqual(made.numbers, [-0, 2 ** -140, Number.NaN]);
    const plain = { ...reading('size', []), source: 'void main() {}' };
    assert.equal(shadersOf([plain], [[]], target)[0]!.source, plain.source);
  });
});
