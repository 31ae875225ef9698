import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../../delegate/index.js';
import type { Model, Operator, Tensor } from '../../../src/format/model.js';
import { verifyModel } from '../../../src/format/verify.js';
import { writeModel } from '../../../src/format/write.js';
import { sampleModel } from './sample.js';

/** The sample with one tensor or operator changed. */
function changed({
  tensor,
  operator,
  fields,
}: {
  tensor?: number;
  operator?: number;
  fields: Partial<Tensor & Operator>;
}): Model {
  const model = sampleModel();
  const main = model.subgraphs![0]!;
  const tensors = main.tensors!.map((t, i) => (i === tensor ? { ...t, ...fields } : t));
  const operators = main.operators!.map((o, i) => (i === operator ? { ...o, ...fields } : o));
  return { ...model, subgraphs: [{ ...main, tensors, operators }] };
}

function refusal(bytes: Uint8Array): { code: string; path: string; offset: number | undefined; message: string } {
  try {
    verifyModel(bytes);
  } catch (error) {
    assert.ok(error instanceof ModelError, (error as Error).stack);
    return { code: error.code, path: error.path, offset: error.offset, message: error.message };
  }
  assert.fail('the model was accepted');
}

describe('verifying', () => {
  it('accepts what the writer writes', () => {
    verifyModel(writeModel(sampleModel()));
  });

  it('names the place, the byte and what is accepted', () => {
    const bytes = writeModel(changed({ operator: 1, fields: { inputs: [0, 93, -1] } }));
    const { code, path, offset, message } = refusal(bytes);
    assert.equal(code, 'bad-index');
    assert.equal(path, 'subgraphs[0].operators[1].inputs[1]');
    assert.equal(message, `${path}: tensor 93, but there are 7 tensors`);
    assert.equal(new DataView(bytes.buffer).getInt32(offset!, true), 93);
  });

  it('refuses a file cut anywhere', () => {
    const bytes = writeModel(sampleModel());
    for (let size = 0; size < bytes.length - 16; size++) refusal(bytes.slice(0, size));
  });

  it('refuses a value that is read before it is written', () => {
    const { code, message } = refusal(writeModel(changed({ operator: 0, fields: { inputs: [3] } })));
    assert.equal(code, 'no-producer');
    assert.match(message, /"DEQUANTIZE" reads tensor 3 "features" before anything gives it a value/);
  });

  it('refuses two producers of one tensor', () => {
    assert.equal(refusal(writeModel(changed({ operator: 2, fields: { outputs: [3] } }))).code, 'two-producers');
  });

  it('refuses constants whose bytes do not fit the shape', () => {
    const { message } = refusal(writeModel(changed({ tensor: 1, fields: { shape: [1, 2, 2, 2] } })));
    assert.match(message, /buffer 1 has 8 bytes; FLOAT16 \[1,2,2,2\] takes 16/);
  });

  it('refuses shapes whose product overflows, wherever the overflow is', () => {
    const { code } = refusal(
      writeModel(changed({ tensor: 0, fields: { shape: [65536, 65536, 0], shapeSignature: undefined } })),
    );
    assert.equal(code, 'too-large');
  });

  it('escapes and cuts names in messages', () => {
    const name = `<img src=x>\n${'é'.repeat(100)}`;
    const { message } = refusal(withUnwrittenOutput(name));
    assert.doesNotMatch(message, /[<>é\n]/);
    assert.ok(message.length < 500);
  });

  it('refuses files above the limit before looking at them', () => {
    assert.throws(() => verifyModel(writeModel(sampleModel()), { fileBytes: 100 }), /the limit is 100/);
  });
});

/** The graph output is called `name` and nothing writes it. */
function withUnwrittenOutput(name: string): Uint8Array {
  const model = changed({ tensor: 6, fields: { name } });
  const main = model.subgraphs![0]!;
  return writeModel({ ...model, subgraphs: [{ ...main, operators: main.operators!.slice(0, 3) }] });
}
