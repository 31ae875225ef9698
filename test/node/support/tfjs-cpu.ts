import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  type BackendValues,
  type DataType,
  getKernel,
  type NamedAttrMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { DType, TensorData } from '../../../delegate/ir/dtype.js';
import type { Cpu } from '../../../delegate/ir/op.js';

const backend = new MathBackendCPU();

/** tfjs's CPU kernels, called directly. */
export const tfjsCpu: Cpu = {
  run(kernel, inputs, attrs = {}) {
    const infos = Object.entries(inputs).map(([name, { shape, dtype, data }]): [string, TensorInfo] => {
      return [name, backend.makeTensorInfo([...shape], dtype as DataType, data as BackendValues)];
    });
    const { kernelFunc } = getKernel(kernel, 'cpu')!;
    const result = kernelFunc({
      inputs: Object.fromEntries(infos),
      backend,
      attrs: { ...attrs } as NamedAttrMap,
    }) as TensorInfo;
    const data = backend.data.get(result.dataId).values as TensorData;
    return { shape: result.shape, dtype: result.dtype as DType, data };
  },
};
