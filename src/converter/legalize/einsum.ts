import { UnsupportedError, type Value } from '../../../delegate/index.js';
import { type Call, type Legalizations, operandsOf, reshaped, transposed } from './legalization.js';

/** A tensor and the letters of its axes. */
interface Labelled {
  readonly value: Value;
  readonly axes: string;
}

/**
 * A sum of products of two tensors is a product of matrices: axes of both that stay are batches, axes of both that go are
 * summed over, and those of one alone are rows or columns.
 */
function einsum(call: Call, { equation }: { readonly equation: string }): Value {
  const [left = '', out = ''] = equation.replaceAll(' ', '').split('->');
  const labels = left.split(',');
  const [a, b, ...more] = operandsOf(call).map((value, i): Labelled => ({ value, axes: labels[i] ?? '' }));
  const isPlain = [...labels, out].every((axes) => /^[a-zA-Z]*$/.test(axes) && new Set(axes).size === axes.length);
  if (!a || !b || more.length || !isPlain) throw notPlain(equation);
  const shared = [...a.axes].filter((axis) => b.axes.includes(axis));
  const batch = shared.filter((axis) => out.includes(axis));
  const summed = shared.filter((axis) => !out.includes(axis));
  const rows = [...a.axes].filter((axis) => !shared.includes(axis));
  const columns = [...b.axes].filter((axis) => !shared.includes(axis));
  const made = [...batch, ...rows, ...columns];
  if (made.length !== out.length || made.some((axis) => !out.includes(axis))) throw notPlain(equation);
  const x = matrices(call, a, batch, rows, summed);
  const y = matrices(call, b, batch, summed, columns);
  const product = call.emit('BATCH_MATMUL', [x, y]);
  const sizes = [...sizesOf(a, [...batch, ...rows]), ...sizesOf(b, columns)];
  return transposed(
    call,
    reshaped(call, product, sizes),
    [...out].map((axis) => made.indexOf(axis)),
  );
}

const sizesOf = ({ value, axes }: Labelled, wanted: readonly string[]): number[] =>
  wanted.map((axis) => value.shape[axes.indexOf(axis)]!);

const count = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

/** The tensor as matrices: axes of rows become one, and so do those of columns. */
function matrices(
  call: Call,
  tensor: Labelled,
  batch: readonly string[],
  rows: readonly string[],
  columns: readonly string[],
): Value {
  const order = [...batch, ...rows, ...columns].map((axis) => tensor.axes.indexOf(axis));
  const sizes = [rows, columns].map((axes) => count(sizesOf(tensor, axes)));
  return reshaped(call, transposed(call, tensor.value, order), [...sizesOf(tensor, batch), ...sizes]);
}

function notPlain(equation: string): UnsupportedError {
  return new UnsupportedError(
    `${equation}; accepted: two tensors, no axis twice in one, none that one alone has and loses`,
  );
}

/** Sums of products by equation. */
export const sums: Legalizations = { Einsum: einsum };
