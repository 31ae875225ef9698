import type { Node, Value } from '../ir/graph.js';
import type { WeightBlock } from '../layout/weights.js';
import { type Plan, placesOf, type Storage } from '../plan/plan.js';
import type { Kernel } from '../shader/kernel.js';
import type { Target } from '../shader/target.js';
import { inOnePiece, type Pieces } from '../task.js';

/** A plan without functions, as structured cloning takes it: values are told apart by identity in one record. */
export interface FrozenPlan
  extends Pick<Plan, 'inputs' | 'outputs' | 'textures' | 'textureOf' | 'constants' | 'readable'>,
    Pick<Plan, 'activationBytes' | 'lowerBoundBytes' | 'precision'> {
  readonly storage: Storage;
  readonly draws: readonly FrozenDraw[];
}

interface FrozenDraw {
  readonly node: Pick<Node, 'id' | 'type'>;
  readonly kernel: Omit<Kernel, 'blocks'> & { readonly blocks: readonly FrozenBlock[] };
}

/** Weights as the arena takes them. */
interface FrozenBlock extends Pick<WeightBlock, 'group' | 'groups' | 'align'> {
  readonly constant: ArrayLike<number> | undefined;
  readonly texels: Float32Array;
}

/** All of a plan that linking needs, its weights packed. Makes them once more, in pieces. */
export function* freeze(plan: Plan): Pieces<FrozenPlan> {
  const values = new Map<Value, Value>();
  const frozen = (value: Value): Value => {
    const known = values.get(value);
    if (known) return known;
    const { id, name, shape, dtype, data } = value;
    // Of a view all of the file would be kept.
    const made = { id, name, shape, dtype, ...(data && { data: (data as Float32Array).slice() }) };
    values.set(value, made);
    return made;
  };
  const blocks = new Map<WeightBlock, FrozenBlock>();
  const draws: FrozenDraw[] = [];
  for (const { node, kernel } of plan.draws) {
    for (const block of kernel.blocks) {
      if (blocks.has(block)) continue;
      const { group, groups, align, constant } = block;
      // What the arena asks of the numbers of the model it can ask of the texels too.
      const texels = yield* block.texels();
      blocks.set(block, { group, groups, align, texels, constant: constant && texels });
      yield;
    }
    draws.push({
      node: { id: node.id, type: node.type },
      kernel: {
        ...kernel,
        output: frozen(kernel.output),
        inputs: kernel.inputs.map(frozen),
        blocks: kernel.blocks.map((block) => blocks.get(block)!),
      },
    });
  }
  const { textures, activationBytes, lowerBoundBytes, precision, storage } = plan;
  return {
    inputs: plan.inputs.map(frozen),
    outputs: plan.outputs.map(frozen),
    textures,
    textureOf: new Map([...plan.textureOf].map(([value, texture]) => [frozen(value), texture])),
    constants: plan.constants.map(frozen),
    readable: plan.readable.map(frozen),
    activationBytes,
    lowerBoundBytes,
    precision,
    storage: {
      atlasWidth: storage.atlasWidth,
      roots: new Map([...storage.roots].map(([value, root]) => [frozen(value), frozen(root)])),
      parts: new Map([...storage.parts].map(([value, tile]) => [frozen(value), tile])),
      unrounded: new Set([...storage.unrounded].map(frozen)),
    },
    draws,
  };
}

/** The plan again, for the target that it was made for. */
export function thaw({ draws, ...rest }: FrozenPlan, target: Target): Plan {
  return {
    ...rest,
    ...placesOf(rest.storage, target),
    restored: true,
    draws: draws.map(({ node, kernel }) => ({
      node: { ...node, attrs: {}, inputs: [], outputs: [] },
      kernel: {
        ...kernel,
        blocks: kernel.blocks.map(({ texels, ...block }) => ({ ...block, texels: inOnePiece(() => texels) })),
      },
    })),
  };
}
