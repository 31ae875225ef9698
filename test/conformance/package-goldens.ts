// Golden files for models that npm packages carry and that come without any.
import { listOf } from '../../src/format/model.js';
import { readModel } from '../../src/format/read.js';
import { type Numbers, runInTFLite } from '../support/litert.js';
import { runFile } from '../support/run-file.js';
import { type Golden, type GoldenCase, makeInput } from './golden.js';

const SEED = 1;
/** What a whole model may be off, as a share of an output's range. */
const SHARE = 1e-4;

/** The golden of a float32 model of pictures: outputs of TFLite's own interpreter, which LiteRT.js carries. */
export async function goldenOf(file: Uint8Array): Promise<Golden> {
  const model = readModel(file);
  const { tensors, inputs } = model.subgraphs![0]!;
  const specs = listOf(inputs).map((index, k) => {
    return { dtype: 'float32', shape: [...listOf(tensors![index]!.shape)], k, lo: 0, hi: 1, isPicture: true };
  });
  const given = specs.map((spec): Numbers => ({ data: makeInput(spec, SEED) as Float32Array, shape: spec.shape }));
  // LiteRT.js knows no custom ops: models that have some are held to the forms of ops on the CPU.
  const isKnown = listOf(model.operatorCodes).every(({ customCode }) => !customCode);
  const expected = await (isKnown ? runInTFLite : runFile)(file, given);
  const outputs = expected.map(({ data }) => specOf(data as Float32Array));
  const test: GoldenCase = { inputs: specs, runs: [{ seed: SEED, outputs }] };
  return { reference: isKnown ? 'LiteRT.js' : 'the CPU forms', cases: [test] };
}

function specOf(data: Float32Array) {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of data) [min, max] = [Math.min(min, x), Math.max(max, x)];
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { dtype: 'float32', data: bytes.toString('base64'), tolerance: { abs: SHARE * Math.max(1, max - min) } };
}
