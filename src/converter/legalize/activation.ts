import { UnsupportedError, type Value } from '../../../delegate/index.js';
import { type Call, type Legalization, type Legalizations, numberOf, operand } from './legalization.js';

const op =
  (type: string): Legalization =>
  (call) =>
    call.emit(type, [operand(call, 'x')]);

/** scale · x above 0, scale · alpha · (e^x − 1) below. */
const SELU_SCALE = 1.0507009873554805;
const SELU_SCALE_ALPHA = 1.7580993408473768;

function selu(call: Call): Value {
  const x = operand(call, 'x');
  const above = call.emit('MUL', [call.emit('RELU', [x]), numberOf(SELU_SCALE)]);
  const below = call.emit('ELU', [call.emit('MINIMUM', [x, numberOf(0)])]);
  return call.emit('ADD', [above, call.emit('MUL', [below, numberOf(SELU_SCALE_ALPHA)])]);
}

/** Bounds that are operators of their own. */
const CLAMPS: Readonly<Record<string, string>> = {
  '0,6': 'RELU6',
  '-1,1': 'RELU_N1_TO_1',
  '0,1': 'RELU_0_TO_1',
  '0,Infinity': 'RELU',
};

interface Bounds {
  readonly clipValueMin: number;
  readonly clipValueMax: number;
}

function clip(call: Call, { clipValueMin, clipValueMax }: Bounds): Value {
  const x = operand(call, 'x');
  const type = x.dtype === 'float32' && CLAMPS[`${clipValueMin},${clipValueMax}`];
  if (type) return call.emit(type, [x]);
  const raised = call.emit('MAXIMUM', [x, numberOf(clipValueMin, x)]);
  return call.emit('MINIMUM', [raised, numberOf(clipValueMax, x)]);
}

function leakyRelu(call: Call, { alpha }: { readonly alpha: number }): Value {
  return call.emit('LEAKY_RELU', [operand(call, 'x')], { alpha });
}

/** TFLite's alpha has no batch: leading sizes of 1 are dropped. */
function prelu(call: Call, x: Value, alpha: Value): Value {
  const rank = x.shape.length - 1;
  const surplus = alpha.shape.length - rank;
  if (surplus <= 0 || alpha.shape.slice(0, surplus).some((d) => d !== 1)) return call.emit('PRELU', [x, alpha]);
  const shape = alpha.shape.slice(surplus);
  return call.emit('PRELU', [x, alpha.data ? { ...alpha, shape } : alpha]);
}

/** What the fused kernels of tfjs apply last. */
export interface FusedActivation {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

const FUSED: Readonly<Record<string, string>> = {
  relu: 'RELU',
  relu6: 'RELU6',
  elu: 'ELU',
  sigmoid: 'LOGISTIC',
};

/** The value behind the activation of a fused kernel. */
export function activated(call: Call, y: Value, { activation = 'linear', leakyreluAlpha }: FusedActivation): Value {
  if (activation === 'linear') return y;
  if (activation === 'leakyrelu') return call.emit('LEAKY_RELU', [y], { alpha: leakyreluAlpha ?? 0.2 });
  if (activation === 'prelu') return prelu(call, y, operand(call, 'preluActivationWeights'));
  const type = FUSED[activation];
  if (!type) throw new UnsupportedError(`activation ${activation}; accepted: linear, prelu, ${Object.keys(FUSED)}`);
  return call.emit(type, [y]);
}

/** Activations. */
export const activations: Legalizations = {
  Relu: op('RELU'),
  Relu6: op('RELU6'),
  Elu: op('ELU'),
  Sigmoid: op('LOGISTIC'),
  Tanh: op('TANH'),
  Selu: selu,
  ClipByValue: clip,
  LeakyRelu: leakyRelu,
  Prelu: (call) => prelu(call, operand(call, 'x'), operand(call, 'alpha')),
};
