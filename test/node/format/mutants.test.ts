import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError, UnsupportedError } from '../../../delegate/index.js';
import { toGraph } from '../../../src/format/graph.js';
import { printModel } from '../../../src/format/print.js';
import { readModel } from '../../../src/format/read.js';
import { writeModel } from '../../../src/format/write.js';
import { random } from '../../support/random.js';
import { load, missingShared } from './corpus.js';
import { sampleModel } from './sample.js';

const MUTANTS = Number(process.env.TFLITE_GPU_MUTANTS ?? 2000);
const MILLISECONDS = 100;
const MODELS = [
  'models/LiteRT__multi_subgraphs_while.bin.tflite',
  'models/LiteRT__quantized.bin.tflite',
  'models/LiteRT__sparse_tensor.bin.tflite',
  'models/tiny__model_ToyCar_quant.tflite',
  'networks/mnist/mnist_model_quant_f16.tflite',
];

/** Numbers from 0 to below `n`, the same for the same seed. */
function randomizer(seed: number): (n: number) => number {
  const next = random(seed);
  return (n) => (next() * 2 ** 32) % n;
}

/** Overwrites one to three words, half-words or bytes with numbers that offsets, lengths and indices dislike. */
function mutate(original: Uint8Array, random: (n: number) => number): Uint8Array {
  if (random(40) === 0) return original.slice(0, random(original.length));
  const bytes = original.slice();
  const view = new DataView(bytes.buffer);
  for (let edits = 1 + random(3); edits > 0; edits--) {
    const word = 4 * random(Math.floor(bytes.length / 4));
    const current = view.getUint32(word, true);
    const other = view.getUint32(4 * random(Math.floor(bytes.length / 4)), true);
    const values = [
      0,
      1,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32 - 1,
      bytes.length,
      bytes.length - word,
      current + 4,
      current - 4,
      other,
    ];
    const value = values[random(values.length)]!;
    switch (random(3)) {
      case 0:
        view.setUint32(word, value, true);
        break;
      case 1:
        view.setUint16(word + 2 * random(2), value, true);
        break;
      default:
        bytes[word + random(4)] = random(256);
    }
  }
  return bytes;
}

/** Reads, prints, writes and makes graphs; true where the mutant is accepted. */
function survives(bytes: Uint8Array): boolean {
  try {
    const model = readModel(bytes);
    printModel(model);
    readModel(writeModel(model));
    for (const index of model.subgraphs!.keys()) toGraph(model, index);
    return true;
  } catch (error) {
    if (error instanceof ModelError || error instanceof UnsupportedError) return false;
    throw error;
  }
}

describe('damaged models', () => {
  it(`raise nothing but ModelError, each within ${MILLISECONDS} ms`, () => {
    const originals = [writeModel(sampleModel()), ...(missingShared() ? [] : MODELS.map(load))];
    let accepted = 0;
    let slowest = 0;
    for (let seed = 0; seed < MUTANTS; seed++) {
      const mutant = mutate(originals[seed % originals.length]!, randomizer(seed));
      const start = performance.now();
      try {
        if (survives(mutant)) accepted++;
      } catch (error) {
        assert.fail(`seed ${seed}: ${(error as Error).stack}`);
      }
      slowest = Math.max(slowest, performance.now() - start);
    }
    console.log(`${MUTANTS} mutants: ${accepted} accepted, slowest ${slowest.toFixed(1)} ms`);
    assert.ok(slowest <= MILLISECONDS, `the slowest took ${slowest} ms`);
  });
});
