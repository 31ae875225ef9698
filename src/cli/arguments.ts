import { parseArgs } from 'node:util';

/** How numbers are stored; each is an option of its name. */
const FLAVOURS = ['float16', 'dynamic', 'int8', 'int16x8'] as const;

/** How a file is to be stored; what computes in integers is given a folder of samples. */
export type Storage =
  | { readonly flavour: 'float32' | 'float16' | 'dynamic' }
  | { readonly flavour: 'int8' | 'int16x8'; readonly data: string };

/** What the command line asks for. Paths are as given. */
export type Command =
  | { readonly name: 'help' | 'version' }
  | { readonly name: 'inspect'; readonly input: string }
  | { readonly name: 'dequantize'; readonly input: string; readonly output: string }
  | ({ readonly name: 'convert' | 'quantize'; readonly input: string; readonly output: string } & Storage);

/** The command line is wrong: it says what is, and what is accepted. */
export class UsageError extends Error {}

export const USAGE = `tflite-gpu convert MODEL.json -o OUT.tflite [--float16 | --dynamic | --int8 --data DIR | --int16x8 --data DIR]
    A TensorFlow.js model (layers or graph model, its weights beside it) as a .tflite file.
tflite-gpu quantize IN.tflite -o OUT.tflite --float16 | --dynamic | --int8 --data DIR | --int16x8 --data DIR
    A .tflite file in smaller numbers.
tflite-gpu dequantize IN.tflite -o OUT.tflite
    A .tflite file with float32 in the place of all smaller numbers.
tflite-gpu inspect FILE.tflite
    A line for each signature, tensor and operator.

  -o, --output FILE   the file to write
  --float16           weights as halves: half the size
  --dynamic           large weights as int8: a quarter of the size
  --int8              int8 throughout, inputs and outputs float32
  --int16x8           activations as int16, weights as int8
  --data DIR          a hundred samples or so of what the model will take, to see what values come up: .npy, .json (nested
                      lists) or .bin (raw little-endian) files of one or several samples each, values as the model takes
                      them; where the model has several inputs, a folder of files for each, named as the input
  -h, --help          this text
  --version           the version of this package`;

const COMMANDS = ['convert', 'quantize', 'dequantize', 'inspect'] as const;

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  float16: { type: 'boolean' },
  dynamic: { type: 'boolean' },
  int8: { type: 'boolean' },
  int16x8: { type: 'boolean' },
  data: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parse>['values'];

/** The arguments after the program's name as a command. Throws UsageError. */
export function commandOf(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help) return { name: 'help' };
  if (values.version) return { name: 'version' };
  const [given, input, ...more] = positionals;
  const name = COMMANDS.find((command) => command === given);
  if (!name)
    throw new UsageError(`${given ? `unknown command "${given}"` : 'no command'}; accepted: ${COMMANDS.join(', ')}`);
  if (!input || more.length)
    throw new UsageError(`${name} takes one file; found ${input ? positionals.slice(1).join(' ') : 'none'}`);
  if (name === 'inspect') {
    expectNone(name, values, ['output', 'data', ...FLAVOURS]);
    return { name, input };
  }
  const { output } = values;
  if (!output) throw new UsageError(`${name} needs -o FILE, the file to write`);
  if (name === 'dequantize') {
    expectNone(name, values, ['data', ...FLAVOURS]);
    return { name, input, output };
  }
  return { name, input, output, ...storageOf(name, values) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function storageOf(name: 'convert' | 'quantize', values: Values): Storage {
  const given = FLAVOURS.filter((flavour) => values[flavour]);
  const options = FLAVOURS.map((flavour) => `--${flavour}`).join(', ');
  if (given.length > 1)
    throw new UsageError(`found ${given.map((flavour) => `--${flavour}`).join(' ')}; accepted: one of ${options}`);
  if (!given.length && name === 'quantize') throw new UsageError(`quantize needs one of ${options}`);
  const [flavour = 'float32'] = given;
  const { data } = values;
  if (flavour !== 'int8' && flavour !== 'int16x8') {
    expectNone(given.length ? `--${flavour}` : name, values, ['data']);
    return { flavour };
  }
  if (!data) throw new UsageError(`--${flavour} needs --data DIR, a folder of samples of what the model takes`);
  return { flavour, data };
}

function expectNone(name: string, values: Values, options: readonly (keyof Values)[]): void {
  const given = options.find((option) => values[option] !== undefined);
  if (given) throw new UsageError(`${name} does not take --${given}`);
}
