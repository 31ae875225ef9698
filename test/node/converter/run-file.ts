// Runs a converted file on the CPU path.
import { Interpreter } from '../../../src/runtime/interpreter.js';

/** Outputs of a model for one set of inputs, whose shapes may differ from the file's in open sizes. */
export async function runFile(
  file: Uint8Array,
  inputs: readonly { readonly data: Float32Array | Int32Array | Uint8Array; readonly shape: readonly number[] }[],
): Promise<{ data: Float32Array; shape: readonly number[] }[]> {
  const interpreter = await Interpreter.create(file, { delegate: 'cpu' });
  try {
    const details = interpreter.getInputDetails();
    for (const [i, { shape }] of inputs.entries())
      interpreter.resizeTensorInput(details[i]!.index, shape, { strict: true });
    await interpreter.allocateTensors();
    for (const [i, { data }] of inputs.entries()) interpreter.setTensor(details[i]!.index, data);
    interpreter.invoke();
    return interpreter.getOutputDetails().map(({ index, shape }) => ({
      data: interpreter.getTensor(index) as Float32Array,
      shape,
    }));
  } finally {
    interpreter.dispose();
  }
}
