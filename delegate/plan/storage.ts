import type { DType } from '../ir/dtype.js';
import { type Graph, type Node, readsOf, type Value } from '../ir/graph.js';
import { normalizeAxis, sizeOf } from '../ir/shape.js';
import { type RenderTargets, sameStorage, tileOfPart, tilingOf } from '../layout/layout.js';
import { SHAPE_ONLY } from '../ops/reshape.js';

/** What a draw copies to its place in another value. */
export interface Copy {
  readonly from: Value;
  readonly to: Value;
}

/** Which values have no texture of their own. */
export interface Sharing {
  /** For a value that is stored as another one: that one. */
  readonly roots: ReadonlyMap<Value, Value>;
  /** For a value that is a part of its root: the tile of the root at which it begins. */
  readonly parts: ReadonlyMap<Value, number>;
  /** Nodes that take no draw, since they only give a shape or a type another name. */
  readonly aliases: ReadonlySet<Node>;
  /** Concatenations that take none either but for copies of these. */
  readonly copies: ReadonlyMap<Node, readonly Copy[]>;
}

/** Decides which values of a graph are stored in textures of others. */
export function shareStorage(graph: Graph, targets: RenderTargets): Sharing {
  const roots = new Map<Value, Value>();
  const readsOfValue = countReads(graph);
  const aliases = aliasShapes(graph, targets, roots, readsOfValue);
  return { roots, aliases, ...placeParts(graph, targets, roots, readsOfValue) };
}

/** Types that have all numbers of a type as the same numbers: textures hold all of them as floats. */
const SAME_NUMBERS: Readonly<Partial<Record<DType, readonly DType[]>>> = {
  bool: ['float32', 'int32', 'uint8'],
  uint8: ['float32', 'int32'],
  int32: ['float32'],
};

/** Whether a node gives its first input's numbers under another shape or type. */
function onlyRenames({ type, inputs: [from], outputs: [to] }: Node): boolean {
  return SHAPE_ONLY.has(type) || (type === 'CAST' && (SAME_NUMBERS[from!.dtype]?.includes(to!.dtype) ?? false));
}

/** Values that share a texture because a node only renames: `roots` gives the one that is written. */
function aliasShapes(
  graph: Graph,
  targets: RenderTargets,
  roots: Map<Value, Value>,
  readsOfValue: (value: Value) => number,
): Set<Node> {
  const aliases = new Set<Node>();
  const rootOf = (v: Value): Value => roots.get(v) ?? v;
  const external = new Set([...graph.inputs, ...graph.outputs]);
  const uploaded = new Set(graph.inputs.filter((v) => !graph.outputs.includes(v) && readsOfValue(v) === 1));
  for (const node of graph.nodes) {
    const [from] = node.inputs;
    const [to] = node.outputs;
    if (!onlyRenames(node) || node.tail?.length || !from || from.data || !to) continue;
    // What is uploaded for this node alone is uploaded in the shape that the node gives it.
    if (uploaded.has(from) && !external.has(to)) roots.set(from, to);
    else if (sameStorage(tilingOf(rootOf(from).shape, targets), tilingOf(to.shape, targets)))
      roots.set(to, rootOf(from));
    else continue;
    aliases.add(node);
  }
  return aliases;
}

/**
 * What is concatenated along the channels is written where it belongs in the result, where nothing else reads it; the
 * rest is copied there. Later concatenations come first, since the result of one may be a part of another.
 */
function placeParts(
  graph: Graph,
  targets: RenderTargets,
  roots: Map<Value, Value>,
  readsOfValue: (value: Value) => number,
): Pick<Sharing, 'parts' | 'copies'> {
  const parts = new Map<Value, number>();
  const copies = new Map<Node, readonly Copy[]>();
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const shared = new Set([...roots.keys(), ...roots.values(), ...graph.inputs, ...graph.outputs]);
  const isFree = (v: Value) => made.has(v) && !shared.has(v) && readsOfValue(v) === 1;
  for (const node of [...graph.nodes].reverse()) {
    const places = placesIn(node, targets);
    if (!places?.some(({ value }) => isFree(value))) continue;
    const output = node.outputs[0]!;
    const whole = roots.get(output) ?? output;
    const start = parts.get(output) ?? 0;
    const copied: Copy[] = [];
    for (const { value, tile } of places) {
      const to = isFree(value) ? value : { ...value, id: -1, data: undefined };
      if (to !== value) copied.push({ from: value, to });
      roots.set(to, whole);
      parts.set(to, start + tile);
    }
    copies.set(node, copied);
  }
  return { parts, copies };
}

/** The tile at which each input of a concatenation begins, where all of them have tiles of their own. */
function placesIn(node: Node, targets: RenderTargets): readonly { value: Value; tile: number }[] | undefined {
  const [output] = node.outputs;
  if (node.type !== 'CONCATENATION' || node.tail?.length || !output) return undefined;
  const rank = output.shape.length;
  if (normalizeAxis(node.attrs.axis as number, rank) !== rank - 1) return undefined;
  const whole = tilingOf(output.shape, targets);
  const places: { value: Value; tile: number }[] = [];
  let channel = 0;
  for (const value of node.inputs) {
    if (!value || sizeOf(value.shape) === 0) continue;
    const tile = tileOfPart(whole, tilingOf(value.shape, targets), channel);
    if (tile === undefined) return undefined;
    places.push({ value, tile });
    channel += value.shape.at(-1)!;
  }
  return places;
}

/** How often nodes read each value. */
function countReads({ nodes }: Graph): (value: Value) => number {
  const counts = new Map<Value, number>();
  for (const value of nodes.flatMap(readsOf)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return (value) => counts.get(value) ?? 0;
}
