import { Interpreter } from 'tflite-gpu';
import type { Case } from './case.js';
import { countFetches } from './fetches.js';

/** Draws of ours that are the same work, in a run of a model. */
export interface KernelTiming {
  readonly kernel: string;
  readonly draws: number;
  readonly milliseconds: number;
  readonly multiplyAdds: number;
  readonly fetches: number;
}

/** What draws of a profile are added up: those of a kernel, those that are alike in all they do, or none. */
export type Grouping = 'kernel' | 'work' | 'draw';

/** Draws of ours, each at its fastest of `rounds` runs, less what waiting for the GPU takes by itself. */
export async function profile(test: Case, rounds: number, grouping: Grouping): Promise<KernelTiming[]> {
  const counted = await countFetches(test);
  const interpreter = await loadOurs(test);
  const best: number[] = counted.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    const times = (await interpreter.profile()).filter(({ runsOn }) => runsOn === 'gpu');
    for (const [i, { milliseconds }] of times.entries()) best[i] = Math.min(best[i]!, milliseconds);
  }
  interpreter.dispose();
  const idle = Math.min(...best);
  const timings = new Map<string, KernelTiming>();
  for (const [i, { kernel, op, index, multiplyAdds, fetches }] of counted.entries()) {
    const name = { kernel, work: `${kernel} ${multiplyAdds} ${fetches}`, draw: `${index} ${op} ${kernel}` }[grouping];
    const sum = timings.get(name) ?? { draws: 0, milliseconds: 0, multiplyAdds: 0, fetches: 0 };
    timings.set(name, {
      kernel: grouping === 'work' ? (timings.get(name)?.kernel ?? `${index} ${op} ${kernel}`) : name,
      draws: sum.draws + 1,
      milliseconds: sum.milliseconds + best[i]! - idle,
      multiplyAdds: sum.multiplyAdds + multiplyAdds,
      fetches: sum.fetches + fetches,
    });
  }
  return [...timings.values()];
}

/** What a run of ours costs. */
export interface RunCost {
  readonly milliseconds: number;
  readonly multiplyAdds: number;
  readonly draws: number;
  /** The main thread's time from a draw to the next, in microseconds. */
  readonly submitMicroseconds: number;
}

/** Medians of `rounds` runs. */
export async function runCost(test: Case, rounds: number): Promise<RunCost> {
  const interpreter = await loadOurs(test);
  const multiplyAdds = (await interpreter.profile()).reduce((sum, draw) => sum + draw.multiplyAdds, 0);
  const { draws } = interpreter.report();
  const outputs = interpreter.getOutputDetails();
  const times: number[] = [];
  const submits: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    submits.push(timeOfDraws(() => interpreter.invoke()));
    for (const { index } of outputs) await interpreter.getTensorAsync(index);
    times.push(performance.now() - started);
  }
  interpreter.dispose();
  const median = (all: number[]) => all.sort((a, b) => a - b)[rounds >> 1]!;
  return {
    milliseconds: median(times),
    multiplyAdds,
    draws,
    submitMicroseconds: (median(submits) / (draws - 1)) * 1e3,
  };
}

async function loadOurs({ bytes, inputs }: Case): Promise<Interpreter> {
  const interpreter = await Interpreter.create(bytes, { delegate: 'gpu' });
  await interpreter.allocateTensors();
  for (const [k, { index }] of interpreter.getInputDetails().entries()) interpreter.setTensor(index, inputs[k]!.data);
  return interpreter;
}

/** Milliseconds from the first draw that `work` issues to the last. */
function timeOfDraws(work: () => void): number {
  const { prototype } = WebGL2RenderingContext;
  const { drawArrays } = prototype;
  let [first, last] = [0, 0];
  prototype.drawArrays = function (...given) {
    first ||= performance.now();
    drawArrays.apply(this, given);
    last = performance.now();
  };
  work();
  prototype.drawArrays = drawArrays;
  return last - first;
}
