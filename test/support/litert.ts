// TFLite's own interpreter, as LiteRT.js carries it in WebAssembly, in Node.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { listOf } from '../../src/format/model.js';
import { readModel } from '../../src/format/read.js';
import { writeModel } from '../../src/format/write.js';

/** What is given to a model or comes out of it. */
export interface Numbers {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** Outputs of a file by TFLite's own kernels, in the order of its signature. Open sizes are 1. Throws what TFLite refuses. */
export async function runInTFLite(file: Uint8Array, inputs: readonly Numbers[]): Promise<Numbers[]> {
  await start();
  const model = await loadAndCompile(withoutOpenSizes(file), { accelerator: 'wasm' });
  const given = inputs.map(({ data, shape }) => new Tensor(data as Float32Array, [...shape]));
  try {
    const outputs = await model.run(given);
    return outputs.map((output) => {
      const { dimensions } = output.type.layout;
      const data = output.toTypedArray().slice() as Float32Array;
      output.delete();
      return { data, shape: [...dimensions] };
    });
  } finally {
    for (const tensor of given) tensor.delete();
    model.delete();
  }
}

let started: Promise<unknown> | undefined;

/** LiteRT.js asks for the page or worker that it is in to load its script; here Node does. Its log is not shown. */
function start(): Promise<unknown> {
  if (started) return started;
  const require = createRequire(import.meta.url);
  const script = path.join(
    path.dirname(fileURLToPath(import.meta.resolve('@litertjs/core'))),
    '../wasm/litert_wasm_compat_internal.js',
  );
  const text = `${readFileSync(script, 'utf8')}; return ModuleFactory;`;
  Object.assign(globalThis, {
    self: globalThis,
    importScripts: () => undefined,
    ModuleFactory: new Function('require', '__dirname', '__filename', text)(require, path.dirname(script), script),
    Module: { print: () => undefined, printErr: () => undefined },
  });
  // It warns that there is no WebGPU.
  const { warn } = console;
  console.warn = () => undefined;
  started = loadLiteRt(script).finally(() => {
    console.warn = warn;
  });
  return started;
}

/** LiteRT.js does not resize: the shapes in the file are what it runs. */
function withoutOpenSizes(file: Uint8Array): Uint8Array {
  const model = readModel(file);
  const subgraphs = listOf(model.subgraphs).map((subgraph) => ({
    ...subgraph,
    tensors: listOf(subgraph.tensors).map(({ shapeSignature: _, ...tensor }) => tensor),
  }));
  return writeModel({ ...model, subgraphs });
}
