// node scripts/make-fixtures.mjs: takes a slim part of the op corpus (float32 cases of the ops that the GPU runs) into test/fixtures/ops,
// so that `npm test` is a real test on a machine without the corpus.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, shared } from './paths.mjs';

const bytesPerOp = {
  default: 36_000,
  CONV_2D: 120_000,
  DEPTHWISE_CONV_2D: 100_000,
  FULLY_CONNECTED: 60_000,
  TRANSPOSE_CONV: 60_000,
  GRAPH: 200_000,
};
const largestCase = 16_000;
const ops = [
  ...[
    'CONV_2D',
    'DEPTHWISE_CONV_2D',
    'TRANSPOSE_CONV',
    'FULLY_CONNECTED',
    'BATCH_MATMUL',
    'AVERAGE_POOL_2D',
    'MAX_POOL_2D',
  ],
  ...['ADD', 'SUB', 'MUL', 'DIV', 'MAXIMUM', 'MINIMUM', 'SQUARED_DIFFERENCE', 'POW', 'PRELU'],
  ...[
    'ABS',
    'CEIL',
    'COS',
    'ELU',
    'EXP',
    'FLOOR',
    'GELU',
    'HARD_SWISH',
    'LEAKY_RELU',
    'LOG',
    'LOGISTIC',
    'NEG',
    'RELU',
    'RELU6',
  ],
  ...['RELU_0_TO_1', 'RELU_N1_TO_1', 'ROUND', 'RSQRT', 'SIGN', 'SIN', 'SQRT', 'SQUARE', 'TANH'],
  ...[
    'SOFTMAX',
    'MEAN',
    'SUM',
    'REDUCE_MAX',
    'REDUCE_MIN',
    'RESHAPE',
    'SQUEEZE',
    'EXPAND_DIMS',
    'CONCATENATION',
    'PAD',
    'PADV2',
  ],
  ...['MIRROR_PAD', 'SLICE', 'STRIDED_SLICE', 'SPLIT', 'SPLIT_V', 'TRANSPOSE', 'PACK', 'UNPACK', 'RESIZE_BILINEAR'],
  ...['RESIZE_NEAREST_NEIGHBOR', 'SPACE_TO_DEPTH', 'DEPTH_TO_SPACE', 'DEQUANTIZE', 'CAST', 'GATHER', 'TILE', 'GRAPH'],
];
const otherKinds =
  /int2|int4|int8|int16|int64|uint|hybrid|densify|sparse|string|complex|float64|bool|quant|dynamic-range/i;

if (!shared) throw new Error('make-fixtures needs the corpus: set TFLITE_GPU_SHARED to its folder');
const folder = path.join(root, 'test/fixtures/ops');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
let total = 0;
for (const op of ops) {
  const { cases } = JSON.parse(readFileSync(path.join(shared, 'ops', `${op}.json`), 'utf8'));
  const chosen = spread(cases.filter(isFloat), bytesPerOp[op] ?? bytesPerOp.default);
  const text = `${JSON.stringify({ op, cases: chosen })}\n`;
  writeFileSync(path.join(folder, `${op}.json`), text);
  total += text.length;
  console.log(`${op}: ${chosen.length} of ${cases.length} cases, ${text.length} bytes`);
}
console.log(`${(total / 1e6).toFixed(2)} MB in all`);

function isFloat({ name, steps }) {
  const values = steps.flatMap((step) => [...step.inputs, ...step.outputs]);
  return !otherKinds.test(name) && values.every(({ dtype }) => dtype === 'float32' || dtype === 'int32');
}

/** Cases evenly spread over the list, none too large, within a budget of bytes. */
function spread(cases, budget) {
  const small = cases.filter((test) => JSON.stringify(test).length <= largestCase);
  for (let step = 1; step <= small.length; step++) {
    const some = small.filter((_, i) => i % step === 0);
    if (JSON.stringify(some).length <= budget) return some;
  }
  return small.slice(0, 1);
}
