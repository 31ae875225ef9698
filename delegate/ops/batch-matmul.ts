import { ModelError } from '../errors.js';
import { defineOp, type OpSpec, required, typed } from '../ir/op.js';
import { broadcastShapes, type Shape, sizeOf, stridesOf } from '../ir/shape.js';
import { multiplyRows } from './gemm.js';
import { arithmeticType, needsFloat } from './operand.js';

/** Attributes of BATCH_MATMUL. Inputs: x [..., rows, depth], y [..., depth, columns]; leading dimensions broadcast. */
export interface BatchMatmulAttrs {
  /** x is stored as [..., depth, rows]. */
  readonly adjX: boolean;
  /** y is stored as [..., columns, depth]. */
  readonly adjY: boolean;
  readonly asymmetricQuantizeInputs: boolean;
}

const batchMatmul: OpSpec<BatchMatmulAttrs> = {
  type: 'BATCH_MATMUL',
  infer(inputs, attrs, outputs) {
    const x = required(inputs, 0);
    const y = required(inputs, 1);
    const { batch, rows, columns } = productOf(x.shape, y.shape, attrs);
    return [typed([...batch, rows, columns], arithmeticType(x, outputs))];
  },
  cpu(inputs, attrs) {
    const x = required(inputs, 0);
    const y = required(inputs, 1);
    const { batch, rows, columns, depth } = productOf(x.shape, y.shape, attrs);
    const count = sizeOf(batch);
    const a = attrs.adjX ? transposeMatrices(needsFloat(this.type, x), depth, rows) : needsFloat(this.type, x);
    const b = attrs.adjY ? needsFloat(this.type, y) : transposeMatrices(needsFloat(this.type, y), depth, columns);
    const out = new Float32Array(count * rows * columns);
    for (let i = 0; i < count; i++) {
      multiplyRows(
        { data: a, offset: matrixOf(i, batch, x.shape) * rows * depth, stride: depth },
        { data: b, offset: matrixOf(i, batch, y.shape) * columns * depth, stride: depth },
        { data: out, offset: i * rows * columns, stride: columns },
        rows,
        columns,
        depth,
      );
    }
    return [out];
  },
};

/** Sizes of the product. Throws ModelError where the operands are no matrices, or their sizes do not fit. */
export function productOf(
  x: Shape,
  y: Shape,
  { adjX, adjY }: Pick<BatchMatmulAttrs, 'adjX' | 'adjY'>,
): { batch: Shape; rows: number; columns: number; depth: number } {
  const refuse = (accepted: string) =>
    new ModelError(
      'shape',
      `operands are [${x}]${adjX ? ' adjoint' : ''} and [${y}]${adjY ? ' adjoint' : ''}; accepted: ${accepted}`,
    );
  if (x.length < 2 || y.length < 2) throw refuse('rank 2 or more');
  const rows = x.at(adjX ? -1 : -2)!;
  const depth = x.at(adjX ? -2 : -1)!;
  const columns = y.at(adjY ? -2 : -1)!;
  if (y.at(adjY ? -1 : -2) !== depth) throw refuse('equal inner sizes');
  return { batch: broadcastShapes(x.slice(0, -2), y.slice(0, -2)), rows, columns, depth };
}

/** Which matrix of an operand goes into matrix `index` of the output: dimensions of size 1 stand still. */
function matrixOf(index: number, batch: Shape, operand: Shape): number {
  const own = operand.slice(0, -2);
  const strides = stridesOf(own);
  let rest = index;
  let matrix = 0;
  for (let i = batch.length - 1; i >= 0; i--) {
    const j = i - batch.length + own.length;
    if (j >= 0 && own[j] !== 1) matrix += (rest % batch[i]!) * strides[j]!;
    rest = Math.floor(rest / batch[i]!);
  }
  return matrix;
}

/** Every [rows, columns] matrix as [columns, rows]. */
function transposeMatrices(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let first = 0; first < data.length; first += rows * columns) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) out[first + c * rows + r] = data[first + r * columns + c]!;
    }
  }
  return out;
}

/** BATCH_MATMUL, with adjoint operands and broadcasting of the leading dimensions. */
export const batchMatmulOps: readonly OpSpec[] = [defineOp(batchMatmul)];
