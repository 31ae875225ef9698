import { type Graph, type Node, readsOf } from '../ir/graph.js';
import { makePlan, type Plan } from '../plan/plan.js';
import type { Choice, Target } from '../shader/target.js';

/** A node whose kernels can be had in several ways. */
export interface Tunable {
  readonly node: Node;
  /** Of which device-independent question this is one: the texts and sizes of all candidates. Equal nodes have equal keys. */
  readonly key: string;
  /** What makes different kernels; the first is empty: how the node is compiled untuned. */
  readonly candidates: readonly Choice[];
  readonly multiplyAdds: number;
}

/** Share of a model's multiply-adds that tuning of the heaviest nodes covers. */
const HEAVY_SHARE = 0.8;

/** The nodes of a graph that can be had in several ways, planned in pieces of work. */
export function* tunables(graph: Graph, target: Target, axes: readonly Choice[]): Generator<Tunable | undefined> {
  for (const node of graph.nodes) yield tunable(node, target, axes);
}

/** The fewest nodes, heaviest first, that have most of the multiply-adds of all. */
export function heaviest(all: readonly Tunable[]): readonly Tunable[] {
  const sorted = [...all].sort((a, b) => b.multiplyAdds - a.multiplyAdds);
  let left = sorted.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0) * HEAVY_SHARE;
  return sorted.filter(({ multiplyAdds }) => {
    const wanted = left > 0;
    left -= multiplyAdds;
    return wanted;
  });
}

/** A node alone, as a graph that reads its inputs. */
export function graphOf(node: Node): Graph {
  const inputs = [...new Set(readsOf(node).filter((value) => !value.data))];
  return { name: node.type, nodes: [node], inputs, outputs: node.outputs };
}

function tunable(node: Node, target: Target, axes: readonly Choice[]): Tunable | undefined {
  const isWeighted = node.inputs.some((value) => value?.data && value.dtype === 'float32');
  if (!isWeighted) return undefined;
  const graph = graphOf(node);
  const known = new Map<string, Choice>();
  let multiplyAdds = 0;
  for (const choice of [{}, ...axes]) {
    const plan = makePlan(graph, target, () => choice);
    if (known.size === 0) multiplyAdds = plan.draws.reduce((sum, { kernel }) => sum + kernel.multiplyAdds, 0);
    const text = textOf(plan);
    if (!known.has(text)) known.set(text, choice);
  }
  if (known.size < 2 || multiplyAdds === 0) return undefined;
  return { node, key: hash([...known.keys()].join('\n')), candidates: [...known.values()], multiplyAdds };
}

/** All that the time of a plan depends on. */
function textOf(plan: Plan): string {
  return plan.draws
    .map(({ kernel }) => {
      const { width, height } = plan.layoutOf(kernel.output);
      const numbers = kernel.params.map((param) => (param.kind === 'number' ? param.value : param.kind));
      return `${width}x${height} ${numbers} ${kernel.source}`;
    })
    .join('\n');
}

/** 64 bits of a text, in hexadecimal (FNV-1a in two lanes). Equal texts are what counts, so it need not be secure. */
function hash(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01234567];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i), 0x5bd1e995);
    b ^= b >>> 15;
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
