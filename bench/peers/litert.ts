import type { Peer, Values } from '../peers.js';

const folder = '/peers/@litertjs/core';

/** What is used of `@litertjs/core`. */
interface Library {
  loadLiteRt(wasm: string): Promise<unknown>;
  loadAndCompile(
    bytes: Uint8Array,
    options: { accelerator: Accelerator; gpuOptions: { precision: 'fp32' } },
  ): Promise<Model>;
  Tensor: new (data: Values, shape: number[]) => Tensor;
}

interface Model {
  readonly isFullyAccelerated: boolean;
  run(inputs: Tensor[]): Promise<Tensor[]>;
  delete(): void;
}

interface Tensor {
  moveTo(place: 'wasm'): Promise<Tensor>;
  toTypedArray(): Values;
  delete(): void;
}

type Accelerator = 'webgpu' | 'wasm';

let library: Library | undefined;

/** Both accelerators share one runtime. */
async function start(): Promise<void> {
  if (library) return;
  const script: string = `${folder}/dist/index.js`;
  library = (await import(script)) as Library;
  await library.loadLiteRt(`${folder}/wasm/`);
}

/** LiteRT.js in float32. A model that WebGPU cannot take whole falls back to WebAssembly silently: that is refused here. */
export function litert(accelerator: Accelerator): Peer {
  return {
    start,
    async load(bytes) {
      const { loadAndCompile, Tensor } = library!;
      const model = await loadAndCompile(bytes, { accelerator, gpuOptions: { precision: 'fp32' } });
      if (accelerator === 'webgpu' && !model.isFullyAccelerated) {
        model.delete();
        throw new Error('not all of the model runs on WebGPU');
      }
      return {
        async run(inputs) {
          const given = inputs.map(({ data, shape }) => new Tensor(data, shape));
          const outputs = await model.run(given);
          const host = await Promise.all(outputs.map((t) => (accelerator === 'wasm' ? t : t.moveTo('wasm'))));
          const data = host.map((tensor) => tensor.toTypedArray().slice());
          for (const tensor of [...given, ...host]) tensor.delete();
          return data;
        },
        dispose: () => model.delete(),
      };
    },
  };
}
