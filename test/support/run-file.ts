// Looks at model files, and runs them on the CPU path.
import { opName } from '../../src/format/operator-name.js';
import { readModel } from '../../src/format/read.js';
import { Interpreter } from '../../src/runtime/interpreter.js';

/** The operators of a file, in order. */
export function opsOf(file: Uint8Array): string[] {
  const model = readModel(file);
  return model.subgraphs![0]!.operators!.map((operator) => opName(model, operator));
}

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
