// The corpus's networks, and what they hold.
import { gunzipSync } from 'node:zlib';
import type { Model, Tensor } from '../../../src/format/model.js';
import { opName } from '../../../src/format/operator-name.js';
import { sharedFile } from '../../support/files.js';

/** A file of the corpus's networks. */
export function network(name: string, flavour: string): Uint8Array {
  return new Uint8Array(gunzipSync(sharedFile(`networks/${name}/${name}_${flavour}.tflite.gz`)));
}

/** The operators of the first subgraph. */
export function opsOf(model: Model): string[] {
  return model.subgraphs![0]!.operators!.map((operator) => opName(model, operator));
}

/** The bytes of a constant. */
export function bytesOf(model: Model, { buffer }: Tensor): Buffer {
  return Buffer.from(model.buffers![buffer]!.data!);
}

/** Bytes and scales of all weights of a model that are int8, in an order that does not depend on the file's. */
export function int8Weights(model: Model): string[] {
  return model
    .subgraphs!.flatMap(({ tensors }) => tensors!)
    .filter((t) => t.type === 'INT8' && model.buffers![t.buffer]!.data?.length)
    .map((t) => `[${t.shape}] ${t.quantization!.scale} ${bytesOf(model, t).toString('base64')}`)
    .sort();
}

/** Operators with their versions. */
export function versionsOf({ operatorCodes }: Model): string[] {
  return operatorCodes!.map(({ builtinCode, version }) => `${builtinCode} ${version}`).sort();
}
