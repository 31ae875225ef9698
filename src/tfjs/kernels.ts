/**
 * The kernels of the `tflite-gpu` backend: those of `webgl`, and for what `webgl` lacks those of `cpu`, run on copies in
 * plain memory.
 */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl';
import {
  getKernel,
  getKernelsForBackend,
  type KernelConfig,
  type NamedTensorInfoMap,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';

/** Registers what `webgl` and `cpu` have now and the backend has not yet. */
export function registerKernels(backendName: string): void {
  const borrowed = getKernelsForBackend('cpu').map(borrow);
  for (const kernel of [...getKernelsForBackend('webgl'), ...borrowed]) {
    if (!getKernel(kernel.kernelName, backendName)) registerKernel({ ...kernel, backendName });
  }
}

/** A kernel of the CPU for tensors on the GPU. It works on a backend of its own, so that all it makes goes with it. */
function borrow({ kernelName, kernelFunc }: KernelConfig): KernelConfig {
  return {
    kernelName,
    backendName: 'cpu',
    kernelFunc({ inputs, backend, attrs }) {
      const cpu = new MathBackendCPU();
      const gpu = backend as MathBackendWebGL;
      const lenders = new Map<TensorInfo, TensorInfo>();
      const lend = (tensor: TensorInfo): TensorInfo => {
        const info = cpu.makeTensorInfo(tensor.shape, tensor.dtype, gpu.readSync(tensor.dataId));
        // Some kernels ask for the rank, which tensors have and their infos lack.
        const lent = Object.assign(info, { rank: tensor.shape.length });
        lenders.set(lent, tensor);
        return lent;
      };
      const upload = (result: TensorInfo): TensorInfo =>
        lenders.get(result) ?? gpu.makeTensorInfo(result.shape, result.dtype, cpu.readSync(result.dataId));
      const lent = lendAll(inputs, lend);
      const results = kernelFunc({ inputs: lent, backend: cpu, ...(attrs && { attrs }) });
      return Array.isArray(results) ? results.map(upload) : upload(results);
    },
  };
}

/** Inputs that a kernel takes as a list are numbered; optional ones may be absent. */
function lendAll(inputs: NamedTensorInfoMap, lend: (tensor: TensorInfo) => TensorInfo): NamedTensorInfoMap {
  return Object.fromEntries(Object.entries(inputs).flatMap(([name, tensor]) => (tensor ? [[name, lend(tensor)]] : [])));
}
