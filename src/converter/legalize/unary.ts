import { UnsupportedError, type Value } from '../../../delegate/index.js';
import { type Call, constantOf, type Legalization, type Legalizations, numberOf, operand } from './legalization.js';

const op =
  (type: string): Legalization =>
  (call) =>
    call.emit(type, [operand(call, 'x')]);

/** A formula of several nodes. */
const formula =
  (write: (x: Value, call: Call) => Value): Legalization =>
  (call) =>
    write(operand(call, 'x'), call);

const reciprocal = (x: Value, call: Call) => call.emit('DIV', [numberOf(1, x), x]);
const exponential = (x: Value, call: Call) => call.emit('EXP', [x]);
/** log(1 + e^x) without overflow: max(x, 0) + log(1 + e^−|x|). */
const softplus = (x: Value, call: Call) => {
  const small = call.emit('EXP', [call.emit('NEG', [call.emit('ABS', [x])])]);
  const log = call.emit('LOG', [call.emit('ADD', [small, numberOf(1)])]);
  return call.emit('ADD', [call.emit('RELU', [x]), log]);
};
/** (e^x ± e^−x) / 2. */
const hyperbolic = (type: 'ADD' | 'SUB') => (x: Value, call: Call) => {
  const both = call.emit(type, [exponential(x, call), exponential(call.emit('NEG', [x]), call)]);
  return call.emit('MUL', [both, numberOf(0.5)]);
};

/** The schema's name of a tfjs element type. */
const TENSOR_TYPES = { float32: 'FLOAT32', int32: 'INT32', bool: 'BOOL' } as const;
type Known = keyof typeof TENSOR_TYPES;

function cast(call: Call, { dtype }: { readonly dtype: string }): Value {
  const x = operand(call, 'x');
  const [inDataType, outDataType] = [TENSOR_TYPES[x.dtype as Known], TENSOR_TYPES[dtype as Known]];
  if (!outDataType) throw new UnsupportedError(`to ${dtype}; accepted: float32, int32, bool`);
  if (x.dtype === dtype) return x;
  return call.emit('CAST', [x], { inDataType, outDataType }, dtype as Known);
}

/** A constant of the operand's shape. */
const filled =
  (value: number): Legalization =>
  (call) => {
    const { shape, dtype } = operand(call, 'x');
    const size = shape.reduce((product, d) => product * d, 1);
    const array = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype as Known];
    return constantOf(new array(size).fill(value), shape, dtype);
  };

/** Kernels of one operand, element by element. */
export const unary: Legalizations = {
  Abs: op('ABS'),
  Ceil: op('CEIL'),
  Cos: op('COS'),
  Exp: op('EXP'),
  Floor: op('FLOOR'),
  Log: op('LOG'),
  Neg: op('NEG'),
  Round: op('ROUND'),
  Rsqrt: op('RSQRT'),
  Sign: op('SIGN'),
  Sin: op('SIN'),
  Sqrt: op('SQRT'),
  Square: op('SQUARE'),
  Reciprocal: formula(reciprocal),
  Softplus: formula(softplus),
  Erf: op('ERF'),
  Sinh: formula(hyperbolic('SUB')),
  Cosh: formula(hyperbolic('ADD')),
  Tan: formula((x, call) => call.emit('DIV', [call.emit('SIN', [x]), call.emit('COS', [x])])),
  Expm1: formula((x, call) => call.emit('SUB', [exponential(x, call), numberOf(1)])),
  Log1p: formula((x, call) => call.emit('LOG', [call.emit('ADD', [x, numberOf(1)])])),
  IsNan: formula((x, call) => call.emit('NOT_EQUAL', [x, x], {}, 'bool')),
  Cast: cast,
  ZerosLike: filled(0),
  OnesLike: filled(1),
};
