import * as Plot from '@observablehq/plot';
import type { TrainingProgress } from './network.js';

/** Batches that a point of the line averages over. */
const window = 25;

/** The loss of batches, and the line through their means. */
export function lossPlot(history: readonly TrainingProgress[], width?: number): Element {
  return trainingPlot(history, 'loss', { label: 'loss', domain: [0, 2.5], clamp: true }, width);
}

/** The accuracy of batches, and the line through their means. */
export function accuracyPlot(history: readonly TrainingProgress[], width?: number): Element {
  return trainingPlot(history, 'accuracy', { label: 'accuracy', domain: [0, 1], tickFormat: '%' }, width);
}

function trainingPlot(
  history: readonly TrainingProgress[],
  figure: 'loss' | 'accuracy',
  y: Plot.ScaleOptions,
  width = 440,
): Element {
  return Plot.plot({
    width,
    height: 220,
    x: { label: 'batch', domain: [0, history[0]?.batches ?? 1] },
    y: { grid: true, ...y },
    marks: [
      Plot.dot(history, { x: 'done', y: figure, r: 1.5, fill: 'currentColor', fillOpacity: 0.25 }),
      Plot.lineY(
        history,
        Plot.windowY(
          { k: window, anchor: 'middle' },
          { x: 'done', y: figure, stroke: 'var(--accent, #e8590c)', strokeWidth: 2 },
        ),
      ),
      Plot.ruleY([0]),
    ],
  });
}
