import { Interpreter } from 'tflite-gpu';

/** How to run a model once: an image for its first image-like input, and the range that pixels are mapped to. */
export interface RunRequest {
  readonly image?: ImageBitmapSource | undefined;
  readonly range: readonly [number, number];
  readonly half: boolean;
  readonly runs: number;
}

type Detail = ReturnType<Interpreter['getInputDetails']>[number];

/** A tensor as one line of text. */
export interface TensorLine {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly filledWith?: string;
  readonly top?: readonly (readonly [index: number, value: number])[];
}

/** What a run of any model showed. */
export interface RunResult {
  readonly inputs: readonly TensorLine[];
  readonly outputs: readonly TensorLine[];
  readonly loadMilliseconds: number;
  readonly firstMilliseconds: number;
  readonly medianMilliseconds: number;
  readonly report: ReturnType<Interpreter['report']>;
}

/** Loads a model, fills its inputs, runs it a few times and describes everything. */
export async function runModel(model: Uint8Array, { image, range, half, runs }: RunRequest): Promise<RunResult> {
  const started = performance.now();
  const options = half ? { gpu: { compileOptions: { precisionLossAllowed: 1 as const } } } : {};
  const interpreter = await Interpreter.create(model, { delegate: 'gpu', ...options });
  try {
    await interpreter.allocateTensors();
    const loaded = performance.now();
    const details = interpreter.getInputDetails();
    const target = image && details.find(isImage);
    const inputs: TensorLine[] = [];
    for (const detail of details) {
      const values = detail === target ? await pixelsFor(detail, image!, range) : sampleFor(detail);
      interpreter.setTensor(detail.index, values as never);
      inputs.push({ ...lineOf(detail), filledWith: detail === target ? 'the image' : 'sample values' });
    }
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      const before = performance.now();
      await interpreter.invokeAsync();
      await Promise.all(interpreter.getOutputDetails().map(({ index }) => interpreter.getTensorAsync(index)));
      times.push(performance.now() - before);
    }
    const outputs: TensorLine[] = [];
    for (const detail of interpreter.getOutputDetails())
      outputs.push({ ...lineOf(detail), top: topOf(await interpreter.getTensorAsync(detail.index)) });
    const sorted = [...times].sort((a, b) => a - b);
    return {
      inputs,
      outputs,
      loadMilliseconds: loaded - started,
      firstMilliseconds: times[0]!,
      medianMilliseconds: sorted[runs >> 1]!,
      report: interpreter.report(),
    };
  } finally {
    interpreter.dispose();
  }
}

function lineOf({ name, dtype, shape }: Detail): TensorLine {
  return { name, dtype, shape: [...shape] };
}

/** An input of rank 4 with 1, 3 or 4 channels, or of rank 3 (grey). */
function isImage({ shape }: Detail): boolean {
  return shape.length === 3 || (shape.length === 4 && [1, 3, 4].includes(shape[3]!));
}

async function pixelsFor({ shape, dtype }: Detail, image: ImageBitmapSource, [low, high]: readonly [number, number]) {
  const [, height, width, channels = 1] = shape as [number, number, number, number?];
  const bitmap = await createImageBitmap(image, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const value = (i: number) => {
    const pixel = 4 * Math.floor(i / channels);
    return channels === 1 ? (data[pixel]! + data[pixel + 1]! + data[pixel + 2]!) / 3 : data[pixel + (i % channels)]!;
  };
  const size = shape.reduce((a, b) => a * b, 1);
  if (dtype === 'uint8') return Uint8Array.from({ length: size }, (_, i) => value(i % (width * height * channels)));
  if (dtype === 'int8') return Int8Array.from({ length: size }, (_, i) => value(i % (width * height * channels)) - 128);
  const scale = (high - low) / 255;
  return Float32Array.from({ length: size }, (_, i) => low + scale * value(i % (width * height * channels)));
}

/** Values that any model takes: a fixed sequence between 0 and 1 for floats, zeros for the rest. */
function sampleFor({ shape, dtype }: Detail) {
  const size = shape.reduce((a, b) => a * b, 1);
  const zeros = { int8: Int8Array, uint8: Uint8Array, bool: Uint8Array, int16: Int16Array, uint16: Uint16Array };
  const wide = {
    float16: Uint16Array,
    int32: Int32Array,
    uint32: Uint32Array,
    int64: BigInt64Array,
    uint64: BigUint64Array,
  };
  if (dtype === 'string') return Array<string>(size).fill('');
  const type = { ...zeros, ...wide }[dtype as keyof typeof zeros | keyof typeof wide];
  if (type) return new type(size);
  let seed = 1;
  return Float32Array.from({ length: size }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  });
}

function topOf(values: unknown): [number, number][] {
  if (!ArrayBuffer.isView(values)) return [];
  const numbers = Array.from(values as Float32Array, Number);
  const order = numbers.map((_, i) => i).sort((a, b) => numbers[b]! - numbers[a]!);
  return order.slice(0, 5).map((i) => [i, numbers[i]!]);
}
