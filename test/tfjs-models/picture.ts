import { random } from '../support/random.js';

/** A picture of coloured shapes, another one for each seed and the same in every run: [1, h, w, 3] from 0 to `brightest`. */
export function pictureOf(shape: readonly number[], brightest: number, seed: number): Float32Array {
  const [, height, width] = shape as [number, number, number];
  const next = random(seed + 1);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const color = () => `hsl(${next() * 360}, ${next() * 100}%, ${next() * 100}%)`;
  context.fillStyle = color();
  context.fillRect(0, 0, width, height);
  const shapes = 3 + Math.floor(next() * 40);
  const most = (0.1 + next() * 0.5) * width;
  for (let i = 0; i < shapes; i++) {
    context.fillStyle = color();
    context.beginPath();
    const [a, b] = [next() * most, next() * most];
    context.ellipse(next() * width, next() * height, a, b, next() * Math.PI, 0, 2 * Math.PI);
    context.fill();
  }
  const rgba = context.getImageData(0, 0, width, height).data;
  const values = new Float32Array(height * width * 3);
  for (let i = 0, j = 0; i < rgba.length; i += 4, j += 3)
    for (let channel = 0; channel < 3; channel++) values[j + channel] = (rgba[i + channel]! / 255) * brightest;
  return values;
}
