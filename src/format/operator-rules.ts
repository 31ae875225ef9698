import type { Tensor } from './model.js';
import type { OperatorView, Place } from './verify-operators.js';

/** Refuses an operator whose options or constant operands cannot be right. */
export type Rule = (operator: OperatorView) => void;

/** The rules, by builtin operator. */
export const rules: ReadonlyMap<string, readonly Rule[]> = new Map([
  ...each(
    'CONV_2D DEPTHWISE_CONV_2D',
    atLeast(1, 'strideW', 'strideH', 'dilationWFactor', 'dilationHFactor'),
    quantized(0, 1),
  ),
  ...each(
    'CONV_3D CONV_3D_TRANSPOSE',
    atLeast(1, 'strideD', 'strideW', 'strideH', 'dilationDFactor', 'dilationWFactor', 'dilationHFactor'),
  ),
  ...each('TRANSPOSE_CONV', atLeast(1, 'strideW', 'strideH')),
  ...each(
    'AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D',
    atLeast(1, 'strideW', 'strideH', 'filterWidth', 'filterHeight'),
    windowFits,
  ),
  ...each('SPACE_TO_DEPTH DEPTH_TO_SPACE', atLeast(1, 'blockSize')),
  ...each('SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND', atLeast(1, 1), atLeast(0, 2)),
  ...each('SVDF', atLeast(1, 'rank')),
  ...each('CONCATENATION UNPACK', axes('axis', 0)),
  ...each('PACK', axes('axis', 0, 1), counts('valuesCount', 'inputs')),
  ...each('GATHER', axes('axis', 0), batchDims, (o) => indices(o, 1, knownShape(o.inputs[0])?.at(o.number('axis')))),
  ...each('EMBEDDING_LOOKUP', (o) => indices(o, 0, knownShape(o.inputs[1])?.[0])),
  ...each('ONE_HOT', oneHotAxis),
  ...each('SPLIT', axes(0, 1), counts('numSplits', 'outputs')),
  ...each('SPLIT_V', axes(2, 0)),
  ...each(
    'MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL ARG_MAX ARG_MIN CUMSUM REVERSE_V2',
    axes(1, 0),
  ),
  ...each('EXPAND_DIMS', axes(1, 0, 1)),
  ...each('SQUEEZE', axes('squeezeDims', 0)),
  ...each('TRANSPOSE', permutation),
  ...each('SLICE', sliceRange),
  ...each('STRIDED_SLICE', stridedSlice),
  ...each('FILL', atLeast(0, 0)),
  ...each('PAD PADV2 MIRROR_PAD TILE TOPK_V2', atLeast(0, 1)),
  ...each('RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR', atLeast(1, 1)),
  ...each('REVERSE_SEQUENCE', reverseSequence),
  ...each('SEGMENT_SUM', ascending(1, 'segment id', 0)),
  ...each('BUCKETIZE', ascending('boundaries', 'boundary', Number.NEGATIVE_INFINITY)),
  ...each('ADD SUB MUL', quantized(0, 1)),
  ...each('DEQUANTIZE LOGISTIC TANH SOFTMAX QUANTIZE', quantized(0)),
]);

function each(operators: string, ...parts: readonly Rule[]): [string, readonly Rule[]][] {
  return operators.split(' ').map((operator) => [operator, parts]);
}

/** The numbers of an option or of a constant input; none where the input is not constant. */
function numbersAt(o: OperatorView, place: Place): readonly number[] {
  return typeof place === 'number' ? (o.constant(place) ?? []) : ([o.options[place] ?? []].flat() as number[]);
}

/** Refuses the first of the place's numbers that is out of range; `found` is what to say of it. */
function expect(o: OperatorView, place: Place, least: number, most: number, found: (value: number) => string): void {
  const wrong = numbersAt(o, place).find((value) => !(value >= least && value <= most));
  if (wrong !== undefined) refuse(o, place, found(wrong), least, most);
}

function refuse(o: OperatorView, place: Place, found: string, least: number, most: number): never {
  const accepted = most === Number.POSITIVE_INFINITY ? `${least} and more` : `${least} to ${most}`;
  return o.refuse(place, `${found}; accepted: ${accepted}`);
}

function atLeast(least: number, ...places: readonly Place[]): Rule {
  return (o) => {
    for (const place of places) {
      const name = typeof place === 'number' ? `input ${place} holds` : place;
      expect(o, place, least, Number.POSITIVE_INFINITY, (value) => `${name} ${value}`);
    }
  };
}

/** The place holds axes of input `of`, to which the operator adds `extra` dimensions. */
function axes(place: Place, of: number, extra = 0): Rule {
  return (o) => {
    const rank = knownRank(o.inputs[of]);
    if (rank !== undefined) expectAxes(o, place, -rank - extra, rank + extra - 1, rank + extra);
  };
}

function expectAxes(o: OperatorView, place: Place, least: number, most: number, rank: number): void {
  const name = typeof place === 'number' ? 'axis' : place;
  expect(o, place, least, most, (axis) => `${name} ${axis} for rank ${rank}`);
}

/** Each number is at least the one before it, and the first at least `least`. */
function ascending(place: Place, name: string, least: number): Rule {
  return (o) => {
    const numbers = numbersAt(o, place);
    const wrong = numbers.findIndex((number, i) => !(number >= (numbers[i - 1] ?? least)));
    if (wrong >= 0)
      refuse(o, place, `${name} ${numbers[wrong]} at ${wrong}`, numbers[wrong - 1] ?? least, Number.POSITIVE_INFINITY);
  };
}

/** The constant input holds indices below `size`. */
function indices(o: OperatorView, input: number, size: number | undefined): void {
  if (size !== undefined) expect(o, input, 0, size - 1, (index) => `index ${index} of a dimension of ${size}`);
}

/** An option says how many inputs or outputs there are. */
function counts(option: string, list: 'inputs' | 'outputs'): Rule {
  return (o) => {
    const count = o.number(option);
    if (count !== o[list].length) o.refuse(option, `${option} ${count} with ${o[list].length} ${list}`);
  };
}

/** 8-bit integers stand for numbers only with a scale. */
function quantized(...inputs: readonly number[]): Rule {
  const bare = (t: Tensor | undefined) => (t?.type === 'INT8' || t?.type === 'UINT8') && !t.quantization?.scale?.length;
  return (o) => {
    const input = inputs.find((i) => bare(o.inputs[i]));
    if (input !== undefined) o.refuse(input, `input ${input} is ${o.inputs[input]!.type} without a scale`);
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

function oneHotAxis(o: OperatorView): void {
  const rank = knownRank(o.inputs[0]);
  if (rank !== undefined) expectAxes(o, 'axis', -1, rank, rank);
}

function batchDims(o: OperatorView): void {
  const rank = knownRank(o.inputs[1]);
  if (rank !== undefined) expectAxes(o, 'batchDims', -rank, rank, rank);
}

/** Without padding the window must fit into the image. */
function windowFits(o: OperatorView): void {
  const shape = knownShape(o.inputs[0]);
  if (o.options.padding !== 'VALID' || shape?.length !== 4) return;
  const [height, width] = [o.number('filterHeight'), o.number('filterWidth')];
  const found = () => `a window of ${height}x${width} on an image of ${shape[1]}x${shape[2]}`;
  expect(o, 'filterHeight', 1, shape[1]!, found);
  expect(o, 'filterWidth', 1, shape[2]!, found);
}

function permutation(o: OperatorView): void {
  const rank = knownRank(o.inputs[0]);
  const perm = o.constant(1);
  if (rank === undefined || !perm) return;
  const seen = new Set(perm.map((axis) => (axis < 0 ? axis + rank : axis)));
  const valid = perm.length === rank && seen.size === rank && [...seen].every((axis) => axis >= 0 && axis < rank);
  if (!valid) o.refuse(1, `[${perm.slice(0, 16)}] is no permutation of ${rank} dimensions`);
}

function sliceRange(o: OperatorView): void {
  const shape = knownShape(o.inputs[0]);
  const begin = numbersAt(o, 1);
  begin.forEach((from, i) => {
    const size = shape?.[i] ?? Number.POSITIVE_INFINITY;
    if (from < 0 || from > size) refuse(o, 1, `begin ${from} of dimension ${i}`, 0, size);
  });
  numbersAt(o, 2).forEach((count, i) => {
    const left = (shape?.[i] ?? Number.POSITIVE_INFINITY) - (begin[i] ?? 0);
    if (count < -1 || count > left) refuse(o, 2, `size ${count} of dimension ${i}`, -1, left);
  });
}

function stridedSlice(o: OperatorView): void {
  const parts = [1, 2, 3].map((input) => o.constant(input));
  if (parts[2]?.includes(0)) o.refuse(3, 'a stride of 0');
  const lengths = parts.flatMap((list) => (list ? [list.length] : []));
  if (new Set(lengths).size > 1)
    o.refuse(1, `begin, end and strides have ${lengths.join(', ')} elements; accepted: equal numbers`);
  const ellipsis = o.number('ellipsisMask');
  if (ellipsis & (ellipsis - 1)) o.refuse('ellipsisMask', `mask ${ellipsis} has two ellipses; accepted: at most one`);
}

function reverseSequence(o: OperatorView): void {
  const rank = knownRank(o.inputs[0]);
  if (rank === undefined) return;
  for (const option of ['seqDim', 'batchDim']) expectAxes(o, option, 0, rank - 1, rank);
  const sequence = o.number('seqDim');
  if (sequence === o.number('batchDim')) o.refuse('seqDim', `seqDim and batchDim are both ${sequence}`);
  const size = knownShape(o.inputs[0])?.[sequence] ?? Number.POSITIVE_INFINITY;
  expect(o, 1, 0, size, (length) => `a sequence of length ${length}`);
}
