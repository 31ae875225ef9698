import { type Call, type Legalization, type Legalizations, numberOf, operand, operandsOf } from './legalization.js';

const op =
  (type: string): Legalization =>
  (call) =>
    call.emit(type, [operand(call, 'a'), operand(call, 'b')]);

const compare =
  (type: string): Legalization =>
  (call) =>
    call.emit(type, [operand(call, 'a'), operand(call, 'b')], {}, 'bool');

/** tfjs divides integers downwards. */
function divide(call: Call) {
  const [a, b] = [operand(call, 'a'), operand(call, 'b')];
  return call.emit(a.dtype === 'float32' ? 'DIV' : 'FLOOR_DIV', [a, b]);
}

/** tfjs's `addN` of one tensor is that tensor. */
function addAll(call: Call) {
  const [first, ...rest] = operandsOf(call);
  return rest.reduce((sum, x) => call.emit('ADD', [sum, x]), first!);
}

/** Kernels of two operands under NumPy's broadcasting. */
export const binary: Legalizations = {
  Add: op('ADD'),
  Sub: op('SUB'),
  Multiply: op('MUL'),
  RealDiv: divide,
  FloorDiv: op('FLOOR_DIV'),
  Mod: op('FLOOR_MOD'),
  Maximum: op('MAXIMUM'),
  Minimum: op('MINIMUM'),
  Pow: op('POW'),
  SquaredDifference: op('SQUARED_DIFFERENCE'),
  Atan2: op('ATAN2'),
  AddN: addAll,
  Equal: compare('EQUAL'),
  NotEqual: compare('NOT_EQUAL'),
  Less: compare('LESS'),
  LessEqual: compare('LESS_EQUAL'),
  Greater: compare('GREATER'),
  GreaterEqual: compare('GREATER_EQUAL'),
  LogicalAnd: compare('LOGICAL_AND'),
  LogicalOr: compare('LOGICAL_OR'),
  LogicalXor: compare('NOT_EQUAL'),
  LogicalNot: (call) => call.emit('LOGICAL_NOT', [operand(call, 'x')]),
  Step: (call, { alpha }: { readonly alpha: number }) => {
    const x = operand(call, 'x');
    const isPositive = call.emit('GREATER', [x, numberOf(0, x)], {}, 'bool');
    return call.emit('SELECT_V2', [isPositive, numberOf(1, x), numberOf(alpha, x)], {}, x.dtype);
  },
};
