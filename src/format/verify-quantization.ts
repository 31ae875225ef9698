import { integerRange } from '../../delegate/index.js';
import { type Check, constantBytes } from './check.js';
import { listOf, type QuantizationParameters, type Tensor } from './model.js';
import { dtypeOf } from './tensor-data.js';

/** Types whose parameters mean something; others may carry anything. */
const QUANTIZED = /^U?INT(2|4|8|16|32)$/;

/** Checks number and range of scales and zero points. */
export function verifyQuantization(
  check: Check,
  tensor: Tensor,
  quantization: QuantizationParameters,
  tensors: number,
  path: string,
): void {
  verifyDetails(check, quantization, tensors, path);
  if (!QUANTIZED.test(tensor.type)) return;
  const [least, greatest] = integerRange(dtypeOf(tensor.type))!;
  verifyCounts(check, tensor, quantization, path);
  const zeroAllowed = constantBytes(check.model, tensor) !== undefined;
  listOf(quantization.scale).forEach((scale, i) => {
    if (Number.isFinite(scale) && (scale > 0 || (scale === 0 && zeroAllowed))) return;
    check.fail('bad-quantization', `${path}.scale[${i}]`, `a scale of ${scale}; accepted: finite and above 0`);
  });
  listOf(quantization.zeroPoint).forEach((zeroPoint, i) => {
    if (zeroPoint >= least && zeroPoint <= greatest) return;
    check.fail(
      'bad-quantization',
      `${path}.zeroPoint[${i}]`,
      `zero point ${zeroPoint} of ${tensor.type}; accepted: ${least} to ${greatest}`,
    );
  });
}

function verifyCounts({ fail }: Check, tensor: Tensor, quantization: QuantizationParameters, path: string): void {
  const scales = listOf(quantization.scale).length;
  const zeroPoints = listOf(quantization.zeroPoint).length;
  if (scales > 1) {
    const axis = quantization.quantizedDimension;
    const size = tensor.shape?.[axis];
    if (size === undefined) {
      fail(
        'bad-index',
        `${path}.quantizedDimension`,
        `dimension ${axis} of a tensor of rank ${listOf(tensor.shape).length}`,
      );
    }
    if (size !== scales)
      fail('bad-quantization', `${path}.scale`, `${scales} scales for dimension ${axis} of size ${size}`);
  }
  if (zeroPoints > 1 && zeroPoints !== scales) {
    fail('bad-quantization', `${path}.zeroPoint`, `${zeroPoints} zero points for ${scales} scales`);
  }
}

/** Blockwise and multi-axis quantisation keep their scales and zero points in other tensors. */
function verifyDetails(
  { fail, expectIndex }: Check,
  { details, detailsType }: QuantizationParameters,
  tensors: number,
  path: string,
): void {
  if (!details || detailsType === 'CustomQuantization') return;
  for (const field of ['scales', 'zeroPoints'] as const) {
    const index = details[field] as number;
    if (index !== -1) expectIndex(`${path}.details.${field}`, 'tensor', index, tensors);
  }
  if ((details.blockSize as number) < 1) {
    fail('bad-quantization', `${path}.details.blockSize`, `a block size of ${details.blockSize}; accepted: 1 and more`);
  }
}
