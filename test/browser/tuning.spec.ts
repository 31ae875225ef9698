// Tuning on the device, from the first answer to the next compilation.
import { createGpuDelegate } from '../../delegate/delegate.js';
import type { Graph, Value } from '../../delegate/ir/graph.js';
import { normalizeOptions } from '../../delegate/options.js';
import { DATABASE, WINNERS } from '../../delegate/tuning/store.js';
import { random } from '../support/random.js';
import { inTable, request } from './support/tables.js';

/** A 3×3 convolution of 8 to 8 channels: one draw, or three by minimal filtering, and one that makes the output dense. */
function convolution(): Graph {
  const next = random(3);
  const numbers = (size: number) => Float32Array.from({ length: size }, () => next() - 0.5);
  const x: Value = { id: 0, name: 'x', shape: [1, 24, 24, 8], dtype: 'float32' };
  const y: Value = { id: 1, name: 'y', shape: [1, 24, 24, 8], dtype: 'float32' };
  const filter: Value = { id: 2, name: 'w', shape: [8, 3, 3, 8], dtype: 'float32', data: numbers(8 * 9 * 8) };
  const attrs = { padding: 'SAME', strideH: 1, strideW: 1, dilationHFactor: 1, dilationWFactor: 1 };
  return {
    name: 'conv',
    nodes: [{ id: 0, type: 'CONV_2D', attrs, inputs: [x, filter], outputs: [y] }],
    inputs: [x],
    outputs: [y],
  };
}

/** Compiles and runs the convolution once on a new context; `meanwhile` goes on before all is disposed. */
async function answer(inferencePreference: 0 | 1 | 2, meanwhile = async () => {}) {
  const gl = document.createElement('canvas').getContext('webgl2')!;
  const delegate = createGpuDelegate(gl, normalizeOptions({ inferencePreference }));
  const executable = await delegate.compile(convolution());
  const image = Float32Array.from({ length: 24 * 24 * 8 }, (_, i) => ((i * 7) % 31) / 31);
  const values = (await executable.run([image], [0])[0]) as Float32Array;
  await meanwhile();
  const { draws } = executable.stats;
  executable.dispose();
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return { values, draws };
}

/** The stored winners; with `value`, each is replaced by it. */
function winners(value?: number): Promise<unknown[]> {
  return inTable(DATABASE, WINNERS, async (table) => {
    if (value !== undefined)
      for (const key of await request(table().getAllKeys())) await request(table().put(value, key));
    return await request(table().getAll());
  });
}

/** Resolves once something is stored. */
async function tuned(): Promise<void> {
  while ((await winners()).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
}

describe('tuning', () => {
  it('times kernels after the first answer and changes the next compilation only', async () => {
    const untuned = await answer(0);
    const first = await answer(1, tuned);
    expect(first.values).toEqual(untuned.values);
    expect(first.draws).toBe(2);
    const [winner] = await winners();
    expect([0, 1, 2]).toContain(winner as number);

    expect(await winners(1)).toEqual([1]);
    const filtered = await answer(2);
    expect(filtered.draws).toBe(5);
    filtered.values.forEach((value, i) => {
      expect(Math.abs(value - untuned.values[i]!)).toBeLessThan(1e-5);
    });
    expect((await answer(0)).draws).toBe(2);
  });
});
