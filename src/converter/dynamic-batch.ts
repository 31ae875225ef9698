/**
 * One graph for any batch from two traces of the same model, with batches of 1 and 2: what differs depends on the batch.
 * Values get a signature with −1 there, RESHAPE targets too; other shapes that ops are given are computed while running.
 */
import {
  type Graph,
  type Node,
  ops,
  quoted,
  type Shape,
  sameShape,
  stridesOf,
  UnsupportedError,
  type Value,
} from '../../delegate/index.js';
import { defaultOptions } from '../format/operator-options.js';
import { numberOf, vectorOf } from './legalize/legalization.js';

/** Ops whose operands broadcast: one row stands for a whole batch of equal rows. */
const BROADCASTING = new Set(
  'ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL LOGICAL_AND LOGICAL_OR SELECT_V2'.split(
    ' ',
  ),
);

/** The graph for any batch. Throws UnsupportedError where an op cannot have an open size, and says which. */
export function withDynamicBatch(one: Graph, two: Graph): Graph {
  const sameOps = one.nodes.length === two.nodes.length && one.nodes.every((n, i) => n.type === two.nodes[i]!.type);
  if (!sameOps) throw dependent('the model', 'does other ops for another batch');
  const union = new Union();
  const inputs = one.inputs.map((a, i) => union.open(a, two.inputs[i]!));
  union.batchOf = inputs.find(({ shapeSignature }) => shapeSignature?.[0] === -1);
  for (const [i, node] of one.nodes.entries()) union.append(node, two.nodes[i]!);
  const outputs = one.outputs.map((a, i) => union.operand(a, two.outputs[i]!, 'an output', false));
  return { ...one, nodes: union.nodes, inputs, outputs };
}

class Union {
  readonly nodes: Node[] = [];
  /** The input whose first size is the batch. */
  batchOf: Value | undefined;
  readonly #values = new Map<Value, Value>();
  #batch: Value | undefined;

  /** The value of the first trace, with a signature. */
  open(a: Value, b: Value): Value {
    const isFixed = sameShape(a.shape, b.shape);
    const value = isFixed ? a : { ...a, shapeSignature: a.shape.map((d, i) => (d === b.shape[i] ? d : -1)) };
    this.#values.set(a, value);
    return value;
  }

  append(node: Node, other: Node): void {
    const place = `${node.type} ${quoted(node.outputs[0]?.name)}`;
    if (JSON.stringify(node.attrs) !== JSON.stringify(other.attrs))
      throw dependent(place, `has attributes of the batch: ${JSON.stringify(other.attrs)}`);
    const inputs = node.inputs.map((a, i) => {
      const b = other.inputs[i];
      if (!a || !b) return undefined;
      const isTarget = node.type === 'RESHAPE' && i === 1;
      return (isTarget && openTarget(a, b)) || this.operand(a, b, place, BROADCASTING.has(node.type));
    });
    const outputs = node.outputs.map((a, i) => this.open(a, other.outputs[i]!));
    this.#push({ ...node, inputs, outputs });
  }

  /** What stands for a value of both traces. */
  operand(a: Value, b: Value, place: string, broadcasts: boolean): Value {
    const known = this.#values.get(a);
    if (known) return known;
    if (!a.data || !b.data) throw dependent(place, `reads ${quoted(a.name)}, which only one trace knows`);
    if (!sameShape(a.shape, b.shape)) return this.#repeated(a, b, place, broadcasts);
    if (a.data === b.data || a.data.every((x, i) => Object.is(x, b.data![i]))) return a;
    if (a.dtype !== 'int32' || a.shape.length !== 1) throw dependent(place, `reads the constant ${quoted(a.name)}`);
    return this.#sizes(a, b, place);
  }

  /** A constant of as many equal rows as the batch has. */
  #repeated(a: Value, b: Value, place: string, broadcasts: boolean): Value {
    const axis = a.shape.findIndex((d, i) => d !== b.shape[i]);
    const expected = a.shape.map((d, i) => (i === axis ? 2 : d));
    if (a.shape[axis] !== 1 || !sameShape(b.shape, expected) || !repeats(a, b, axis))
      throw dependent(place, `reads the constant ${quoted(a.name)} of [${a.shape}] or [${b.shape}]`);
    if (broadcasts) return a;
    const shape = this.#sizes(vectorOf(a.shape), vectorOf(b.shape), place);
    const signature = a.shape.map((d, i) => (i === axis ? -1 : d));
    return this.#emit('BROADCAST_TO', [a, shape], {}, { ...a, data: undefined, shapeSignature: signature });
  }

  /** A vector of sizes, some of them multiples of the batch. */
  #sizes(a: Value, b: Value, place: string): Value {
    const sizes = Array.from(a.data as Int32Array, (size, i) => {
      const more = (b.data![i] as number) - size;
      if (more === 0) return numberOf(size, a);
      if (more !== size)
        throw dependent(place, `has a size that is no multiple of the batch: ${size} or ${b.data![i]}`);
      return size === 1 ? this.#batchSize() : this.#emit('MUL', [this.#batchSize(), numberOf(size, a)]);
    });
    return this.#emit('PACK', sizes, { axis: 0, valuesCount: sizes.length });
  }

  #batchSize(): Value {
    if (this.#batch) return this.#batch;
    const shape = this.#emit('SHAPE', [this.batchOf], { outType: 'INT32' }, { dtype: 'int32' });
    const [from, to, step] = [vectorOf([0]), vectorOf([1]), vectorOf([1])];
    this.#batch = this.#emit('STRIDED_SLICE', [shape, from, to, step], { shrinkAxisMask: 1 });
    return this.#batch;
  }

  #emit(type: string, inputs: readonly (Value | undefined)[], attrs = {}, like: Partial<Value> = {}): Value {
    const all = { ...defaultOptions(type), ...attrs };
    const dtype = like.dtype ?? inputs[0]!.dtype;
    const shape = like.shape ?? ops.get(type)!.infer(inputs, all, [{ shape: [], dtype }])[0]!.shape;
    const { shapeSignature } = like;
    const output: Value = { id: -1, name: 'batch', shape, dtype, ...(shapeSignature && { shapeSignature }) };
    this.#push({ id: 0, type, attrs: all, inputs, outputs: [output] });
    return output;
  }

  #push(node: Node): void {
    this.nodes.push({ ...node, id: this.nodes.length });
  }
}

/** A RESHAPE target with −1 for its one open size; undefined where there are several. */
function openTarget(a: Value, b: Value): Value | undefined {
  if (!a.data || !b.data || !sameShape(a.shape, b.shape)) return undefined;
  const target = Array.from(a.data as Int32Array, (d, i) => (d === b.data![i] ? d : -1));
  return target.filter((d) => d === -1).length === 1 ? vectorOf(target) : undefined;
}

/** True where both rows of `b` along the axis are those of `a`. */
function repeats(a: Value, b: Value, axis: number): boolean {
  const run = stridesOf(a.shape)[axis]! as number;
  const data = a.data as Float32Array;
  return (b.data as Float32Array).every((x, i) => Object.is(x, data[Math.floor(i / (2 * run)) * run + (i % run)]));
}

/** The sizes of a value, −1 where they are open. */
export function signatureOf({ shape, shapeSignature }: Value): Shape {
  return shapeSignature ?? shape;
}

function dependent(place: string, what: string): UnsupportedError {
  return new UnsupportedError(
    `TFLiteConverter: ${place} ${what}; accepted: ops that take any batch. Give the inputs a fixed batch`,
  );
}
