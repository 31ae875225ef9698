// The page half of the benchmark: cold start of one peer, or all peers warm, taking turns on the same inputs.
import { Interpreter, type OpProfile } from 'tflite-gpu';
import { type Golden, makeInput } from '../test/conformance/golden.js';
import { type Numbers, numbersOf } from '../test/conformance/values.js';
import { type Input, type LoadedModel, peers } from './peers.js';

declare global {
  interface Window {
    /** What the runner calls. */
    bench: typeof bench;
  }
}

/** The draws of one kernel of ours in a run of a model. */
export interface KernelTiming {
  readonly kernel: string;
  readonly draws: number;
  readonly milliseconds: number;
  readonly multiplyAdds: number;
}

/** Times of one peer in milliseconds, with its difference from the reference as a share of the output's range. */
export interface Timing {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly difference: number;
  readonly figures: Record<string, number | string>;
  readonly error?: string;
}

const bench = {
  /** Milliseconds from the file's bytes to the first outputs, on this fresh page. */
  async cold(modelUrl: string, goldenUrl: string, peer: string): Promise<number> {
    const { bytes, inputs } = await prepare(modelUrl, goldenUrl);
    const started = performance.now();
    const model = await peers[peer]!(bytes);
    await model.run(inputs);
    const elapsed = performance.now() - started;
    model.dispose();
    return elapsed;
  },

  /** Checks every peer's outputs, then times `rounds` rounds in which each peer runs once. */
  async warm(
    modelUrl: string,
    goldenUrl: string,
    names: readonly string[],
    rounds: number,
  ): Promise<Record<string, Timing>> {
    const { bytes, inputs, golden } = await prepare(modelUrl, goldenUrl);
    const loaded = new Map<string, { model: LoadedModel; times: number[]; difference: number }>();
    const results: Record<string, Timing> = {};
    for (const name of names) {
      try {
        const model = await peers[name]!(bytes);
        const difference = differenceFrom(golden, await model.run(inputs));
        if (!(difference < (name.endsWith('f16') ? 0.05 : 1e-3)))
          throw new Error(`outputs are off by ${difference} of their range`);
        await model.run(inputs);
        await model.run(inputs);
        loaded.set(name, { model, times: [], difference });
      } catch (error) {
        results[name] = {
          median: Number.NaN,
          lower: 0,
          upper: 0,
          difference: Number.NaN,
          figures: {},
          error: String(error),
        };
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const { model, times } of loaded.values()) {
        const started = performance.now();
        await model.run(inputs);
        times.push(performance.now() - started);
      }
    }
    for (const [name, { model, times, difference }] of loaded) {
      const sorted = times.sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.min(rounds - 1, Math.floor(share * rounds))]!;
      results[name] = { median: at(0.5), lower: at(0.25), upper: at(0.75), difference, figures: model.figures() };
      model.dispose();
    }
    return results;
  },

  /** Draws of ours by kernel, each at its fastest of `rounds` runs, less what waiting for the GPU takes by itself. */
  async profile(modelUrl: string, goldenUrl: string, rounds: number, perDraw: boolean): Promise<KernelTiming[]> {
    const { bytes, inputs } = await prepare(modelUrl, goldenUrl);
    const interpreter = await Interpreter.create(bytes, { delegate: 'gpu' });
    await interpreter.allocateTensors();
    for (const [k, { index }] of interpreter.getInputDetails().entries()) interpreter.setTensor(index, inputs[k]!.data);
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
  },
};

async function prepare(modelUrl: string, goldenUrl: string) {
  const response = await fetch(modelUrl);
  const body = modelUrl.endsWith('.gz')
    ? new Response(response.body!.pipeThrough(new DecompressionStream('gzip')))
    : response;
  const golden = (await (await fetch(goldenUrl)).json()) as Golden;
  const { inputs: specs, runs } = golden.cases[0]!;
  const inputs = specs.map(
    (spec): Input => ({ data: makeInput(spec, runs[0]!.seed) as Float32Array, shape: [...spec.shape] }),
  );
  return { bytes: new Uint8Array(await body.arrayBuffer()), inputs, golden };
}

/** The largest difference from the reference outputs, as a share of each output's range. */
function differenceFrom(golden: Golden, outputs: readonly Numbers[]): number {
  let worst = 0;
  for (const [k, { dtype, data, every = 1, stats }] of golden.cases[0]!.runs[0]!.outputs.entries()) {
    const want = Array.from(numbersOf(dtype, data!), Number);
    const range = stats ? stats.max - stats.min : Math.max(...want) - Math.min(...want);
    for (const [i, w] of want.entries()) {
      const difference = Math.abs(Number(outputs[k]![i * every]) - w) / (range || 1);
      if (!(difference <= worst)) worst = difference;
    }
  }
  return worst;
}

window.bench = bench;
