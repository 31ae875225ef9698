import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/index.js';
import type { Model } from '../../../src/format/model.js';
import { printModel } from '../../../src/format/print.js';
import { readModel } from '../../../src/format/read.js';
import { writeModel } from '../../../src/format/write.js';
import { load, missingShared, modelNames, networkNames } from './corpus.js';

/** Files of the corpus that are not models, or whose graph cannot run: the reference refuses them too. */
const REFUSED = new Map([
  ['models/Hands-on-Tensorflow-Lite__._final_model.lite.tflite', 'not-a-model'],
  ['models/LiteRT__0_subgraphs.bin.tflite', 'no-subgraphs'],
  ['models/LiteRT__test_model_versioned_ops.bin.tflite', 'bad-operator'],
  ['models/tflite-micro__malicious_gather.tflite', 'bad-operator'],
  ['models/tflite_flutter_plugin__bad_model.tflite', 'not-a-model'],
  ['models/tflite_gles_app__object_detection_3d_sneakers.tflite', 'not-a-model'],
]);

function refusalOf(bytes: Uint8Array): string {
  try {
    readModel(bytes);
  } catch (error) {
    if (error instanceof ModelError) return error.code;
    throw error;
  }
  return 'accepted';
}

function checkRoundTrip(path: string): Model {
  const model = readModel(load(path));
  const written = writeModel(model);
  assert.deepEqual(readModel(written), model, path);
  return model;
}

describe('reading and writing real models', { skip: missingShared() }, () => {
  const models = missingShared() ? [] : modelNames().map((name) => `models/${name}`);

  it('gives equal models after a round trip', () => {
    const accepted = models.filter((path) => !REFUSED.has(path));
    for (const path of accepted) checkRoundTrip(path);
    const networks = networkNames().map((name) => `networks/${name}`);
    for (const path of networks) checkRoundTrip(path);
    console.log(
      `${accepted.length} of ${models.length} models and ${networks.length} networks equal after read, write, read`,
    );
  });

  it('refuses the files that the reference refuses, with the reason', () => {
    for (const [path, code] of REFUSED) assert.equal(refusalOf(load(path)), code, path);
  });

  it('prints every operator and tensor of a model', () => {
    for (const path of models.filter((name) => !REFUSED.has(name))) {
      const model = readModel(load(path));
      const lines = printModel(model).split('\n');
      const count = model.subgraphs!.reduce((sum, s) => sum + (s.tensors?.length ?? 0) + (s.operators?.length ?? 0), 0);
      assert.equal(lines.filter((line) => /^ {2}[%#]\d/.test(line)).length, count, path);
    }
  });
});

describe('writing', () => {
  const base: Model = {
    version: 3,
    operatorCodes: [{ deprecatedBuiltinCode: 0, version: 1, builtinCode: 'ADD' }],
    subgraphs: [{ tensors: [], inputs: [], outputs: [], debugMetadataIndex: -1 }],
    buffers: [{}, { data: new Uint8Array(5) }, { data: new Uint8Array(33) }, { data: new Uint8Array(0) }],
  };

  it('starts constants at multiples of 16 bytes', () => {
    const model = readModel(writeModel(base));
    for (const { data } of model.buffers!) assert.equal((data?.byteOffset ?? 0) % 16, 0);
  });

  it('keeps absent vectors apart from empty ones', () => {
    const model = readModel(writeModel(base));
    assert.equal(model.metadata, undefined);
    assert.deepEqual(model.subgraphs![0]!.tensors, []);
    assert.equal(model.buffers![0]!.data, undefined);
    assert.equal(model.buffers![3]!.data!.length, 0);
  });

  it('keeps 64-bit integers, negative zeros and NaN', () => {
    const quantization = {
      min: [-0],
      max: [Number.NaN],
      scale: [1],
      zeroPoint: [0],
      detailsType: 'NONE',
      quantizedDimension: 0,
    };
    const tensor = {
      shape: [2],
      type: 'FLOAT32',
      buffer: 0,
      quantization,
      isVariable: false,
      hasRank: true,
      externalBuffer: 0,
    };
    const operators = [
      {
        opcodeIndex: 0,
        inputs: [0],
        outputs: [1],
        builtinOptionsType: 'RandomOptions',
        builtinOptions: { seed: 2n ** 63n - 1n, seed2: -5 },
        customOptionsFormat: 'FLEXBUFFERS',
        builtinOptions2Type: 'NONE',
        debugMetadataIndex: -1,
      },
    ];
    const operatorCodes = [{ deprecatedBuiltinCode: 0, version: 1, builtinCode: 'RANDOM_UNIFORM' }];
    const model: Model = {
      ...base,
      operatorCodes,
      subgraphs: [{ tensors: [tensor, tensor], inputs: [0], outputs: [1], operators, debugMetadataIndex: -1 }],
    };
    const subgraph = readModel(writeModel(model)).subgraphs![0]!;
    assert.deepEqual(subgraph.operators![0]!.builtinOptions, { seed: 2n ** 63n - 1n, seed2: -5 });
    assert.ok(Object.is(subgraph.tensors![0]!.quantization!.min![0], -0));
    assert.ok(Number.isNaN(subgraph.tensors![0]!.quantization!.max![0]));
  });

  it('refuses a name that its enum does not have', () => {
    const operatorCodes = [{ deprecatedBuiltinCode: 0, version: 1, builtinCode: 'ADDD' }];
    assert.throws(
      () => writeModel({ ...base, operatorCodes }),
      /OperatorCode\.builtinCode: "ADDD" is not a BuiltinOperator/,
    );
  });
});
