// Golden files for models that npm packages carry and that come without any.
import { listOf } from '../../src/format/model.js';
import { readModel } from '../../src/format/read.js';
import { type Numbers, runInTFLite } from '../support/litert.js';
import { runFile } from '../support/run-file.js';
import { type Golden, type GoldenCase, makeInput } from './golden.js';

const SEED = 1;
/** What a whole model may be off, as a share of an output's range. */
const SHARE = 1e-4;

/**
 * The golden of a float32 model of pictures: outputs of TFLite's own interpreter, which LiteRT.js carries. The mask of the
 * pose models is so steep that two interpreters on a CPU are further apart than SHARE: twice their distance is allowed too.
 */
export async function goldenOf(file: Uint8Array): Promise<Golden> {
  const model = readModel(file);
  const { tensors, inputs } = model.subgraphs![0]!;
  const specs = listOf(inputs).map((index, k) => {
    return { dtype: 'float32', shape: [...listOf(tensors![index]!.shape)], k, lo: 0, hi: 1, isPicture: true };
  });
  const given = specs.map((spec): Numbers => ({ data: makeInput(spec, SEED) as Float32Array, shape: spec.shape }));
  const onCpu = await runFile(file, given);
  // LiteRT.js knows no custom ops: models that have some are held to the forms of ops on the CPU.
  const isKnown = listOf(model.operatorCodes).every(({ customCode }) => !customCode);
  const expected = isKnown ? await runInTFLite(file, given) : onCpu;
  const outputs = expected.map(({ data }, i) => specOf(data as Float32Array, onCpu[i]!.data));
  const test: GoldenCase = { inputs: specs, runs: [{ seed: SEED, outputs }] };
  return { reference: isKnown ? 'LiteRT.js' : 'the CPU forms', cases: [test] };
}

function specOf(data: Float32Array, other: Float32Array) {
  let [min, max, apart] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const [i, x] of data.entries())
    [min, max, apart] = [Math.min(min, x), Math.max(max, x), Math.max(apart, Math.abs(x - other[i]!))];
  const abs = SHARE * Math.max(1, max - min) + 2 * apart;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { dtype: 'float32', data: bytes.toString('base64'), tolerance: { abs } };
}
