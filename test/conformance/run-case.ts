// Runs one case of the op corpus on one interpreter: its steps in turn, state kept between them.
import { Interpreter } from 'tflite-gpu';
import { compare, type Tolerance } from './compare.js';
import { halfTolerance } from './half-tolerance.js';
import { type CorpusValue, fromBase64, type Values, valuesOf } from './values.js';

/** One case of a corpus file. */
export interface CorpusCase {
  readonly name: string;
  readonly model: string;
  readonly steps: readonly Step[];
  readonly tolerance: Tolerance;
  readonly only?: string;
}

interface Step {
  readonly resize?: Readonly<Record<string, readonly number[]>>;
  readonly reset?: boolean;
  readonly signature?: string;
  readonly inputs: readonly CorpusValue[];
  readonly outputs: readonly CorpusValue[];
}

/** How to run: the second argument of `Interpreter.create`, and whether half-float textures are asked for. */
export interface RunOptions {
  readonly delegate: 'gpu' | 'cpu';
  readonly half: boolean;
}

/** What a run found; `gpu` and `cpu` count the model's nodes by where they ran. */
export interface Outcome {
  readonly worst: number;
  readonly error?: string;
  readonly gpu: number;
  readonly cpu: number;
  readonly reasons: readonly string[];
}

/** The interpreter's options for a run. */
export function interpreterOptions({ delegate, half }: RunOptions) {
  return half ? { delegate, gpu: { compileOptions: { precisionLossAllowed: 1 as const } } } : { delegate };
}

/** Runs a case and compares every output of every step. */
export async function runCase(op: string, test: CorpusCase, options: RunOptions): Promise<Outcome> {
  const interpreter = await Interpreter.create(fromBase64(test.model), interpreterOptions(options));
  try {
    let worst = 0;
    let allocated = false;
    for (const [position, step] of test.steps.entries()) {
      if (step.reset) interpreter.resetAllVariables();
      if (!step.signature && (step.resize || !allocated)) {
        const details = interpreter.getInputDetails();
        for (const [input, shape] of Object.entries(step.resize ?? {}))
          interpreter.resizeTensorInput(details[Number(input)]!.index, [...shape]);
        await interpreter.allocateTensors();
        allocated = true;
      }
      const outputs = step.signature ? await runSignature(interpreter, step) : await runMain(interpreter, step);
      for (const [i, reference] of step.outputs.entries()) {
        const { values, shape } = outputs[i]!;
        const tolerance = options.half ? halfTolerance(op, reference.dtype, test.tolerance) : test.tolerance;
        const verdict = compare(values, shape, reference, tolerance, { only: test.only, half: options.half });
        worst = Math.max(worst, verdict.worst);
        if (verdict.error)
          return { ...placement(interpreter), worst, error: `step ${position} output ${i}: ${verdict.error}` };
      }
    }
    return { ...placement(interpreter), worst };
  } finally {
    interpreter.dispose();
  }
}

/** Where each node ran, from the interpreter's report. */
export function placement(interpreter: Interpreter): Pick<Outcome, 'gpu' | 'cpu' | 'reasons'> {
  const { nodes } = interpreter.report();
  const onCpu = nodes.filter((node) => node.runsOn === 'cpu');
  const reasons = [...new Set(onCpu.map((node) => `${node.op}: ${node.reason ?? 'no reason given'}`))];
  return { gpu: nodes.length - onCpu.length, cpu: onCpu.length, reasons };
}

interface Output {
  readonly values: Values | undefined;
  readonly shape?: readonly number[];
}

async function runMain(interpreter: Interpreter, step: Step): Promise<Output[]> {
  const inputs = interpreter.getInputDetails();
  for (const [i, value] of step.inputs.entries()) interpreter.setTensor(inputs[i]!.index, valuesOf(value) as never);
  await interpreter.invokeAsync();
  const results: Output[] = [];
  for (const { index } of interpreter.getOutputDetails()) {
    const values = (await interpreter.getTensorAsync(index)) as Values;
    results.push({ values, shape: interpreter.getOutputDetails().find((detail) => detail.index === index)!.shape });
  }
  return results;
}

async function runSignature(interpreter: Interpreter, step: Step): Promise<Output[]> {
  const run = interpreter.getSignatureRunner(step.signature) as unknown as SignatureRun;
  const outputs = await run(Object.fromEntries(step.inputs.map((value) => [value.name!, valuesOf(value)])));
  return step.outputs.map(({ name }) => ({ values: outputs[name!] }));
}

/** A signature called as a function of named inputs. */
export type SignatureRun = (inputs: Record<string, Values>) => Promise<Record<string, Values>>;
