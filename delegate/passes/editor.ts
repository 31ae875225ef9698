import { type Graph, type Node, readsOf, type TailStep, type Value } from '../ir/graph.js';

/** A graph under rewriting: who produces and who reads each value is kept up to date, so a rewrite costs what it touches. */
export class Editor {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly #name: string;
  /** Nodes by position; a rewrite may leave none or several at one. */
  readonly #slots: (readonly Node[])[];
  readonly #position = new Map<Node, number>();
  readonly #producers = new Map<Value, Node>();
  readonly #readers = new Map<Value, Set<Node>>();
  readonly #kept: Set<Value>;

  constructor(graph: Graph) {
    this.inputs = graph.inputs;
    this.outputs = graph.outputs;
    this.#name = graph.name;
    this.#kept = new Set(graph.outputs);
    this.#slots = graph.nodes.map((node) => [node]);
    for (const [position, node] of graph.nodes.entries()) this.#enter(node, position);
  }

  get length(): number {
    return this.#slots.length;
  }

  nodesAt(position: number): readonly Node[] {
    return this.#slots[position]!;
  }

  producer(value: Value): Node | undefined {
    return this.#producers.get(value);
  }

  readers(value: Value): ReadonlySet<Node> {
    return this.#readers.get(value) ?? new Set();
  }

  position(node: Node): number {
    return this.#position.get(node)!;
  }

  isOutput(value: Value): boolean {
    return this.#kept.has(value);
  }

  /** True where `node` is all that reads the value, and the graph does not give it away. */
  readOnlyBy(value: Value, node: Node): boolean {
    const readers = this.readers(value);
    return !this.isOutput(value) && readers.size === 1 && readers.has(node);
  }

  /** Puts `next` where `node` was. */
  replace(node: Node, next: readonly Node[]): void {
    const position = this.position(node);
    this.#leave(node);
    this.#slots[position] = this.#slots[position]!.flatMap((n) => (n === node ? next : [n]));
    for (const n of next) this.#enter(n, position);
  }

  /** Whatever read `from` reads `to` instead. */
  redirect(from: Value, to: Value): void {
    const swap = (v: Value | undefined) => (v === from ? to : v);
    for (const reader of [...this.readers(from)]) {
      const tail = reader.tail && swapOperands(reader.tail, from, to);
      this.replace(reader, [{ ...reader, inputs: reader.inputs.map(swap), ...(tail && { tail }) }]);
    }
  }

  graph(): Graph {
    return { name: this.#name, nodes: this.#slots.flat(), inputs: this.inputs, outputs: this.outputs };
  }

  #enter(node: Node, position: number): void {
    this.#position.set(node, position);
    for (const v of node.outputs) this.#producers.set(v, node);
    for (const v of readsOf(node)) {
      const readers = this.#readers.get(v);
      if (readers) readers.add(node);
      else this.#readers.set(v, new Set([node]));
    }
  }

  #leave(node: Node): void {
    this.#position.delete(node);
    for (const v of node.outputs) if (this.#producers.get(v) === node) this.#producers.delete(v);
    for (const v of readsOf(node)) this.#readers.get(v)?.delete(node);
  }
}

function swapOperands(tail: readonly TailStep[], from: Value, to: Value): TailStep[] {
  return tail.map((step) => ({
    ...step,
    ...(step.operand === from && { operand: to }),
    ...(step.branch && { branch: swapOperands(step.branch, from, to) }),
  }));
}
