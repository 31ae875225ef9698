import type { Node } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import type { InputAccess, ShaderBuilder } from '../shader/builder.js';
import { float } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import { LARGER } from './fold.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { tailText } from './tail.js';

/** Texels that the rows of all fragments may fetch before what rows have in common gets a draw of its own. */
const MOST_FETCHES = 1 << 14;

/** An op of an element `v` and a vec4 `t` that all elements along the last axis share. */
interface RowOp {
  /** Statements that set `t` from the row; `each` loops over its texels `v`, with `padding` beyond the last channel. */
  shared(each: (padding: number, statements: string) => string): string;
  readonly result: string;
}

const largest = (
  each: (padding: number, statements: string) => string,
): string => `vec4 m = vec4(${float(LARGER.start)});
  ${each(LARGER.start, LARGER.step('m', 'v'))}
  float largest = max(max(m.x, m.y), max(m.z, m.w));
  vec4 sum = vec4(0.0);`;

/** Shifted by the largest element, so that no exponential overflows. */
const ROWS: Readonly<Record<string, (k: ShaderBuilder, node: Node) => RowOp>> = {
  SOFTMAX(k, node) {
    const beta = k.param(attrsOf<{ beta: number }>(node).beta);
    return {
      shared: (each) => `${largest(each)}
  ${each(Number.NEGATIVE_INFINITY, `sum += exp((v - largest) * ${beta});`)}
  vec4 t = vec4(largest, dot(sum, vec4(1.0)), 0.0, 0.0);`,
      result: `exp((v - t.x) * ${beta}) / t.y`,
    };
  },
  LOG_SOFTMAX: () => ({
    shared: (each) => `${largest(each)}
  ${each(Number.NEGATIVE_INFINITY, 'sum += exp(v - largest);')}
  vec4 t = vec4(largest, log(dot(sum, vec4(1.0))), 0.0, 0.0);`,
    result: 'v - t.x - t.y',
  }),
  L2_NORMALIZATION: () => ({
    shared: (each) => `vec4 sum = vec4(0.0);
  ${each(0, 'sum += v * v;')}
  vec4 t = vec4(max(sqrt(dot(sum, vec4(1.0))), 1e-6), 0.0, 0.0, 0.0);`,
    result: 'v / t.x',
  }),
};

/** Ops along the last axis: softmax, its logarithm, and division by the Euclidean length. */
export const softmaxForms: readonly GpuForm[] = Object.entries(ROWS).map(([type, opOf]) => ({
  type,
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

/** `vec4 shared(n, y, x)`: what the elements of a row have in common. */
function declareShared(k: ShaderBuilder, input: InputAccess, op: RowOp): void {
  const ragged = input.layout.c % 4 !== 0;
  const each = (padding: number, statements: string): string => {
    const mask =
      ragged && padding !== 0
        ? ` v = mix(vec4(${float(padding)}), v, lessThan(i * 4.0 + vec4(0.0, 1.0, 2.0, 3.0), vec4(${k.size(input.layout.c)})));`
        : '';
    return `for (float i = 0.0; i < ${k.count(input.layout.slices)}; i++) { vec4 v = ${input.at('n', 'y', 'x', 'i')};${mask} ${statements} }`;
  };
  k.declare(`vec4 shared(float n, float y, float x) {\n  ${op.shared(each)}\n  return t;\n}`);
}

function inOneDraw(node: Node, context: BuildContext, opOf: (k: ShaderBuilder, node: Node) => RowOp): Kernel {
  const k = builderFor(node, context);
  const input = k.input(node.inputs[0]!);
  const op = opOf(k, node);
  declareShared(k, input, op);
  return k.finishTexel(
    node.type.toLowerCase(),
    `vec4 t = shared(n, y, x), v = ${input.at('n', 'y', 'x', 's')};\nreturn ${op.result};`,
    tailText(k, node),
    true,
  );
}

function inTwoDraws(node: Node, context: BuildContext, opOf: (k: ShaderBuilder, node: Node) => RowOp): Kernel[] {
  const x = node.inputs[0]!;
  const rows = context.scratch([...x.shape.slice(0, -1), 2]);
  const first = builderFor({ ...node, tail: [] }, context, [], rows);
  declareShared(first, first.input(x), opOf(first, node));
  const k = builderFor(node, context);
  const [input, shared] = [k.input(x), k.input(rows)];
  const { result } = opOf(k, node);
  return [
    first.finishTexel(`${node.type.toLowerCase()}_rows`, 'return shared(n, y, x);'),
    k.finishTexel(
      node.type.toLowerCase(),
      `vec4 t = ${shared.at('n', 'y', 'x', '0.0')}, v = ${input.at('n', 'y', 'x', 's')};\nreturn ${result};`,
      tailText(k, node),
    ),
  ];
}
