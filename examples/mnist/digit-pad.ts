import { edge, imageSize } from './digits.js';

/** The pen's width as a share of the pad's. */
const pen = 1 / 12;
/** MNIST scales a digit to a box of this size, then puts the centre of its mass in the middle of the image. */
const box = 20;

/**
 * Lets one draw a digit on a square canvas. `onChange` gets it as the model takes it, values from 0 to 1, and undefined
 * once it is wiped. Returns the function that wipes it.
 */
export function createDigitPad(
  canvas: HTMLCanvasElement,
  onChange: (image: Float32Array | undefined) => void,
): () => void {
  const size = canvas.width;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  Object.assign(context, { lineWidth: size * pen, lineCap: 'round', lineJoin: 'round' });
  let from: readonly [x: number, y: number] | undefined;

  const place = (event: PointerEvent) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    return [((event.clientX - left) * size) / width, ((event.clientY - top) * size) / width] as const;
  };
  const lineTo = (to: readonly [x: number, y: number]) => {
    context.beginPath();
    context.moveTo(...from!);
    context.lineTo(...to);
    context.stroke();
    from = to;
    onChange(imageOn(context, size));
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    from = place(event);
    lineTo(from);
  });
  canvas.addEventListener('pointermove', (event) => from && lineTo(place(event)));
  for (const end of ['pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(end, () => {
      from = undefined;
    });
  }
  return () => {
    context.clearRect(0, 0, size, size);
    onChange(undefined);
  };
}

/** What is drawn, as MNIST would have it. */
function imageOn(context: CanvasRenderingContext2D, size: number): Float32Array {
  const { data } = context.getImageData(0, 0, size, size);
  let [left, top, right, bottom, mass, x, y] = [size, size, 0, 0, 0, 0, 0];
  for (let i = 0; i < size * size; i++) {
    const ink = data[4 * i + 3]!;
    if (!ink) continue;
    const [column, row] = [i % size, Math.floor(i / size)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    mass += ink;
    x += ink * column;
    y += ink * row;
  }
  const scale = box / (Math.max(right - left, bottom - top) + 1);
  const small = new OffscreenCanvas(edge, edge).getContext('2d')!;
  small.imageSmoothingQuality = 'high';
  const start = (sum: number) => edge / 2 - (scale * sum) / mass;
  small.drawImage(context.canvas, start(x), start(y), size * scale, size * scale);
  const pixels = small.getImageData(0, 0, edge, edge).data;
  return Float32Array.from({ length: imageSize }, (_, i) => pixels[4 * i + 3]! / 255);
}
