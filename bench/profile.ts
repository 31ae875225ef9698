import { Interpreter, type OpProfile } from 'tflite-gpu';
import type { Case } from './case.js';

/** The draws of one kernel of ours in a run of a model. */
export interface KernelTiming {
  readonly kernel: string;
  readonly draws: number;
  readonly milliseconds: number;
  readonly multiplyAdds: number;
}

/** Draws of ours by kernel, each at its fastest of `rounds` runs, less what waiting for the GPU takes by itself. */
export async function profile(test: Case, rounds: number, perDraw: boolean): Promise<KernelTiming[]> {
  const interpreter = await Interpreter.create(test.bytes, { delegate: 'gpu' });
  await interpreter.allocateTensors();
  for (const [k, { index }] of interpreter.getInputDetails().entries())
    interpreter.setTensor(index, test.inputs[k]!.data);
  const best: number[] = [];
  let draws: OpProfile[] = [];
  for (let round = 0; round < rounds; round++) {
    draws = await interpreter.profile();
    for (const [i, { milliseconds }] of draws.entries()) best[i] = Math.min(best[i] ?? Infinity, milliseconds);
  }
  interpreter.dispose();
  const idle = Math.min(...best);
  const timings = new Map<string, KernelTiming>();
  for (const [i, { kernel, op, index, multiplyAdds }] of draws.entries()) {
    const name = perDraw ? `${index} ${op} ${kernel}` : kernel;
    const sum = timings.get(name) ?? { kernel: name, draws: 0, milliseconds: 0, multiplyAdds: 0 };
    timings.set(name, {
      kernel: name,
      draws: sum.draws + 1,
      milliseconds: sum.milliseconds + best[i]! - idle,
      multiplyAdds: sum.multiplyAdds + multiplyAdds,
    });
  }
  return [...timings.values()];
}
