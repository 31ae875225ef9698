/**
 * Cuts a graph into segments for the GPU and for the CPU. A segment is a set of nodes that can run together once all
 * earlier segments have run; within a segment nodes keep their order. Linear in nodes and edges.
 */
import type { Graph, Node, Value } from '../../delegate/index.js';

/** Where a node or a segment runs. */
export type Place = 'gpu' | 'cpu';

/** Nodes that run together. The graph's inputs and outputs are the values that cross its border, each once. */
export interface Segment {
  readonly place: Place;
  readonly graph: Graph;
}

/** Segments in an order of execution, and for every node on the CPU the reason. */
export interface Partition {
  readonly segments: readonly Segment[];
  readonly reasons: ReadonlyMap<Node, string>;
}

/** What `partition` is told beside the graph. */
export interface PartitionOptions {
  /** Why the GPU cannot take this node; `undefined` when it can. */
  declines(node: Node): string | undefined;
  /** Most GPU segments to keep, those with the most nodes first; 0 means all. */
  readonly maxPartitions: number;
  /** True for nodes with effects, which keep their order among themselves. */
  ordered?(node: Node): boolean;
}

/** Assigns every node to a GPU or a CPU segment. */
export function partition(graph: Graph, options: PartitionOptions): Partition {
  const reasons = new Map<Node, string>();
  for (const node of graph.nodes) {
    const reason = options.declines(node);
    if (reason !== undefined) reasons.set(node, reason);
  }
  const edges = edgesOf(graph, options.ordered ?? (() => false));
  const all = fewest(group(graph.nodes, edges, reasons, 'gpu'), group(graph.nodes, edges, reasons, 'cpu'));
  const gpu = all.filter((nodes) => !reasons.has(nodes[0]!));
  if (options.maxPartitions === 0 || gpu.length <= options.maxPartitions)
    return { segments: cut(graph, all, reasons), reasons };

  const largestFirst = [...gpu].sort((a, b) => b.length - a.length);
  for (const node of largestFirst.slice(options.maxPartitions).flat()) {
    reasons.set(node, `partition limit (maxDelegatedPartitions: ${options.maxPartitions})`);
  }
  return { segments: cut(graph, group(graph.nodes, edges, reasons, 'cpu'), reasons), reasons };
}

/** For each node (by position), the positions of those that must wait for it, and how many it waits for itself. */
interface Edges {
  readonly next: readonly (readonly number[])[];
  readonly waits: readonly number[];
}

function edgesOf(graph: Graph, ordered: (node: Node) => boolean): Edges {
  const next: number[][] = graph.nodes.map(() => []);
  const waits = new Array<number>(graph.nodes.length).fill(0);
  const producers = new Map<Value, number>();
  const add = (from: number, to: number) => {
    next[from]!.push(to);
    waits[to]!++;
  };
  let lastOrdered: number | undefined;
  graph.nodes.forEach((node, i) => {
    for (const value of new Set(node.inputs)) {
      const producer = value && producers.get(value);
      if (producer !== undefined) add(producer, i);
    }
    for (const value of node.outputs) producers.set(value, i);
    if (!ordered(node)) return;
    if (lastOrdered !== undefined) add(lastOrdered, i);
    lastOrdered = i;
  });
  return { next, waits };
}

/** Takes all nodes of one place that are ready, then all of the other, and so on; each turn is a segment. */
function group(
  nodes: readonly Node[],
  { next, waits }: Edges,
  reasons: ReadonlyMap<Node, string>,
  first: Place,
): Node[][] {
  const placeOf = nodes.map((node): Place => (reasons.has(node) ? 'cpu' : 'gpu'));
  const ready: Record<Place, number[]> = { gpu: [], cpu: [] };
  const left = [...waits];
  left.forEach((count, i) => {
    if (count === 0) ready[placeOf[i]!].push(i);
  });
  const segmentOf = new Array<number>(nodes.length);
  let count = 0;
  for (let place = first; ready.gpu.length + ready.cpu.length > 0; place = place === 'gpu' ? 'cpu' : 'gpu') {
    const turn = ready[place];
    if (turn.length === 0) continue;
    for (let i = turn.pop(); i !== undefined; i = turn.pop()) {
      segmentOf[i] = count;
      for (const follower of next[i]!) if (--left[follower]! === 0) ready[placeOf[follower]!].push(follower);
    }
    count++;
  }
  const segments = Array.from({ length: count }, (): Node[] => []);
  for (const [i, node] of nodes.entries()) segments[segmentOf[i]!]!.push(node);
  return segments;
}

function fewest(a: Node[][], b: Node[][]): Node[][] {
  return b.length < a.length ? b : a;
}

function cut(graph: Graph, groups: readonly (readonly Node[])[], reasons: ReadonlyMap<Node, string>): Segment[] {
  const readIn = new Map<Value, Set<number>>();
  groups.forEach((nodes, g) => {
    for (const node of nodes) {
      for (const value of node.inputs) {
        if (!value || value.data) continue;
        const readers = readIn.get(value);
        if (readers) readers.add(g);
        else readIn.set(value, new Set([g]));
      }
    }
  });
  const results = new Set(graph.outputs);
  return groups.map((nodes, g) => {
    const made = new Set(nodes.flatMap((node) => node.outputs));
    const read = new Set(nodes.flatMap((node) => node.inputs));
    const leaves = (value: Value) => {
      const readers = readIn.get(value);
      return results.has(value) || (readers !== undefined && readers.size > (readers.has(g) ? 1 : 0));
    };
    return {
      place: reasons.has(nodes[0]!) ? 'cpu' : 'gpu',
      graph: {
        name: graph.name,
        nodes,
        inputs: [...read].filter((value): value is Value => value !== undefined && !value.data && !made.has(value)),
        outputs: [...made].filter(leaves),
      },
    };
  });
}
