// Runs one node, or a graph of them, on the GPU and through the ops' CPU forms on the same random values, and compares.
import { createGpuDelegate, forceTarget } from '../../../delegate/delegate.js';
import { arrayOf, type DType, floatToHalf, halfToFloat, type NumericData } from '../../../delegate/ir/dtype.js';
import type { Attrs, Graph, Node, Quantization, TensorType, Value } from '../../../delegate/ir/graph.js';
import type { CpuTensor } from '../../../delegate/ir/op.js';
import { type Shape, sizeOf } from '../../../delegate/ir/shape.js';
import { ops } from '../../../delegate/ops/index.js';
import {
  normalizeOptions,
  type TfLiteGpuDelegateOptions,
  TfLiteGpuInferencePreference,
} from '../../../delegate/options.js';
import type { Target } from '../../../delegate/shader/target.js';
import { random } from '../../support/random.js';

/** An operand of a case: constants keep their values, others get random ones unless `values` are given. */
export interface Operand {
  readonly shape: Shape;
  readonly dtype?: DType;
  readonly constant?: boolean;
  readonly values?: readonly number[];
  /** Random values lie between these; −2 and 2 unless given. */
  readonly range?: readonly [lo: number, hi: number];
  readonly quantization?: Quantization;
}

/** How far the GPU may be from the CPU: |gpu − cpu| ≤ abs + rel · |cpu|. */
export interface Tolerance {
  readonly abs?: number;
  readonly rel?: number;
  readonly options?: TfLiteGpuDelegateOptions;
  /** What to compile for where the device and the options would say otherwise. */
  readonly target?: Partial<Target>;
}

/** A node and how far its GPU form may be from its meaning. */
export interface Case extends Tolerance {
  readonly type: string;
  readonly attrs?: Attrs;
  readonly inputs: readonly (Operand | undefined)[];
  /** Element types of the outputs; one float32 unless given. */
  readonly outputs?: readonly DType[];
  /** A node before it: takes the first operand and the constants given here, and makes the first input. */
  readonly after?: { readonly type: string; readonly attrs?: Attrs; readonly constants: readonly Operand[] };
}

let gl: WebGL2RenderingContext | null | undefined;

/** The context that all specs share. */
export function context(): WebGL2RenderingContext {
  gl ??= document.createElement('canvas').getContext('webgl2');
  if (!gl) throw new Error('this browser has no WebGL2');
  return gl;
}

/** What differs between the GPU and the CPU form, in words; `undefined` where they agree. */
export function difference(test: Case, seed = 1): string | undefined {
  const { type, attrs = {} } = test;
  const spec = ops.get(type);
  if (!spec?.cpu) return `${type} has no CPU form`;
  const next = random(seed);
  const inputs = test.inputs.map((operand, i) => operand && makeInput(operand, i, next));
  const runtime = inputs.filter((input) => input !== undefined && !input.value.data);
  const nodes: Node[] = [];
  const runOne = (op: string, a: Attrs, operands: typeof inputs, dtypes: readonly DType[]) => {
    const tensors = operands.map((input) => input?.tensor);
    const known = ops.get(op)!.infer(
      tensors,
      a,
      dtypes.map((dtype) => ({ shape: [], dtype })),
    );
    const types = known.map((made): TensorType => ({ shape: made!.shape, dtype: made!.dtype }));
    const data = ops.get(op)!.cpu!(tensors, a, types) as readonly NumericData[];
    const id = 100 + 10 * nodes.length;
    const made = types.map((t, i): Value => ({ ...t, id: id + i, name: `output ${i} of ${op}` }));
    nodes.push({
      id: 7 + nodes.length,
      type: op,
      attrs: a,
      inputs: operands.map((input) => input?.value),
      outputs: made,
    });
    return made.map((value, i) => ({ value, tensor: { ...types[i]!, data: data[i]! } }));
  };
  if (test.after) {
    const constants = test.after.constants.map((operand, i) => makeInput({ ...operand, constant: true }, 20 + i, next));
    inputs[0] = runOne(test.after.type, test.after.attrs ?? {}, [inputs[0], ...constants], ['float32'])[0]!;
  }
  const results = runOne(type, attrs, inputs, test.outputs ?? ['float32']);
  const outputs = results.map(({ value }) => value);
  const graph: Graph = { name: 'case', nodes, inputs: runtime.map((input) => input!.value), outputs };
  const [given, wanted] = [runtime.map((input) => input!.tensor), results.map(({ tensor }) => tensor)];
  return differenceOnGpu(
    graph,
    given.map(({ data }) => data as NumericData),
    wanted.map(({ data }) => data as NumericData),
    test,
  );
}

/** The same for a graph of float32 values, whose inputs get random values. */
export function graphDifference(graph: Graph, seed = 1, test: Tolerance = {}): string | undefined {
  const next = random(seed);
  const tensorOf = new Map<Value, CpuTensor>();
  const tensor = (v: Value): CpuTensor =>
    tensorOf.get(v) ?? { shape: v.shape, dtype: v.dtype, data: v.data as NumericData };
  for (const [i, input] of graph.inputs.entries())
    tensorOf.set(input, makeInput({ shape: input.shape }, i, next).tensor);
  for (const { type, attrs, inputs, outputs } of graph.nodes) {
    const made = ops.get(type)!.cpu!(
      inputs.map((v) => v && tensor(v)),
      attrs,
      outputs,
    );
    outputs.forEach((v, i) => {
      tensorOf.set(v, { shape: v.shape, dtype: v.dtype, data: made[i] as NumericData });
    });
  }
  const dataOf = (values: readonly Value[]) => values.map((v) => tensor(v).data as NumericData);
  return differenceOnGpu(graph, dataOf(graph.inputs), dataOf(graph.outputs), test);
}

/** What differs on the GPU from the outputs that are wanted, for the render targets of small models and of large ones. */
function differenceOnGpu(
  graph: Graph,
  given: readonly NumericData[],
  wanted: readonly NumericData[],
  test: Tolerance,
): string | undefined {
  forceTarget(context(), test.target ?? {});
  // A model of one node is small: the render targets of large ones are had by asking for speed.
  for (const inferencePreference of [
    TfLiteGpuInferencePreference.FAST_SINGLE_ANSWER,
    TfLiteGpuInferencePreference.SUSTAINED_SPEED,
  ]) {
    const delegate = createGpuDelegate(context(), normalizeOptions({ inferencePreference, ...test.options }));
    const declined = delegate.declines(graph.nodes.at(-1)!);
    if (declined) return `declined: ${declined}`;
    const executable = delegate.compileSync(graph);
    try {
      executable.run(given);
      const problem = wanted.map((data, i) => compare(executable.read(i), data, test)).find(Boolean);
      if (problem) return problem;
    } finally {
      executable.dispose();
    }
  }
  return undefined;
}

function makeInput(operand: Operand, i: number, next: () => number): { value: Value; tensor: CpuTensor } {
  const { shape, dtype = 'float32', values, range: [lo, hi] = [-2, 2], quantization } = operand;
  const data = new (arrayOf(dtype))(sizeOf(shape)) as Float32Array;
  const whole = dtype !== 'float32' && dtype !== 'float16';
  for (let j = 0; j < data.length; j++) {
    const x = values ? values[j % values.length]! : lo + (hi - lo) * next();
    data[j] = dtype === 'float16' ? floatToHalf(x) : whole ? Math.floor(x) : x;
  }
  const tensor: CpuTensor = { shape, dtype, data, ...(quantization && { quantization }) };
  const { data: _, ...typeOnly } = tensor;
  return { tensor, value: { ...(operand.constant ? tensor : typeOnly), id: i, name: `input ${i}` } };
}

function compare(got: NumericData, wanted: NumericData, { abs = 1e-6, rel = 1e-5 }: Tolerance): string | undefined {
  if (got.constructor !== wanted.constructor) return `${got.constructor.name} for ${wanted.constructor.name}`;
  if (got.length !== wanted.length) return `${got.length} elements for ${wanted.length}`;
  const isHalf = got instanceof Uint16Array;
  const at = (data: NumericData, i: number) => (isHalf ? halfToFloat(data[i] as number) : Number(data[i]));
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [at(got, i), at(wanted, i)];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (!(Math.abs(a - b) <= abs + rel * Math.abs(b)))
      return `element ${i} of ${got.length} is ${a}; the op gives ${b}`;
  }
  return undefined;
}
