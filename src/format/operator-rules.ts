import type { Tensor } from './model.js';
import type { OperatorView } from './verify-operators.js';

/** Refuses an operator whose options or constant operands cannot be right. */
export type Rule = (operator: OperatorView) => void;

/** The rules, by builtin operator. */
export const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(
    ['CONV_2D', 'DEPTHWISE_CONV_2D'],
    all(positive('strideW', 'strideH', 'dilationWFactor', 'dilationHFactor'), quantized(0, 1)),
  ),
  ...each(
    ['CONV_3D', 'CONV_3D_TRANSPOSE'],
    positive('strideD', 'strideW', 'strideH', 'dilationDFactor', 'dilationWFactor', 'dilationHFactor'),
  ),
  ['TRANSPOSE_CONV', positive('strideW', 'strideH')],
  ...each(
    ['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'L2_POOL_2D'],
    all(positive('strideW', 'strideH', 'filterWidth', 'filterHeight'), windowFits),
  ),
  ...each(['SPACE_TO_DEPTH', 'DEPTH_TO_SPACE'], positive('blockSize')),
  ...each(['SPACE_TO_BATCH_ND', 'BATCH_TO_SPACE_ND'], all(atLeast(1, 1), atLeast(2, 0))),
  ['SVDF', positive('rank')],
  ...each(['CONCATENATION', 'UNPACK'], axisOption(0)),
  ['PACK', all(axisOption(1), packCount)],
  ['GATHER', all(axisOption(0), batchDims, indicesInRange)],
  ['EMBEDDING_LOOKUP', embeddingIndices],
  ['ONE_HOT', oneHotAxis],
  ['SPLIT', all(axisInput(0, 1, 0), splitCount)],
  ['SPLIT_V', axisInput(2, 0, 0)],
  ...each(
    [
      'MEAN',
      'SUM',
      'REDUCE_PROD',
      'REDUCE_MAX',
      'REDUCE_MIN',
      'REDUCE_ANY',
      'REDUCE_ALL',
      'ARG_MAX',
      'ARG_MIN',
      'CUMSUM',
      'REVERSE_V2',
    ],
    axisInput(1, 0, 0),
  ),
  ['EXPAND_DIMS', axisInput(1, 0, 1)],
  ['SQUEEZE', squeezeDims],
  ['TRANSPOSE', permutation],
  ['SLICE', sliceRange],
  ['STRIDED_SLICE', stridedSlice],
  ...each(['PAD', 'PADV2', 'MIRROR_PAD'], atLeast(1, 0)),
  ...each(['TILE', 'FILL'], (o) => atLeast(o.type === 'TILE' ? 1 : 0, 0)(o)),
  ...each(['RESIZE_BILINEAR', 'RESIZE_NEAREST_NEIGHBOR'], atLeast(1, 1)),
  ['TOPK_V2', atLeast(1, 0)],
  ['REVERSE_SEQUENCE', reverseSequence],
  ['SEGMENT_SUM', sortedSegments],
  ['BUCKETIZE', sortedBoundaries],
  ...each(['ADD', 'SUB', 'MUL'], quantized(0, 1)),
  ...each(['DEQUANTIZE', 'LOGISTIC', 'TANH', 'SOFTMAX', 'QUANTIZE'], quantized(0)),
]);

function each(operators: readonly string[], rule: Rule): [string, Rule][] {
  return operators.map((operator) => [operator, rule]);
}

function all(...parts: readonly Rule[]): Rule {
  return (o) => {
    for (const rule of parts) rule(o);
  };
}

function positive(...options: readonly string[]): Rule {
  return (o) => {
    for (const option of options)
      if (o.number(option) < 1)
        o.refuse(`builtinOptions.${option}`, `${option} ${o.number(option)}; accepted: 1 and more`);
  };
}

/** All numbers of a constant input are at least `least`. */
function atLeast(position: number, least: number): Rule {
  return (o) => {
    const low = o.constant(position)?.find((value) => value < least);
    if (low !== undefined) o.refuse(`inputs[${position}]`, `${low} in input ${position}; accepted: ${least} and more`);
  };
}

/** 8-bit integers stand for numbers only with a scale. */
function quantized(...positions: readonly number[]): Rule {
  const bare = (t: Tensor | undefined) => (t?.type === 'INT8' || t?.type === 'UINT8') && !t.quantization?.scale?.length;
  return (o) => {
    const position = positions.find((p) => bare(o.inputs[p]));
    if (position !== undefined)
      o.refuse(`inputs[${position}]`, `input ${position} is ${o.inputs[position]!.type} without a scale`);
    if (bare(o.outputs[0])) o.refuse('outputs[0]', `the output is ${o.outputs[0]!.type} without a scale`);
  };
}

/** The rank, where the file is sure of it: tensors of unknown rank are declared as scalars. */
function knownRank(tensor: Tensor | undefined): number | undefined {
  return tensor?.shape?.length || undefined;
}

/** The shape, where every dimension is fixed. */
function knownShape(tensor: Tensor | undefined): readonly number[] | undefined {
  return knownRank(tensor) && !tensor!.shapeSignature?.includes(-1) ? tensor!.shape : undefined;
}

function requireAxis(o: OperatorView, part: string, axis: number, rank: number): void {
  if (axis < -rank || axis >= rank) o.refuse(part, `axis ${axis} for rank ${rank}; accepted: ${-rank} to ${rank - 1}`);
}

/** `axis` counts dimensions of the first input, and `extra` new ones. */
function axisOption(extra: number): Rule {
  return (o) => {
    const rank = knownRank(o.inputs[0]);
    if (rank !== undefined) requireAxis(o, 'builtinOptions.axis', o.number('axis'), rank + extra);
  };
}

/** The constant input `position` holds axes of input `of`. */
function axisInput(position: number, of: number, extra: number): Rule {
  return (o) => {
    const rank = knownRank(o.inputs[of]);
    if (rank === undefined) return;
    for (const axis of o.constant(position) ?? []) requireAxis(o, `inputs[${position}]`, axis, rank + extra);
  };
}

function oneHotAxis(o: OperatorView): void {
  const rank = knownRank(o.inputs[0]);
  const axis = o.number('axis');
  if (rank !== undefined && (axis < -1 || axis > rank))
    o.refuse('builtinOptions.axis', `axis ${axis} for rank ${rank}; accepted: -1 to ${rank}`);
}

function packCount(o: OperatorView): void {
  const count = o.number('valuesCount');
  if (count !== o.inputs.length)
    o.refuse('builtinOptions.valuesCount', `valuesCount ${count} with ${o.inputs.length} inputs`);
}

function splitCount(o: OperatorView): void {
  const count = o.number('numSplits');
  if (count !== o.outputs.length)
    o.refuse('builtinOptions.numSplits', `numSplits ${count} with ${o.outputs.length} outputs`);
}

function squeezeDims(o: OperatorView): void {
  const rank = knownRank(o.inputs[0]);
  if (rank === undefined) return;
  for (const axis of (o.options.squeezeDims ?? []) as readonly number[])
    requireAxis(o, 'builtinOptions.squeezeDims', axis, rank);
}

/** Without padding the window must fit into the image. */
function windowFits(o: OperatorView): void {
  const shape = knownShape(o.inputs[0]);
  if (o.options.padding !== 'VALID' || shape?.length !== 4) return;
  const sizes = [o.number('filterHeight'), o.number('filterWidth')];
  if (sizes[0]! > shape[1]! || sizes[1]! > shape[2]!) {
    o.refuse(
      `builtinOptions.${sizes[0]! > shape[1]! ? 'filterHeight' : 'filterWidth'}`,
      `a window of ${sizes.join('x')} on an image of ${shape[1]}x${shape[2]}`,
    );
  }
}

function permutation(o: OperatorView): void {
  const rank = knownRank(o.inputs[0]);
  const perm = o.constant(1);
  if (rank === undefined || !perm) return;
  const seen = new Set(perm.map((axis) => (axis < 0 ? axis + rank : axis)));
  const valid = perm.length === rank && seen.size === rank && [...seen].every((axis) => axis >= 0 && axis < rank);
  if (!valid) o.refuse('inputs[1]', `[${perm.slice(0, 16)}] is no permutation of ${rank} dimensions`);
}

function sliceRange(o: OperatorView): void {
  const shape = knownShape(o.inputs[0]);
  const begin = o.constant(1);
  const size = o.constant(2);
  begin?.forEach((from, i) => {
    const dimension = shape?.[i] ?? Number.POSITIVE_INFINITY;
    if (from < 0 || from > dimension)
      o.refuse('inputs[1]', `begin ${from} of dimension ${i}; accepted: 0 to ${dimension}`);
  });
  size?.forEach((count, i) => {
    const left = (shape?.[i] ?? Number.POSITIVE_INFINITY) - (begin?.[i] ?? 0);
    if (count < -1 || count > left) o.refuse('inputs[2]', `size ${count} of dimension ${i}; accepted: -1 to ${left}`);
  });
}

function stridedSlice(o: OperatorView): void {
  const [begin, end, strides] = [o.constant(1), o.constant(2), o.constant(3)];
  if (strides?.includes(0)) o.refuse('inputs[3]', 'a stride of 0');
  const lengths = [begin, end, strides].flatMap((list) => (list ? [list.length] : []));
  if (new Set(lengths).size > 1)
    o.refuse('inputs[1]', `begin, end and strides have ${lengths.join(', ')} elements; accepted: equal numbers`);
  const ellipsis = o.number('ellipsisMask');
  if (ellipsis & (ellipsis - 1))
    o.refuse('builtinOptions.ellipsisMask', `mask ${ellipsis} has two ellipses; accepted: at most one`);
}

function batchDims(o: OperatorView): void {
  const rank = knownRank(o.inputs[1]);
  if (rank !== undefined) {
    const dims = o.number('batchDims');
    if (dims < -rank || dims > rank)
      o.refuse('builtinOptions.batchDims', `batchDims ${dims} for indices of rank ${rank}`);
  }
}

function indicesInRange(o: OperatorView): void {
  const shape = knownShape(o.inputs[0]);
  const axis = o.number('axis');
  if (shape) requireIndices(o, 1, shape.at(axis)!);
}

function embeddingIndices(o: OperatorView): void {
  const rows = knownShape(o.inputs[1])?.[0];
  if (rows !== undefined) requireIndices(o, 0, rows);
}

function requireIndices(o: OperatorView, position: number, size: number): void {
  const wrong = o.constant(position)?.find((index) => index < 0 || index >= size);
  if (wrong !== undefined) o.refuse(`inputs[${position}]`, `index ${wrong} of a dimension of ${size}`);
}

function reverseSequence(o: OperatorView): void {
  const rank = knownRank(o.inputs[0]);
  const [sequence, batch] = [o.number('seqDim'), o.number('batchDim')];
  if (rank === undefined) return;
  for (const option of ['seqDim', 'batchDim']) {
    const axis = o.number(option);
    if (axis < 0 || axis >= rank)
      o.refuse(`builtinOptions.${option}`, `${option} ${axis} for rank ${rank}; accepted: 0 to ${rank - 1}`);
  }
  if (sequence === batch) o.refuse('builtinOptions.seqDim', `seqDim and batchDim are both ${sequence}`);
  const size = knownShape(o.inputs[0])?.[sequence];
  const wrong = size === undefined ? undefined : o.constant(1)?.find((length) => length < 0 || length > size);
  if (wrong !== undefined) o.refuse('inputs[1]', `a sequence of length ${wrong} in a dimension of ${size}`);
}

function sortedSegments(o: OperatorView): void {
  const ids = o.constant(1) ?? [];
  const wrong = ids.findIndex((id, i) => id < (i ? ids[i - 1]! : 0));
  if (wrong >= 0) o.refuse('inputs[1]', `segment id ${ids[wrong]} at ${wrong}; accepted: 0 and more, in order`);
}

function sortedBoundaries(o: OperatorView): void {
  const boundaries = (o.options.boundaries ?? []) as readonly number[];
  if (boundaries.some((b, i) => i > 0 && !(b >= boundaries[i - 1]!)))
    o.refuse('builtinOptions.boundaries', 'the boundaries are not sorted');
}
