import type { Node } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import { type InputAccess, plus, type ShaderBuilder } from '../shader/builder.js';
import { float } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import { LARGER } from './fold.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { type Row, rowsOf } from './rows.js';
import { tailText } from './tail.js';

/** What a pass makes of layer normalisation without its scale and shift; its attribute `epsilon` is added to the variance. */
export const NORMALIZATION = 'NORMALIZATION';

/** Texels that the rows of all fragments may fetch before what rows have in common gets a draw of its own. */
const MOST_FETCHES = 1 << 14;

/** An op of an element and of what all elements along the last axis share. */
interface RowOp {
  /** Statements that set the vec4 `t` from a row. */
  shared(row: Row): string;
  /** The result for an element `v`. */
  result(v: string): string;
}

/** The largest element and the sum of exponentials, shifted by it so that none overflows. `beta` is GLSL. */
const exponentials =
  (beta: string) =>
  ({ each }: Row): string =>
    `vec4 m = vec4(${float(LARGER.start)}), sum = vec4(0.0);
  ${each(LARGER.start, LARGER.step('m', 'v'))}
  float largest = max(max(m.x, m.y), max(m.z, m.w));
  ${each(Number.NEGATIVE_INFINITY, `sum += exp((v - largest)${beta});`)}
  t = vec4(largest, dot(sum, vec4(1.0)), 0.0, 0.0);`;

const ROWS: Readonly<Record<string, (k: ShaderBuilder, node: Node) => RowOp>> = {
  SOFTMAX(k, node) {
    const beta = ` * ${k.param(attrsOf<{ beta: number }>(node).beta)}`;
    return { shared: exponentials(beta), result: (v) => `exp((${v} - t.x)${beta}) / t.y` };
  },
  LOG_SOFTMAX: () => ({ shared: exponentials(''), result: (v) => `${v} - t.x - log(t.y)` }),
  L2_NORMALIZATION: () => ({
    shared: ({ each }) => `vec4 sum = vec4(0.0);
  ${each(undefined, 'sum += v * v;')}
  t = vec4(max(sqrt(dot(sum, vec4(1.0))), 1e-6), 0.0, 0.0, 0.0);`,
    result: (v) => `${v} / t.x`,
  }),
  [NORMALIZATION]: (k, { inputs: [x], attrs }) => ({
    shared({ each }) {
      const [count, epsilon] = [k.param(x!.shape.at(-1) ?? 1), k.param(Number(attrs.epsilon))];
      const total = `dot(sum, vec4(1.0)) / ${count}`;
      return `vec4 sum = vec4(0.0);
  ${each(undefined, 'sum += v;')}
  float mean = ${total}; sum = vec4(0.0);
  ${each(0, 'sum += v * v;', 'v -= mean;')}
  t = vec4(mean, inversesqrt(${total} + ${epsilon}), 0.0, 0.0);`;
    },
    result: (v) => `(${v} - t.x) * t.y`,
  }),
};

/** Ops along the last axis: softmax, its logarithm, division by the Euclidean length, and normalisation. */
export const softmaxForms: readonly GpuForm[] = Object.entries(ROWS).map(([type, opOf]) => ({
  type,
  isMadeByPasses: type === NORMALIZATION,
  declines: ({ attrs }) => {
    const activation = (attrs.fusedActivationFunction as string | undefined) ?? 'NONE';
    return activation === 'NONE' ? undefined : `${type} with ${activation}`;
  },
  build(node, context) {
    const { shape } = node.inputs[0]!;
    const slices = Math.ceil((shape.at(-1) ?? 1) / 4);
    const pixels = sizeOf(shape) / (shape.at(-1) ?? 1);
    return pixels * slices * slices > MOST_FETCHES ? inTwoDraws(node, context, opOf) : [inOneDraw(node, context, opOf)];
  },
}));

/** Statements for a pixel, from `t` and the texels of an input that is stored as the output is. */
function resultsOf(k: ShaderBuilder, input: InputAccess, { result }: RowOp, pixel: string): string {
  return k.slices.map(({ index }) => `a${index} = ${result(input.own(plus(index, pixel)))};`).join(' ');
}

function inOneDraw(node: Node, context: BuildContext, opOf: (k: ShaderBuilder, node: Node) => RowOp): Kernel {
  const k = builderFor(node, context);
  const input = k.input(node.inputs[0]!);
  const op = opOf(k, node);
  const rows = rowsOf(k, input);
  const body = k.eachPixel((p) => `vec4 t; ${op.shared(rows(p))}\n  ${resultsOf(k, input, op, p)}`);
  return k.finish(node.type.toLowerCase(), body, 0, tailText(k, node));
}

function inTwoDraws(node: Node, context: BuildContext, opOf: (k: ShaderBuilder, node: Node) => RowOp): Kernel[] {
  const x = node.inputs[0]!;
  const common = context.scratch([...x.shape.slice(0, -1), 2]);
  const first = builderFor({ ...node, tail: [] }, context, [], common);
  const rows = rowsOf(first, first.input(x));
  const { shared } = opOf(first, node);
  const k = builderFor(node, context);
  const [input, made] = [k.input(x), rowsOf(k, k.input(common))];
  const op = opOf(k, node);
  const name = node.type.toLowerCase();
  return [
    first.finish(
      `${name}_rows`,
      first.eachPixel((p) => `vec4 t; ${shared(rows(p))} a0 = t;`),
      0,
    ),
    k.finish(
      name,
      k.eachPixel((p) => `vec4 t = ${made(p).first}; ${resultsOf(k, input, op, p)}`),
      0,
      tailText(k, node),
    ),
  ];
}
