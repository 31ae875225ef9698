import { ModelError } from '../errors.js';
import { constantInts, defineOp, type InferInput, type OpSpec, required, typed } from '../ir/op.js';
import { broadcastShapes, normalizeAxis, type Shape, sizeOf } from '../ir/shape.js';
import { moved } from './strided.js';

/** Ops whose result is their first input under another shape: on the GPU mostly a name, and no draw that could carry a tail. */
export const SHAPE_ONLY: ReadonlySet<string> = new Set(['RESHAPE', 'SQUEEZE', 'EXPAND_DIMS']);

/** An op that gives its input's values under another shape. */
function shapeOnly<A>(
  type: string,
  shape: (inputs: readonly (InferInput | undefined)[], attrs: A) => Shape | undefined,
): OpSpec {
  return defineOp<A>({
    type,
    picks: true,
    infer(inputs, attrs) {
      const to = shape(inputs, attrs);
      const x = required(inputs, 0);
      if (to && sizeOf(to) !== sizeOf(x.shape))
        throw new ModelError('shape', `[${x.shape}] has ${sizeOf(x.shape)} elements, [${to}] has ${sizeOf(to)}`);
      return [to && moved(x, to)];
    },
    cpu: (inputs) => [required(inputs, 0).data],
  });
}

function reshaped(
  inputs: readonly (InferInput | undefined)[],
  { newShape }: { readonly newShape?: readonly number[] },
): Shape | undefined {
  const tensor = inputs[1];
  if (tensor && !tensor.data) return undefined;
  const wanted = constantInts(tensor) ?? newShape ?? [];
  const target = wanted.length === 1 && wanted[0] === 0 ? [] : wanted;
  const unknown = target.indexOf(-1);
  if (unknown < 0) return target;
  const known = target.reduce((product, d) => (d === -1 ? product : product * d), 1);
  const size = sizeOf(required(inputs, 0).shape);
  if (known !== 0 && size % known)
    throw new ModelError('shape', `${size} elements of [${required(inputs, 0).shape}] do not fill [${target}]`);
  return target.map((d, i) => (i === unknown ? (known === 0 ? 0 : size / known) : d));
}

function squeezed(
  inputs: readonly (InferInput | undefined)[],
  { squeezeDims }: { readonly squeezeDims?: readonly number[] },
): Shape {
  const { shape } = required(inputs, 0);
  const drop = new Set((squeezeDims ?? []).map((d) => normalizeAxis(d, shape.length)));
  return shape.filter((d, i) => (drop.size ? !drop.has(i) : d !== 1));
}

function expanded(inputs: readonly (InferInput | undefined)[]): Shape | undefined {
  const { shape } = required(inputs, 0);
  const axis = constantInts(required(inputs, 1));
  if (!axis) return undefined;
  const i = normalizeAxis(axis[0]!, shape.length + 1);
  return [...shape.slice(0, i), 1, ...shape.slice(i)];
}
/** Ops that only change the shape, or tell it: SHAPE and RANK follow from the input's type alone. */
export const shapeOps: readonly OpSpec[] = [
  shapeOnly('RESHAPE', reshaped),
  shapeOnly('SQUEEZE', squeezed),
  shapeOnly('EXPAND_DIMS', expanded),
  defineOp<{ readonly outType?: string }>({
    type: 'SHAPE',
    onStored: true,
    infer: (inputs, _attrs, outputs) => [
      typed([required(inputs, 0).shape.length], outputs[0]?.dtype === 'int64' ? 'int64' : 'int32'),
    ],
    cpu: (inputs, _attrs, [output]) => {
      const { shape } = required(inputs, 0);
      return [output!.dtype === 'int64' ? BigInt64Array.from(shape, BigInt) : Int32Array.from(shape)];
    },
  }),
  defineOp({
    type: 'RANK',
    onStored: true,
    infer: () => [typed([], 'int32')],
    cpu: (inputs) => [Int32Array.of(required(inputs, 0).shape.length)],
  }),
  defineOp({
    type: 'BROADCAST_ARGS',
    infer: (inputs) => [
      typed(
        [Math.max(sizeOf(required(inputs, 0).shape), sizeOf(required(inputs, 1).shape))],
        required(inputs, 0).dtype,
      ),
    ],
    cpu: (inputs, _attrs, [output]) => {
      const shape = broadcastShapes(constantInts(inputs[0])!, constantInts(inputs[1])!);
      return [output!.dtype === 'int64' ? BigInt64Array.from(shape, BigInt) : Int32Array.from(shape)];
    },
  }),
];
