import { Hash } from '../hash.js';
import type { Node } from '../ir/graph.js';
import type { Plan } from '../plan/plan.js';
import type { Choice } from '../shader/target.js';

/** A node whose kernels can be had in several ways. */
export interface Tunable {
  readonly node: Node;
  /** What is asked: the texts and sizes of all candidates. Nodes that are alike have the same, on every device. */
  readonly key: string;
  /** What makes different kernels; the first is empty: how the node is compiled untuned. */
  readonly candidates: readonly Choice[];
  readonly multiplyAdds: number;
}

/** Share of a model's multiply-adds that tuning of the heaviest nodes covers. */
const HEAVY_SHARE = 0.8;

/** The ways to have a node, of those that `choices` make beside the usual one; `undefined` where there is but one. */
export function tunable(
  node: Node,
  choices: readonly Choice[],
  plan: (node: Node, choice: Choice) => Plan,
): Tunable | undefined {
  if (!node.inputs.some((value) => value?.data && value.dtype === 'float32')) return undefined;
  const known = new Map<string, Choice>();
  let multiplyAdds = 0;
  for (const choice of [{}, ...choices]) {
    const made = plan(node, choice);
    if (known.size === 0) multiplyAdds = made.draws.reduce((sum, { kernel }) => sum + kernel.multiplyAdds, 0);
    const text = textOf(made);
    if (!known.has(text)) known.set(text, choice);
  }
  if (known.size < 2 || multiplyAdds === 0) return undefined;
  return {
    node,
    key: new Hash().text([...known.keys()].join('\n')).digest,
    candidates: [...known.values()],
    multiplyAdds,
  };
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

/** All that the time of a plan depends on. */
function textOf(plan: Plan): string {
  const texts = plan.draws.map(({ kernel }) => {
    const sizes = plan.rectsOf(kernel.output).map(({ width, height }) => `${width}x${height}`);
    const numbers = kernel.params.map((param) => ('value' in param ? param.value : param.kind));
    return `${sizes} ${numbers} ${kernel.source}`;
  });
  return texts.join('\n');
}
