/**
 * Shapes of all values from those of the inputs. A shape that only running can tell holds −1: nothing may be compiled
 * or folded from it. Small values that follow from constants and shapes alone (SHAPE → STRIDED_SLICE → PACK → RESHAPE)
 * are computed on the way, because further shapes depend on them.
 */
import {
  arrayOf,
  type CpuTensor,
  type Graph,
  type InferInput,
  lanesOf,
  ModelError,
  type Node,
  nodeName,
  type OpSpec,
  type Shape,
  sameShape,
  sizeOf,
  type TensorData,
  type TensorType,
  UnsupportedError,
  type Value,
} from '../../delegate/index.js';
import { defaultLimits } from '../format/limits.js';

/** What shape inference is told beside the graph. */
export interface InferenceContext {
  readonly ops: ReadonlyMap<string, OpSpec>;
  /** Where the subgraph is in the file, for errors. */
  readonly path?: string;
}

/** A graph with every shape recomputed; values keep their identity where nothing changed. */
export interface ShapedGraph {
  readonly graph: Graph;
  /** Values of non-constants that are known without running. */
  readonly known: ReadonlyMap<Value, TensorData>;
}

/** Elements up to which a value is worth computing for the sake of shapes. */
const KNOWN_ELEMENTS = 1024;

/** True where every size is known before running. */
export function isStatic(shape: Shape): boolean {
  return shape.every((size) => size >= 0);
}

/** Recomputes every shape for inputs of the given shapes, by position. Throws ModelError where an op does not fit. */
export function inferShapes(graph: Graph, inputShapes: readonly Shape[], context: InferenceContext): ShapedGraph {
  const renewed = new Map<Value, Value>();
  const known = new Map<Value, TensorData>();
  const current = (value: Value) => renewed.get(value) ?? value;
  graph.inputs.forEach((value, i) => {
    renewed.set(value, withType(value, { shape: inputShapes[i]!, dtype: value.dtype }));
  });
  const nodes = graph.nodes.map((node): Node => {
    const inputs = node.inputs.map((value) => value && current(value));
    const types = typesOf({ ...node, inputs }, known, context);
    const outputs = node.outputs.map((value, i) => withType(value, types[i]));
    node.outputs.forEach((value, i) => {
      renewed.set(value, outputs[i]!);
    });
    const renewedNode = { ...node, inputs, outputs };
    const values = valuesKnown(renewedNode, known, context);
    for (const [i, data] of values.entries()) known.set(outputs[i]!, data);
    const same =
      inputs.every((value, i) => value === node.inputs[i]) && outputs.every((value, i) => value === node.outputs[i]);
    return same ? node : renewedNode;
  });
  return { graph: { ...graph, nodes, inputs: graph.inputs.map(current), outputs: graph.outputs.map(current) }, known };
}

/** Where the file declares a static shape that its own ops contradict; like TFLite, we go by the ops. */
export function contradictions(declared: Graph, inferred: Graph): string[] {
  return declared.nodes.flatMap((node, n) =>
    node.outputs.flatMap((value, i) => {
      const { shape } = inferred.nodes[n]!.outputs[i]!;
      return agrees(value, shape) ? [] : [`${nodeName(node)} gives [${shape}]; the file declares [${value.shape}]`];
    }),
  );
}

/** A declared [] stands for any shape: converters write it where they did not know the rank. */
function agrees({ shape, shapeSignature }: Value, found: Shape): boolean {
  if (!isStatic(found) || shape.length === 0) return true;
  if (shape.length !== found.length) return false;
  return shape.every((size, i) => size === found[i] || shapeSignature?.[i] === -1);
}

function typesOf(
  node: Node,
  known: ReadonlyMap<Value, TensorData>,
  { ops, path }: InferenceContext,
): readonly (TensorType | undefined)[] {
  const spec = ops.get(node.type);
  if (!spec) throw unknownOp(node);
  if (node.inputs.some((value) => value && !isStatic(value.shape))) return node.outputs.map(() => undefined);
  const inputs = node.inputs.map((value) => value && withData(value, known));
  try {
    const types = spec.infer(inputs, node.attrs, node.outputs);
    for (const type of types) if (type) checkSizes(type);
    return types;
  } catch (error) {
    throw located(error, node, path);
  }
}

/** The error for a node whose op is neither built in nor supplied. */
export function unknownOp(node: Node): UnsupportedError {
  const remedy = `register it: customOps: {${node.type}: {inferShapes, cpu}}`;
  return new UnsupportedError(`${nodeName(node)}: there is no such op here; ${remedy}`);
}

/** Bytes of the largest tensor; browsers refuse larger arrays. */
const TENSOR_BYTES = 2 ** 31 - 1;

/** Throws ModelError for what no tensor can be. */
function checkSizes({ shape, dtype }: TensorType): void {
  const { rank, elements } = defaultLimits;
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new ModelError('shape', `the output would be [${shape}]; accepted: sizes that are integers of 0 or more`);
  }
  if (shape.length > rank)
    throw new ModelError('shape', `the output would have ${shape.length} dimensions; accepted: up to ${rank}`);
  const hasArray = dtype !== 'string' && dtype !== 'resource' && dtype !== 'variant';
  const bytes = hasArray ? sizeOf(shape) * lanesOf(dtype) * arrayOf(dtype).BYTES_PER_ELEMENT : 0;
  if (sizeOf(shape) > elements || bytes > TENSOR_BYTES) {
    throw new ModelError(
      'too-large',
      `the output would be ${dtype} [${shape}]; accepted: up to ${elements} elements and ${TENSOR_BYTES} bytes`,
    );
  }
}

/** Says which node of the subgraph at `subgraph` an error of an op is about. */
export function located(error: unknown, node: Node, subgraph?: string): unknown {
  const path = subgraph ? `${subgraph}.operators[${node.id}]` : '';
  const about = error instanceof Error ? `${nodeName(node)}: ${error.message}` : '';
  if (error instanceof ModelError) return new ModelError(error.code, about, { path, offset: error.offset });
  if (error instanceof UnsupportedError) return new UnsupportedError(about);
  return error instanceof TypeError ? new ModelError('operator', about, { path }) : error;
}

function withData(value: Value, known: ReadonlyMap<Value, TensorData>): InferInput {
  const data = value.data ?? known.get(value);
  return data === value.data ? value : { ...value, data };
}

/** The outputs' values where they follow from constants and shapes alone and are small; else none. */
function valuesKnown(
  node: Node,
  known: ReadonlyMap<Value, TensorData>,
  { ops }: InferenceContext,
): readonly TensorData[] {
  const spec = ops.get(node.type)!;
  if (!spec.cpu || spec.stateful || node.outputs.length === 0) return [];
  if (
    !node.outputs.every(
      ({ shape, dtype }) =>
        isStatic(shape) && sizeOf(shape) <= KNOWN_ELEMENTS && dtype !== 'resource' && dtype !== 'variant',
    )
  )
    return [];
  const onlyShapes = node.type === 'SHAPE' || node.type === 'RANK';
  const inputs: (CpuTensor | undefined)[] = [];
  for (const value of node.inputs) {
    const data = value && (value.data ?? known.get(value));
    if (value && !isStatic(value.shape)) return [];
    if (value && (value.isVariable || (!data && !onlyShapes))) return [];
    inputs.push(value && { ...value, data: data ?? new Float32Array(0) });
  }
  try {
    return spec.cpu(inputs, node.attrs, node.outputs);
  } catch {
    return [];
  }
}

function withType(value: Value, type: TensorType | undefined): Value {
  const shape = type?.shape ?? unknownShape(value);
  const dtype = type?.dtype ?? value.dtype;
  return sameShape(shape, value.shape) && dtype === value.dtype ? value : { ...value, shape, dtype };
}

function unknownShape({ shape, shapeSignature }: Value): Shape {
  if (shapeSignature?.includes(-1)) return shapeSignature;
  return shape.length > 0 ? shape.map(() => -1) : [-1];
}
