import { defineOp, type OpSpec, required, typed, type Value } from '../../../delegate/index.js';
import { type Call, numberOf } from './legalization.js';

/** The error function, which TFLite lacks: it stands in a graph until passes make it a part of GELU, or a formula. */
export const erfOp: OpSpec = defineOp({
  type: 'ERF',
  infer: (inputs) => [typed(required(inputs, 0).shape, 'float32')],
});

const STEP = 0.3275911;
const COEFFICIENTS = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];

/** As tfjs computes it (Abramowitz and Stegun, 7.1.26): sign(x) · (1 − ((((a₅t + a₄)t + a₃)t + a₂)t + a₁)t · e^−x²). */
export function erfFormula(x: Value, call: Call): Value {
  const steps = call.emit('MUL', [call.emit('ABS', [x]), numberOf(STEP)]);
  const t = call.emit('DIV', [numberOf(1), call.emit('ADD', [steps, numberOf(1)])]);
  const [first, ...rest] = COEFFICIENTS.map((a) => numberOf(a)) as [Value, ...Value[]];
  const sum = rest.reduce((y, a) => call.emit('ADD', [call.emit('MUL', [t, y]), a]), first);
  const falling = call.emit('EXP', [call.emit('NEG', [call.emit('SQUARE', [x])])]);
  const missing = call.emit('MUL', [call.emit('MUL', [sum, t]), falling]);
  return call.emit('MUL', [call.emit('SIGN', [x]), call.emit('SUB', [numberOf(1), missing])]);
}
