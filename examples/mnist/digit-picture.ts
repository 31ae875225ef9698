import { type Digits, edge, imageOf } from './digits.js';

/** A digit as ink on transparent paper, one canvas pixel for each of its pixels; the page's styles scale it. */
export function digitPicture(digits: Digits, index: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = edge;
  const image = new ImageData(edge, edge);
  for (const [i, ink] of imageOf(digits, index).entries()) image.data[4 * i + 3] = ink;
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  return canvas;
}

/** A digit with what it is and what a model took it for. */
export function digitFigure(digits: Digits, index: number, predicted: number): HTMLElement {
  const label = digits.labels[index]!;
  const caption = document.createElement('figcaption');
  caption.textContent = `true: ${label}, predicted: ${predicted}`;
  const figure = document.createElement('figure');
  figure.className = label === predicted ? 'digit' : 'digit wrong';
  figure.append(digitPicture(digits, index), caption);
  return figure;
}
