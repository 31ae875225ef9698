/** Which version of each operator a model uses, and the first release of the interpreter that runs it. */
import { listOf, type Model, type Operator, type Options, type SubGraph, type Tensor } from '../format/model.js';
import { builtinName, effectiveName } from '../format/operator-name.js';
import { optionsOf } from '../format/operator-options.js';

// The first release with a version of an operator, from TensorFlow's runtime_version.cc: operators, then version:release.
const RELEASES = `
AVERAGE_POOL_2D,MAX_POOL_2D,SOFTMAX 1:1.5.0 2:1.14.0 3:2.3.0
CONCATENATION 1:1.5.0 2:1.14.0 3:2.3.0
RESHAPE,L2_POOL_2D,LOCAL_RESPONSE_NORMALIZATION,RELU_N1_TO_1 1:1.5.0
CAST 1:1.5.0 3:2.8.0
PAD 1:1.5.0 2:1.14.0 3:2.4.0 4:2.6.0
PADV2 1:1.9.0 2:1.14.0 3:2.4.0 4:2.6.0
RELU 1:1.5.0 2:2.1.0 3:2.5.0
RELU6 1:1.5.0 2:1.14.0 3:2.5.0
SPACE_TO_DEPTH,L2_NORMALIZATION 1:1.5.0 2:1.14.0
SPLIT 1:1.5.0 2:1.14.0 4:2.3.0
CONV_2D 1:1.5.0 2:1.14.0 3:1.14.0 4:2.3.0 5:2.4.0
DEPTHWISE_CONV_2D 1:1.5.0 2:1.12.0 3:1.14.0 5:2.3.0 6:2.3.0
FULLY_CONNECTED 1:1.5.0 4:1.14.0 5:2.0.0 6:2.1.0 7:2.3.0 9:2.3.0 12:2.17.0
TRANSPOSE_CONV 1:1.9.0 2:2.2.0 3:2.3.0 4:2.13.0
BATCH_MATMUL 1:2.3.0 2:2.3.0 3:2.4.0
ADD 1:1.5.0 2:1.14.0 3:2.4.0
MUL 1:1.5.0 2:1.14.0 3:1.15.0 4:2.3.0
SUB 1:1.6.0 2:1.14.0 3:2.3.0 5:2.4.0
DIV 1:1.6.0 2:2.3.0
BATCH_TO_SPACE_ND,SPACE_TO_BATCH_ND 1:1.6.0 2:1.14.0 3:2.3.0 4:2.12.0
MEAN 1:1.6.0 2:1.14.0 3:2.4.0
SQUEEZE 1:1.6.0
GATHER 1:1.6.0 2:1.14.0 4:2.4.0 5:2.5.0
GATHER_ND 1:1.14.0 3:2.5.0
STRIDED_SLICE 1:1.6.0 2:1.14.0 4:2.2.0
TRANSPOSE 1:1.6.0 2:1.14.0 4:2.3.0 5:2.4.0
EXP 1:1.7.0 2:2.12.0
TOPK_V2 1:1.7.0 2:1.14.0
RESIZE_BILINEAR 1:1.7.0 2:1.14.0 3:2.2.0 4:2.5.0
RESIZE_NEAREST_NEIGHBOR 1:1.13.1 2:1.14.0 3:2.3.0 4:2.4.0
PRELU 1:1.8.0
ARG_MAX,ARG_MIN 1:1.9.0 2:1.14.0
FLOOR,NEG,SIN 1:1.9.0
SUM 1:1.10.0 2:1.15.0
RSQRT 1:1.10.0 2:2.5.0 3:2.15.0
SQRT 1:1.10.0 2:2.21.0
EXPAND_DIMS,POW,SHAPE 1:1.10.0
TILE 1:1.10.1 3:2.8.0
PACK 1:1.11.0 2:1.14.0 3:2.3.0
UNPACK 1:1.11.0 2:1.14.0 4:2.3.0
REDUCE_MAX,REDUCE_MIN 1:1.11.0 2:1.14.0 3:2.5.0
REDUCE_PROD 1:1.11.0 2:2.6.0
LOGICAL_AND,LOGICAL_NOT,LOGICAL_OR,ONE_HOT,REDUCE_ANY 1:1.11.0
SQUARE,ZEROS_LIKE 1:1.12.0
ABS 1:1.13.0 2:2.4.0 3:2.5.0
FILL 1:1.13.0 3:2.5.0
FLOOR_MOD,RANGE 1:1.13.0
LEAKY_RELU 1:1.13.1 2:2.3.0
MIRROR_PAD 1:1.13.1 2:2.3.0 3:2.12.0
SPLIT_V 1:1.13.1 2:2.3.0
SQUARED_DIFFERENCE 1:1.13.1 2:2.5.0
DEQUANTIZE 1:1.13.1 2:1.14.0 3:1.15.0
QUANTIZE 1:1.14.0 2:1.15.0
SLICE 1:1.14.0 2:1.14.0 4:2.4.0 5:2.5.0
EQUAL,NOT_EQUAL,GREATER,GREATER_EQUAL,LESS,LESS_EQUAL,LOG_SOFTMAX 1:1.14.0 2:1.14.0
LOGISTIC,TANH 1:1.14.0 2:1.14.0 3:2.3.0
MAXIMUM,MINIMUM 1:1.14.0 2:1.14.0 3:2.3.0 4:2.3.0
LOG 1:1.14.0 2:2.15.0
REVERSE_V2 1:1.14.0 3:2.5.0
CEIL,COS,ELU,FLOOR_DIV,RANK,ROUND,SELECT,WHERE 1:1.14.0
UNIDIRECTIONAL_SEQUENCE_LSTM 1:1.13.1 3:2.3.0
HARD_SWISH,IF,WHILE 1:1.15.0
DEPTH_TO_SPACE 1:2.1.0 2:2.5.0
SELECT_V2 1:2.2.0
CUMSUM 1:2.4.0
BROADCAST_TO 2:2.5.0 3:2.5.0
CONV_3D,CONV_3D_TRANSPOSE 1:2.5.0
REDUCE_ALL 1:2.6.0
GELU 1:2.9.0 2:2.9.0
ATAN2,RELU_0_TO_1 1:2.10.0
SIGN 1:2.11.0`;

// The first version that takes integers for real numbers, from op_version.cc: operators, then int8 and int16.
const INTEGER_VERSIONS = `
AVERAGE_POOL_2D,MAX_POOL_2D,SOFTMAX,LOGISTIC,TANH,MEAN,REDUCE_MAX,REDUCE_MIN,RELU,RELU6,RSQRT,ABS,MIRROR_PAD 2 3
ADD,PAD,PADV2,CONCATENATION,PACK,BATCH_MATMUL 2 3
MUL,MAXIMUM,MINIMUM,SLICE,SPLIT,UNPACK,GATHER,RESIZE_BILINEAR,RESIZE_NEAREST_NEIGHBOR 2 4
SPACE_TO_BATCH_ND,BATCH_TO_SPACE_ND 2 4
SUB,TRANSPOSE 2 5
EXP,LOG,SQRT,REDUCE_PROD 2 2
SPLIT_V,STRIDED_SLICE,SPACE_TO_DEPTH,DEPTH_TO_SPACE,SUM,SQUARED_DIFFERENCE,L2_NORMALIZATION,LOG_SOFTMAX,GELU 2 1
ARG_MAX,ARG_MIN,TOPK_V2,EQUAL,NOT_EQUAL,GREATER,GREATER_EQUAL,LESS,LESS_EQUAL,TRANSPOSE_CONV 2 1
REVERSE_V2 3 1
TILE,BROADCAST_TO,FILL 3 3
LEAKY_RELU 1 2
GATHER_ND 1 3
CONV_2D 3 4
DEPTHWISE_CONV_2D 3 5
FULLY_CONNECTED 4 7
DEQUANTIZE 2 3`;

const releases = new Map(
  RELEASES.trim()
    .split('\n')
    .flatMap((line) => {
      const [names, ...versions] = line.split(' ') as [string, ...string[]];
      return names.split(',').flatMap((name) => versions.map((v) => [`${name} ${v.split(':')[0]}`, v.split(':')[1]!]));
    }) as [string, string][],
);

const integerVersions = new Map(
  INTEGER_VERSIONS.trim()
    .split('\n')
    .flatMap((line) => {
      const [names, int8, int16] = line.split(' ') as [string, string, string];
      return names.split(',').map((name) => [name, { INT8: Number(int8), INT16: Number(int16) }]);
    }) as [string, Readonly<Record<string, number>>][],
);

const METADATA = 'min_runtime_version';
/** The original's size of this metadata, padded with zeros. */
const METADATA_BYTES = 16;

/** The model with the version of each operator as high as what it is used for needs, and the release that this takes. */
export function withVersions(model: Model): Model {
  const versions = listOf(model.operatorCodes).map(({ version }) => version);
  for (const subgraph of listOf(model.subgraphs))
    for (const operator of listOf(subgraph.operators)) {
      const { opcodeIndex } = operator;
      versions[opcodeIndex] = Math.max(versions[opcodeIndex]!, versionOf(model, subgraph, operator));
    }
  const operatorCodes = listOf(model.operatorCodes).map((code, i) => ({ ...code, version: versions[i]! }));
  const needed = operatorCodes.map((code) => releases.get(`${effectiveName(code)} ${code.version}`));
  return withRelease({ ...model, operatorCodes }, needed.reduce(later, releaseOf(model)) ?? '1.5.0');
}

/** The version that one use of an operator needs. */
function versionOf(model: Model, subgraph: SubGraph, operator: Operator): number {
  const name = builtinName(model, operator);
  const tensors = (indices: readonly number[] | undefined) =>
    listOf(indices).map((i): Tensor | undefined => subgraph.tensors?.[i]);
  const [inputs, outputs] = [tensors(operator.inputs), tensors(operator.outputs)];
  // Sizes, axes and masks say nothing of how real numbers are stored.
  const stored = inputs.find((tensor) => tensor && !/^(INT32|INT64|BOOL)$/.test(tensor.type))?.type ?? '';
  const forIntegers = integerVersions.get(name)?.[stored] ?? 1;
  return Math.max(forIntegers, versionOfUse(name, optionsOf(model, operator), inputs, outputs));
}

/** The version that an operator's options, shapes and stored weights need. */
function versionOfUse(
  name: string,
  options: Options,
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly (Tensor | undefined)[],
): number {
  const type = inputs[0]?.type;
  const rank = inputs[0]?.shape?.length ?? 0;
  const hasBytes = (i: number) => type === 'FLOAT32' && inputs[i]?.type === 'INT8';
  switch (name) {
    case 'CONV_2D':
      return hasBytes(1) ? 5 : 1;
    case 'DEPTHWISE_CONV_2D':
      return hasBytes(1) ? 6 : options.dilationWFactor !== 1 || options.dilationHFactor !== 1 ? 2 : 1;
    case 'FULLY_CONNECTED':
      if (hasBytes(1)) return (inputs[1]!.quantization?.scale?.length ?? 1) > 1 ? 12 : 9;
      return inputs[2] ? (options.keepNumDims ? 5 : 1) : 6;
    case 'TRANSPOSE_CONV':
      return options.fusedActivationFunction !== 'NONE' ? 4 : inputs[3] ? 3 : 1;
    case 'UNIDIRECTIONAL_SEQUENCE_LSTM':
      return inputs[2]?.type === 'INT8' ? 3 : 1;
    case 'MUL': {
      const [a, b, y] = [...inputs, ...outputs].map((tensor) => tensor?.quantization?.scale?.[0]);
      return a && b && y && (a * b) / y >= 1 ? 3 : 1;
    }
    case 'GATHER':
      return options.batchDims ? 5 : 1;
    case 'DEQUANTIZE':
      return type === 'FLOAT16' ? 3 : 1;
    case 'QUANTIZE':
      return outputs[0]?.type === 'INT16' ? 2 : 1;
    case 'RESIZE_BILINEAR':
      return options.halfPixelCenters ? 3 : 1;
    case 'RESIZE_NEAREST_NEIGHBOR':
      return options.halfPixelCenters || options.alignCorners ? 3 : 1;
    case 'BATCH_TO_SPACE_ND':
    case 'SPACE_TO_BATCH_ND':
      return rank === 4 ? 1 : 3;
    case 'STRIDED_SLICE':
    case 'TRANSPOSE':
    case 'PAD':
    case 'PADV2':
      return rank > 4 ? 4 : 1;
    case 'SLICE':
      return rank > 4 ? 5 : 1;
    case 'SUB':
    case 'MAXIMUM':
    case 'MINIMUM':
      return rank > 4 ? 3 : 1;
    case 'DIV':
    case 'BROADCAST_TO':
      return name === 'BROADCAST_TO' || rank > 4 ? 2 : 1;
    default:
      return 1;
  }
}

/** The later of two releases such as 1.15.0 and 2.3.0. */
function later(a: string | undefined, b: string | undefined): string | undefined {
  if (!a || !b) return a ?? b;
  const [x, y] = [a, b].map((release) => release.split('.').map(Number)) as [number[], number[]];
  const at = x.findIndex((n, i) => n !== y[i]);
  return at >= 0 && x[at]! < (y[at] ?? 0) ? b : a;
}

function releaseOf({ metadata, buffers }: Model): string | undefined {
  const entry = metadata?.find(({ name }) => name === METADATA);
  const bytes = entry && buffers?.[entry.buffer]?.data;
  return bytes && (new TextDecoder().decode(bytes).replace(/\0.*/s, '') || undefined);
}

function withRelease(model: Model, release: string): Model {
  const data = new Uint8Array(METADATA_BYTES);
  data.set(new TextEncoder().encode(release));
  const found = model.metadata?.find(({ name }) => name === METADATA);
  const buffers = listOf(model.buffers);
  if (found) return { ...model, buffers: buffers.map((b, i) => (i === found.buffer ? { data } : b)) };
  const metadata = [...listOf(model.metadata), { name: METADATA, buffer: buffers.length }];
  return { ...model, metadata, buffers: [...buffers, { data }] };
}
