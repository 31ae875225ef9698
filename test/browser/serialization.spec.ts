// Plans kept between visits: what is restored must do what was compiled did, and nothing else may be taken for it.
import { DATABASES, PLANS } from '../../delegate/serialization/index.js';
import { VERSION } from '../../delegate/version.js';
import { Interpreter } from '../../src/runtime/interpreter.js';
import { inTable, request } from './support/tables.js';

const MNIST = '/base/examples/mnist/mnist_model.tflite';
const HALVES = '/base/examples/mnist/mnist_model_quant_f16.tflite';
const DIRECTORY = 'specs';
const ENABLE_SERIALIZATION = 8;

type Gpu = NonNullable<NonNullable<Parameters<typeof Interpreter.create>[1]>['gpu']>;

async function fetched(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** One visit: loads, runs, waits until `kept` plans are there, and leaves. */
async function visit(bytes: Uint8Array, kept: number, gpu: Gpu = {}, options = {}) {
  const gl = document.createElement('canvas').getContext('webgl2')!;
  const serialization = { experimentalFlags: 1 + ENABLE_SERIALIZATION, serializationDir: DIRECTORY };
  const interpreter = await Interpreter.create(bytes, { gl, gpu: { ...serialization, ...gpu }, ...options });
  try {
    await interpreter.allocateTensors();
    for (const { index, shape } of interpreter.getInputDetails()) {
      const size = shape.reduce((product, dim) => product * dim, 1);
      interpreter.setTensor(
        index,
        Float32Array.from({ length: size }, (_, i) => ((i * 31) % 97) / 97),
      );
    }
    await interpreter.invokeAsync();
    const [output] = interpreter.getOutputDetails();
    const values = (await interpreter.getTensorAsync(output!.index)) as Float32Array;
    const profile = (await interpreter.profile()).map(({ index, op, kernel }) => `${index} ${op} ${kernel}`);
    while ((await plans()).length < kept) await new Promise((resolve) => setTimeout(resolve, 20));
    const { restored, draws, programs, memory } = interpreter.report();
    return { values, restored, figures: { draws, programs, memory, profile } };
  } finally {
    interpreter.dispose();
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

/** What `work` makes of the table of plans. */
function inPlans<T>(work: (table: () => IDBObjectStore) => Promise<T>): Promise<T> {
  return inTable(DATABASES + DIRECTORY, PLANS, work);
}

/** The keys of the plans that are kept. */
function plans(): Promise<string[]> {
  return inPlans(async (table) => (await request(table().getAllKeys())) as string[]);
}

function rename(from: string, to: string): Promise<void> {
  return inPlans(async (table) => {
    const plan = await request(table().get(from));
    await request(table().put(plan, to));
    await request(table().delete(from));
  });
}

describe('serialization', () => {
  // A database that delegates hold open cannot be deleted.
  beforeEach(() => inPlans((table) => request(table().clear())));

  for (const [name, url, gpu] of [
    ['a model', MNIST, {}],
    ['a model of halves', HALVES, {}],
    ['a model in float16', MNIST, { compileOptions: { precisionLossAllowed: 1 } }],
    ['a model with its constants in uniform buffers', MNIST, { compileOptions: { preferredGlObjectType: 2 } }],
  ] as const)
    it(`restores ${name} to the same draws, memory and results`, async () => {
      const bytes = await fetched(url);
      const first = await visit(bytes, 1, gpu);
      expect(first.restored).toBeFalse();
      const again = await visit(bytes, 1, gpu);
      expect(again.restored).toBeTrue();
      expect(again.figures).toEqual(first.figures);
      expect(again.values).toEqual(first.values);
    }, 60_000);

  it('restores nothing for other weights, another token, another target or other options', async () => {
    const bytes = await fetched(MNIST);
    await visit(bytes, 1);
    const model = bytes.slice();
    // The sign and exponent of some weight in the middle of the file.
    model[model.indexOf(0xbd, model.length >> 1)] = 0xbc;
    expect((await visit(model, 0)).restored).toBeFalse();
    expect((await visit(bytes, 0, { modelToken: 'another' })).restored).toBeFalse();
    expect((await visit(bytes, 0, { compileOptions: { inlineParameters: 1 } })).restored).toBeFalse();
    expect((await visit(bytes, 0, { experimentalFlags: 1 })).restored).toBeFalse();
    expect((await visit(bytes, 0)).restored).toBeTrue();
  }, 60_000);

  it('forgets the plans of other versions', async () => {
    const bytes = await fetched(MNIST);
    await visit(bytes, 1);
    const [kept] = await plans();
    expect(kept!.startsWith(`${VERSION} `)).toBeTrue();
    await rename(kept!, kept!.replace(VERSION, '0.0.1'));
    expect((await visit(bytes, 0)).restored).toBeFalse();
    expect((await plans()).filter((key) => !key.startsWith(`${VERSION} `))).toEqual([]);
  }, 60_000);
});
