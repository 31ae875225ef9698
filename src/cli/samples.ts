import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { arrayOf, type DType, ModelError, type NumericData, quoted, type Shape, sizeOf } from '../../delegate/index.js';
import { listOf, type Model } from '../format/model.js';
import { readNpy } from './npy.js';

/** A value of an input, with a batch of 1. */
interface Value {
  readonly data: NumericData;
  readonly shape: Shape;
}

/** An input of a model. */
interface Input {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** How to read the numbers of a file, by the ending of its name. */
const READERS: Readonly<Record<string, (bytes: Buffer, dtype: DType) => ArrayLike<number | bigint>>> = {
  '.npy': readNpy,
  '.json': (bytes) => (JSON.parse(bytes.toString('utf8')) as unknown[]).flat(Number.POSITIVE_INFINITY) as number[],
  '.bin': (bytes, dtype) => {
    const Numbers = arrayOf(dtype);
    return new Numbers(new Uint8Array(bytes).buffer, 0, Math.floor(bytes.length / Numbers.BYTES_PER_ELEMENT)) as never;
  },
};

/**
 * Samples of what a model takes, by input names: each file of the folder holds one or several, one after the other. Where
 * the model has several inputs, the folder has a folder of files for each, named as the input.
 */
export async function readSamples(folder: string, model: Model): Promise<Readonly<Record<string, Value>>[]> {
  const inputs = inputsOf(model);
  const place = ({ name }: Input) => (inputs.length > 1 ? path.join(folder, name) : folder);
  const columns = await Promise.all(
    inputs.map(async (input) => [input.name, await valuesIn(place(input), input)] as const),
  );
  const counts = new Set(columns.map(([, values]) => values.length));
  if (counts.size !== 1)
    throw new ModelError(
      'samples',
      `${folder}: ${[...counts].join(' and ')} samples; accepted: as many for each input`,
    );
  return columns[0]![1].map((_, i) => Object.fromEntries(columns.map(([name, values]) => [name, values[i]!])));
}

/** The inputs of the first signature. */
function inputsOf(model: Model): Input[] {
  const subgraph = model.subgraphs![0]!;
  const [signature] = listOf(model.signatureDefs);
  const given = signature
    ? listOf(signature.inputs).map(({ name, tensorIndex }) => [name, tensorIndex] as const)
    : listOf(subgraph.inputs).map((index) => [subgraph.tensors?.[index]?.name, index] as const);
  return given.map(([name = '', index]) => {
    const { shape = [], type = 'FLOAT32' } = subgraph.tensors![index]!;
    return { name, shape, dtype: type.toLowerCase() as DType };
  });
}

async function valuesIn(folder: string, input: Input): Promise<Value[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  if (!names.length)
    throw new ModelError('samples', `${folder}: no files; accepted: ${Object.keys(READERS).join(', ')}`);
  const files = await Promise.all(names.map((name) => valuesOf(path.join(folder, name), input)));
  return files.flat();
}

async function valuesOf(file: string, { name, shape, dtype }: Input): Promise<Value[]> {
  const read = READERS[path.extname(file)];
  if (!read)
    throw new ModelError(
      'samples',
      `${file}: not known; accepted: ${Object.keys(READERS).join(', ')} with values as the model takes them`,
    );
  const numbers = await readFile(file).then((bytes) => parsed(file, () => read(bytes, dtype)));
  const size = sizeOf(shape);
  if (!numbers.length || numbers.length % size)
    throw new ModelError(
      'samples',
      `${file}: ${numbers.length} values; accepted: a multiple of ${size}, for input ${quoted(name)} of [${shape}]`,
    );
  return Array.from({ length: numbers.length / size }, (_, i) => {
    const data = new (arrayOf(dtype))(size);
    for (let k = 0; k < size; k++) data[k] = Number(numbers[i * size + k]);
    return { data, shape };
  });
}

function parsed<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ModelError('samples', `${file}: ${(error as Error).message}`);
  }
}
