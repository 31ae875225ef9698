import type { Graph } from '../../delegate/index.js';

/** A graph of one ABS: the least that has a program, for what wants the context to be in use. */
export function absolute(): Graph {
  const [x, y] = [0, 1].map((id) => ({ id, name: `value ${id}`, shape: [1], dtype: 'float32' as const }));
  const node = { id: 0, type: 'ABS', attrs: {}, inputs: [x!], outputs: [y!] };
  return { name: 'absolute', nodes: [node], inputs: [x!], outputs: [y!] };
}
