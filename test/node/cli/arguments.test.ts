import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandOf, UsageError } from '../../../src/cli/arguments.js';

describe('the arguments of the command line', () => {
  it('are a command with its files and flavour', () => {
    assert.deepEqual(commandOf(['convert', 'model.json', '-o', 'a.tflite']), {
      name: 'convert',
      input: 'model.json',
      output: 'a.tflite',
      flavour: 'float32',
    });
    assert.deepEqual(commandOf(['quantize', '--float16', '--output=b.tflite', 'a.tflite']), {
      name: 'quantize',
      input: 'a.tflite',
      output: 'b.tflite',
      flavour: 'float16',
    });
    assert.deepEqual(commandOf(['quantize', 'a.tflite', '-o', 'b.tflite', '--int8', '--data', 'samples']), {
      name: 'quantize',
      input: 'a.tflite',
      output: 'b.tflite',
      flavour: 'int8',
      data: 'samples',
    });
    assert.deepEqual(commandOf(['inspect', 'a.tflite']), { name: 'inspect', input: 'a.tflite' });
    assert.deepEqual(commandOf(['convert', '-h']), { name: 'help' });
  });

  for (const [line, message] of [
    ['', /no command; accepted: convert, quantize, dequantize, inspect/],
    ['shrink a.tflite', /unknown command "shrink"; accepted: convert/],
    ['convert -o a.tflite', /convert takes one file; found none/],
    ['convert a.json b.json -o a.tflite', /convert takes one file; found a.json b.json/],
    ['convert model.json', /convert needs -o FILE/],
    ['convert model.json -o a.tflite --float16 --dynamic', /found --float16 --dynamic; accepted: one of --float16, /],
    ['convert model.json -o a.tflite --float8', /Unknown option '--float8'/],
    ['quantize a.tflite -o b.tflite', /quantize needs one of --float16, --dynamic/],
    ['convert model.json -o a.tflite --int8', /--int8 needs --data DIR/],
    ['convert model.json -o a.tflite --float16 --data d', /--float16 does not take --data/],
    ['convert model.json -o a.tflite --data d', /convert does not take --data/],
    ['inspect a.tflite -o b.tflite', /inspect does not take --output/],
  ] as const)
    it(`are refused: ${line || 'none'}`, () => {
      const isExpected = (error: unknown) => error instanceof UsageError && message.test(error.message);
      assert.throws(() => commandOf(line.split(' ').filter(Boolean)), isExpected);
    });
});
