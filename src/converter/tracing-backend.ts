/**
 * A tfjs backend that computes nothing: its kernels write down what they would do. What constants alone make is computed
 * at once, by tfjs's CPU backend, so the graph has only what depends on its inputs.
 */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  type BackendValues,
  type DataId,
  type DataType,
  engine,
  getKernel,
  getKernelsForBackend,
  KernelBackend,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { type DType, newData, sizeOf, type TensorData, UnsupportedError, type Value } from '../../delegate/index.js';
import { legalizations } from './legalize/index.js';
import { constantOf } from './legalize/legalization.js';
import type { Trace } from './trace.js';

/** The backend's name. It is registered only while a model is traced. */
export const TRACING = 'tflite-gpu-tracing';

/** Registers a tracing kernel for all that tfjs's CPU backend has, so that every one that is met can be named. */
export function registerTracingKernels(): void {
  const names = new Set([...getKernelsForBackend('cpu').map((k) => k.kernelName), ...Object.keys(legalizations)]);
  for (const kernelName of names) {
    if (getKernel(kernelName, TRACING)) continue;
    registerKernel({
      kernelName,
      backendName: TRACING,
      kernelFunc: ({ inputs, backend, attrs }) => (backend as TracingBackend).run(kernelName, inputs, attrs),
    });
  }
}

/** Tensors of this backend stand for values of a graph. */
export class TracingBackend extends KernelBackend {
  readonly #trace: Trace;
  readonly #weightName: (dataId: DataId) => string | undefined;
  readonly #values = new Map<DataId, Value>();
  /** Constants that other backends hold, by their ids: read once, and left where they are. */
  readonly #weights = new Map<DataId, TensorData>();
  readonly #cpu = new MathBackendCPU();

  constructor(trace: Trace, weightName: (dataId: DataId) => string | undefined = () => undefined) {
    super();
    this.#trace = trace;
    this.#weightName = weightName;
  }

  /** The value that a tensor stands for; a constant where another backend made it. */
  valueFor({ dataId, shape, dtype }: TensorInfo): Value {
    const known = this.#values.get(dataId);
    if (known) return known;
    let data = this.#weights.get(dataId);
    if (!data) this.#weights.set(dataId, (data = typedData(engine().readSync(dataId), dtype)));
    return constantOf(data, shape, dtypeOf(dtype), this.#weightName(dataId));
  }

  /** A new tensor that stands for a value. */
  tensorOf(value: Value): TensorInfo {
    const dataId = {};
    this.#values.set(dataId, value);
    return { dataId, shape: [...value.shape], dtype: value.dtype as DataType };
  }

  /** A kernel of tfjs: computed where all it reads is constant, else written down. */
  run(kernel: string, inputs: NamedTensorInfoMap, attrs?: NamedAttrMap): TensorInfo | TensorInfo[] {
    const given = Object.entries(inputs).filter(([, tensor]) => tensor);
    const values = Object.fromEntries(given.map(([name, tensor]) => [name, this.valueFor(tensor!)]));
    const isConstant = Object.values(values).every((value) => value.data);
    if (isConstant) return this.#compute(kernel, values, attrs);
    const legalize = legalizations[kernel];
    try {
      if (!legalize) throw new UnsupportedError('');
      const result = legalize(this.#trace.call(kernel, values), attrs as never);
      return Array.isArray(result) ? result.map((v: Value) => this.tensorOf(v)) : this.tensorOf(result as Value);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      this.#trace.refuse(kernel, error.message);
      return this.#typesOf(kernel, values, attrs);
    }
  }

  /** Runs the CPU's kernel on constants. */
  #compute(kernel: string, values: Readonly<Record<string, Value>>, attrs?: NamedAttrMap): TensorInfo | TensorInfo[] {
    const { kernelFunc } = getKernel(kernel, 'cpu') ?? {};
    if (!kernelFunc) throw new UnsupportedError(`${kernel}: tfjs's CPU backend has no such kernel`);
    const lend = ({ shape, dtype, data }: Value) => {
      const info = this.#cpu.makeTensorInfo([...shape], dtype as DataType, data as never);
      // Some kernels ask for the rank, which tensors have and their infos lack.
      return Object.assign(info, { rank: shape.length });
    };
    const lent = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, lend(value)]));
    // Some kernels take a list, whose names are numbers.
    const inputs = 0 in lent ? (Object.values(lent) as never) : lent;
    const result = kernelFunc({ inputs, backend: this.#cpu, ...(attrs && { attrs }) });
    const name = Object.values(values)[0]?.name;
    const take = ({ dataId, shape, dtype }: TensorInfo) =>
      this.tensorOf(constantOf(typedData(this.#cpu.readSync(dataId), dtype), shape, dtypeOf(dtype), name));
    return Array.isArray(result) ? result.map(take) : take(result);
  }

  /** Values in the place of what a refused kernel would make, so that the rest can be looked at: zeros tell their types. */
  #typesOf(kernel: string, values: Readonly<Record<string, Value>>, attrs?: NamedAttrMap): TensorInfo | TensorInfo[] {
    const zeros = ([name, v]: [string, Value]) => [name, { ...v, data: v.data ?? newData(v.dtype, sizeOf(v.shape)) }];
    const results = this.#compute(kernel, Object.fromEntries(Object.entries(values).map(zeros)), attrs);
    const forget = (tensor: TensorInfo) =>
      this.tensorOf(this.#trace.value(kernel, { shape: tensor.shape, dtype: dtypeOf(tensor.dtype) }));
    return Array.isArray(results) ? results.map(forget) : forget(results);
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    return this.tensorOf(constantOf(typedData(values, dtype), shape, dtypeOf(dtype))).dataId;
  }

  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType): void {
    this.#values.set(dataId, constantOf(typedData(values, dtype), shape, dtypeOf(dtype)));
  }

  override readSync(dataId: DataId): BackendValues {
    const value = this.#values.get(dataId);
    if (value?.data) return value.data as BackendValues;
    throw new UnsupportedError(
      `TFLiteConverter: the model reads the values of ${value?.name} (${value?.dtype} [${value?.shape}]) while it runs; ` +
        'accepted: models whose ops do not depend on values',
    );
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: DataId): boolean {
    this.#values.delete(dataId);
    return true;
  }

  override dispose(): void {
    this.#cpu.dispose();
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  override numDataIds(): number {
    return this.#values.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override timerAvailable(): boolean {
    return false;
  }

  override floatPrecision(): 32 {
    return 32;
  }
}

function dtypeOf(dtype: DataType): DType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new UnsupportedError(`TFLiteConverter: a tensor of ${dtype}; accepted: float32, int32, bool`);
}

/** A copy-free typed array of tfjs's values; those of the user may be plain lists. */
function typedData(values: BackendValues, dtype: DataType): TensorData {
  const Typed = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtypeOf(dtype) as 'float32'];
  return values instanceof Typed ? values : Typed.from(values as ArrayLike<number>);
}
