import { sizeOf, type Value } from '../../../delegate/index.js';
import { activated, type FusedActivation } from './activation.js';
import { type Call, isPerChannel, type Legalizations, operand, reshaped, transposed } from './legalization.js';

interface MatmulAttrs extends FusedActivation {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** A product by one constant matrix is FULLY_CONNECTED, whose weights are transposed; other products are BATCH_MATMUL. */
function matmul(call: Call, attrs: MatmulAttrs): Value {
  const [a, b] = [operand(call, 'a'), operand(call, 'b')];
  const isDense = b.data && !attrs.transposeA && sizeOf(b.shape.slice(0, -2)) === 1 && a.shape.length >= b.shape.length;
  const y = isDense ? dense(call, a, b, attrs.transposeB) : product(call, a, b, attrs);
  return activated(call, y, attrs);
}

function dense(call: Call, x: Value, matrix: Value, isTransposed: boolean): Value {
  const flat = reshaped(call, matrix, matrix.shape.slice(-2));
  const weights = isTransposed ? flat : transposed(call, flat, [1, 0]);
  const { bias } = call.inputs;
  const isBias = bias && isPerChannel(bias, weights.shape[0]!);
  const inputs = [x, weights, ...(isBias ? [{ ...bias, shape: [weights.shape[0]!] }] : [])];
  const y = call.emit('FULLY_CONNECTED', inputs, { keepNumDims: x.shape.length > 2 });
  return bias && !isBias ? call.emit('ADD', [y, bias]) : y;
}

function product(call: Call, a: Value, b: Value, { transposeA: adjX, transposeB: adjY }: MatmulAttrs): Value {
  const y = call.emit('BATCH_MATMUL', [a, b], { adjX, adjY });
  return call.inputs.bias ? call.emit('ADD', [y, call.inputs.bias]) : y;
}

/** Products of matrices. */
export const products: Legalizations = { BatchMatMul: matmul, _FusedMatMul: matmul };
