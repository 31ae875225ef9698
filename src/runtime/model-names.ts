/** How the tensors of a model are called by those who use it. */
import { quoted, type Value } from '../../delegate/index.js';
import { listOf, type TensorMap } from '../format/model.js';

/** Inputs or outputs by name. */
export interface Names {
  /** The names to show and to key results with: one per position, no two equal. */
  readonly names: readonly string[];
  /** The position that a name means. Throws RangeError for an unknown one. */
  positionOf(name: string): number;
}

/**
 * Names of a subgraph's inputs or outputs: those of the file's tensors; also accepted are the names of its signatures,
 * and both without TensorFlow's `:0`.
 */
export function namesOf(kind: 'input' | 'output', values: readonly Value[], aliases: readonly TensorMap[] = []): Names {
  const names = unique(values.map(({ name }, i) => name || `${kind}_${i}`));
  const known = new Map<string, number>();
  const learn = (name: string, position: number) => {
    if (position >= 0 && !known.has(name)) known.set(name, position);
  };
  names.forEach(learn);
  for (const { name = '', tensorIndex } of aliases) {
    learn(
      name,
      values.findIndex(({ id }) => id === tensorIndex),
    );
  }
  for (const [name, position] of [...known]) learn(bare(name), position);
  return {
    names,
    positionOf(name) {
      const position = known.get(name) ?? known.get(bare(name));
      if (position !== undefined) return position;
      const accepted = [...known.keys()].map((known) => quoted(known)).join(', ');
      throw new RangeError(`there is no ${kind} ${quoted(name)}; accepted: ${accepted || `none, there is no ${kind}`}`);
    },
  };
}

/** The positions of a signature's tensors, in the signature's order. */
export function positionsOf(values: readonly Value[], maps: readonly TensorMap[] | undefined): number[] {
  return listOf(maps).map(({ tensorIndex }) => values.findIndex(({ id }) => id === tensorIndex));
}

function bare(name: string): string {
  return name.replace(/:0$/, '');
}

function unique(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let i = 1; taken.has(free); i++) free = `${name}_${i}`;
    taken.add(free);
    return free;
  });
}
