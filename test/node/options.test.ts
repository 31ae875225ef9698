import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  normalizeOptions,
  setGpuDelegateOptions,
  TfLiteGlObjectType,
  type TfLiteGpuDelegateOptions,
} from '../../delegate/options.js';

const refused = (options: object, message: RegExp) =>
  assert.throws(
    () => normalizeOptions(options as TfLiteGpuDelegateOptions),
    (error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, message);
      return true;
    },
  );
const precisionOf = (options: TfLiteGpuDelegateOptions) => normalizeOptions(options).precision;

describe('delegate options', () => {
  afterEach(() => setGpuDelegateOptions({}));

  it('start from the defaults of the original', () => {
    assert.deepEqual(normalizeOptions(), {
      metadata: null,
      precision: 'float32',
      preferredGlObjectType: 0,
      dynamicBatchEnabled: false,
      inlineParameters: false,
      inferencePreference: 0,
      priorities: [1, 2, 3],
      experimentalFlags: 1,
      maxDelegatedPartitions: 1,
      serializationDir: null,
      modelToken: null,
    });
  });

  it('read the options of the tutorial', () => {
    const compileOptions = {
      precisionLossAllowed: 1,
      preferredGlObjectType: TfLiteGlObjectType.FASTEST,
      dynamicBatchEnabled: 0,
    } as const;
    assert.equal(precisionOf({ metadata: null, compileOptions }), 'float16');
  });

  it('mean the same in snake_case', () => {
    const camel = {
      compileOptions: { precisionLossAllowed: true, inlineParameters: 1 },
      maxDelegatedPartitions: 0,
    } as const;
    const snake = {
      compile_options: { precision_loss_allowed: 1, inline_parameters: true },
      max_delegated_partitions: 0,
    } as const;
    assert.deepEqual(normalizeOptions(snake), normalizeOptions(camel));
  });

  it('refuse an unknown key and list the keys', () => {
    refused({ precision: 1 }, /unknown key "precision"; accepted: metadata, compileOptions, .*maxDelegatedPartitions/);
    refused({ compileOptions: { precission: 1 } }, /"compileOptions.precission"; accepted: precisionLossAllowed, /);
    refused({ __proto__x: 1 }, /unknown key/);
  });

  it('refuse a bad value and say what is accepted', () => {
    refused({ compileOptions: { precisionLossAllowed: 2 } }, /is 2; accepted: 0, 1, false or true/);
    refused(
      { compileOptions: { preferredGlObjectType: 'BUFFER' } },
      /"BUFFER"; accepted: FASTEST 0, TEXTURE 1, BUFFER 2/,
    );
    refused({ compileOptions: null }, /compileOptions is null; accepted: an object/);
    refused({ maxDelegatedPartitions: -1 }, /0 \(all\) or more/);
    refused({ experimentalFlags: 16 }, /ENABLE_SERIALIZATION 8/);
    refused([], /accepted: an object/);
  });

  it('refuse a field in both spellings', () => {
    refused({ inferencePreference: 0, inference_preference: 1 }, /given twice/);
  });

  it('let MAX_PRECISION first mean float32 and later float16', () => {
    assert.equal(precisionOf({ inferencePriority1: 1 }), 'float32');
    assert.equal(precisionOf({ inferencePriority1: 2, inferencePriority2: 1 }), 'float16');
    assert.equal(precisionOf({ inferencePriority1: 3 }), 'float16');
  });

  it('let an explicit precisionLossAllowed win over the priorities', () => {
    assert.equal(precisionOf({ inferencePriority1: 2, compileOptions: { precisionLossAllowed: 0 } }), 'float32');
    assert.equal(precisionOf({ inferencePriority1: 1, compileOptions: { precisionLossAllowed: 1 } }), 'float16');
  });

  it('accept the obsolete isPrecisionLossAllowed, and refuse a contradiction', () => {
    assert.equal(precisionOf({ isPrecisionLossAllowed: 1 }), 'float16');
    assert.equal(precisionOf({ isPrecisionLossAllowed: 0, inferencePriority1: 2 }), 'float32');
    assert.equal(precisionOf({ isPrecisionLossAllowed: -1, inferencePriority1: 2 }), 'float16');
    refused({ isPrecisionLossAllowed: 0, compileOptions: { precisionLossAllowed: 1 } }, /contradicts/);
  });

  it('allow AUTO only behind what is given, and nothing twice', () => {
    refused({ inferencePriority1: 0 }, /must not be AUTO/);
    refused({ inferencePriority1: 2, inferencePriority2: 0, inferencePriority3: 1 }, /only after all higher/);
    refused({ inferencePriority1: 2, inferencePriority2: 2 }, /given once/);
    refused({ inferencePriority1: 2, inferencePriority2: 1, inferencePriority3: 1 }, /given once/);
  });

  it('resolve AUTO to what is missing', () => {
    const priorities = (first: 1 | 2 | 3, second: 0 | 1 | 2 | 3 = 0) =>
      normalizeOptions({ inferencePriority1: first, inferencePriority2: second }).priorities;
    assert.deepEqual(priorities(2), [2, 3, 1]);
    assert.deepEqual(priorities(3), [3, 1, 2]);
    assert.deepEqual(priorities(2, 1), [2, 1, 3]);
  });

  it('name every priority once, or are refused', () => {
    const priority = fc.constantFrom(0, 1, 2, 3);
    fc.assert(
      fc.property(priority, priority, priority, (inferencePriority1, inferencePriority2, inferencePriority3) => {
        let options: ReturnType<typeof normalizeOptions>;
        try {
          options = normalizeOptions({
            inferencePriority1,
            inferencePriority2,
            inferencePriority3,
          } as TfLiteGpuDelegateOptions);
        } catch {
          return;
        }
        assert.deepEqual([...options.priorities].sort(), [1, 2, 3]);
        assert.equal(options.precision === 'float32', inferencePriority1 === 1);
      }),
    );
  });

  it('take whatever object they get, or throw a TypeError', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 2 }), (input) => {
        try {
          normalizeOptions(input as TfLiteGpuDelegateOptions);
        } catch (error) {
          assert.ok(error instanceof TypeError);
        }
      }),
    );
  });
});

describe('setGpuDelegateOptions', () => {
  afterEach(() => setGpuDelegateOptions({}));

  it('sets what later loads start from', () => {
    setGpuDelegateOptions({
      compileOptions: { precisionLossAllowed: 1, inlineParameters: 1 },
      maxDelegatedPartitions: 3,
    });
    const options = normalizeOptions({ maxDelegatedPartitions: 0 });
    assert.equal(options.precision, 'float16');
    assert.equal(options.inlineParameters, true);
    assert.equal(options.maxDelegatedPartitions, 0);
  });

  it('gives way to any spelling of the precision', () => {
    setGpuDelegateOptions({ compileOptions: { precisionLossAllowed: 1 } });
    assert.equal(precisionOf({ isPrecisionLossAllowed: 0 }), 'float32');
    assert.equal(precisionOf({ inferencePriority1: 1 }), 'float32');
  });

  it('refuses bad options and keeps the old ones', () => {
    setGpuDelegateOptions({ maxDelegatedPartitions: 2 });
    assert.throws(() => setGpuDelegateOptions({ maxDelegatedPartitions: -2 }), TypeError);
    assert.equal(normalizeOptions().maxDelegatedPartitions, 2);
  });
});
