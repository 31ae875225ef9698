import { readFile, writeFile } from 'node:fs/promises';
import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { VERSION } from '../../delegate/index.js';
import { dequantize, quantize } from '../converter/converter.js';
import { OpsSet } from '../converter/settings.js';
import { listOf } from '../format/model.js';
import { printModel } from '../format/print.js';
import { readModel } from '../format/read.js';
import { verifyModel } from '../format/verify.js';
import { type Command, type Storage, USAGE } from './arguments.js';
import { readSamples } from './samples.js';

/** Does what a command says and returns what to print. Errors of files and models pass through. */
export async function run(command: Command): Promise<string> {
  switch (command.name) {
    case 'help':
      return USAGE;
    case 'version':
      return VERSION;
    case 'inspect':
      return printModel(readModel(await verified(command.input)));
    case 'dequantize':
      return written(command.output, await dequantize(await verified(command.input)), 'float32');
    case 'quantize':
      return written(command.output, await stored(await verified(command.input), command), command.flavour);
    case 'convert':
      return written(command.output, await stored(await converted(command.input), command), command.flavour);
    default:
      return command satisfies never;
  }
}

async function converted(file: string): Promise<Uint8Array> {
  // Production mode keeps tfjs from praising its Node backend.
  enableProdMode();
  await setBackend('cpu');
  const { converterOf } = await import('./tfjs-files.js');
  return (await converterOf(file)).convert();
}

const INT16X8 = [OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8, OpsSet.TFLITE_BUILTINS];

async function stored(file: Uint8Array, storage: Storage): Promise<Uint8Array> {
  switch (storage.flavour) {
    case 'float32':
      return file;
    case 'float16':
      return quantize(file, { targetSpec: { supportedTypes: ['float16'] } });
    case 'dynamic':
      return quantize(file);
    case 'int8':
    case 'int16x8': {
      enableProdMode();
      const samples = await readSamples(storage.data, readModel(file));
      const supportedOps = storage.flavour === 'int8' ? [OpsSet.TFLITE_BUILTINS] : INT16X8;
      return quantize(file, { targetSpec: { supportedOps }, representativeDataset: () => samples });
    }
    default:
      return storage satisfies never;
  }
}

async function verified(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file);
  verifyModel(bytes);
  return bytes;
}

async function written(file: string, bytes: Uint8Array, flavour: Storage['flavour']): Promise<string> {
  await writeFile(file, bytes);
  const operators = listOf(readModel(bytes).subgraphs).flatMap((subgraph) => listOf(subgraph.operators)).length;
  return `${file}: ${flavour}, ${operators} operators, ${bytes.length} bytes`;
}
