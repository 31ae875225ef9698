import type { Node } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import type { InputAccess, ShaderBuilder } from '../shader/builder.js';
import { float } from '../shader/glsl.js';
import type { Kernel } from '../shader/kernel.js';
import { LARGER } from './fold.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { type Rows, rowsOf } from './rows.js';
import { tailText } from './tail.js';

/** What a pass makes of layer normalisation without its scale and shift; its attribute `epsilon` is added to the variance. */
export const NORMALIZATION = 'NORMALIZATION';

/** Texels that the rows of all fragments may fetch before what rows have in common gets a draw of its own. */
const MOST_FETCHES = 1 << 14;

/** An op of an element and of what all elements along the last axis share. */
interface RowOp {
  /** Statements that set `t0`, `t1`, … of the pixels of a block from their rows. */
  shared(rows: Rows): string;
  /** The result for an element `v`. */
  result(v: string, t: string): string;
}

/** The largest element and the sum of exponentials, shifted by it so that none overflows. `beta` is GLSL. */
const exponentials =
  (beta: string) =>
  ({ all, each }: Rows): string =>
    `${all((p) => `vec4 m${p} = vec4(${float(LARGER.start)});`)}
  ${each(LARGER.start, (v, p) => LARGER.step(`m${p}`, v))}
  ${all((p) => `float largest${p} = max(max(m${p}.x, m${p}.y), max(m${p}.z, m${p}.w)); vec4 sum${p} = vec4(0.0);`)}
  ${each(Number.NEGATIVE_INFINITY, (v, p) => `sum${p} += exp((${v} - largest${p})${beta});`)}
  ${all((p) => `vec4 t${p} = vec4(largest${p}, dot(sum${p}, vec4(1.0)), 0.0, 0.0);`)}`;

const ROWS: Readonly<Record<string, (k: ShaderBuilder, node: Node) => RowOp>> = {
  SOFTMAX(k, node) {
    const beta = ` * ${k.param(attrsOf<{ beta: number }>(node).beta)}`;
    return { shared: exponentials(beta), result: (v, t) => `exp((${v} - ${t}.x)${beta}) / ${t}.y` };
  },
  LOG_SOFTMAX: () => ({ shared: exponentials(''), result: (v, t) => `${v} - ${t}.x - log(${t}.y)` }),
  L2_NORMALIZATION: () => ({
    shared: ({ all, each }) => `${all((p) => `vec4 sum${p} = vec4(0.0);`)}
  ${each(undefined, (v, p) => `sum${p} += ${v} * ${v};`)}
  ${all((p) => `vec4 t${p} = vec4(max(sqrt(dot(sum${p}, vec4(1.0))), 1e-6), 0.0, 0.0, 0.0);`)}`,
    result: (v, t) => `${v} / ${t}.x`,
  }),
  [NORMALIZATION]: (k, { inputs: [x], attrs }) => ({
    shared({ all, each }) {
      const [count, epsilon] = [k.param(x!.shape.at(-1) ?? 1), k.param(Number(attrs.epsilon))];
      const total = (p: number) => `dot(sum${p}, vec4(1.0)) / ${count}`;
      return `${all((p) => `vec4 sum${p} = vec4(0.0);`)}
  ${each(undefined, (v, p) => `sum${p} += ${v};`)}
  ${all((p) => `float mean${p} = ${total(p)}; sum${p} = vec4(0.0);`)}
  ${each(
    0,
    (v, p) => `sum${p} += ${v} * ${v};`,
    (v, p) => `${v} -= mean${p};`,
  )}
  ${all((p) => `vec4 t${p} = vec4(mean${p}, inversesqrt(${total(p)} + ${epsilon}), 0.0, 0.0);`)}`;
    },
    result: (v, t) => `(${v} - ${t}.x) * ${t}.y`,
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

/** Statements for all planes, from `t0`, `t1`, … and the texels of an input that is stored as the output is. */
function resultsOf(k: ShaderBuilder, input: InputAccess, { result }: RowOp): string {
  return k.planes.map(({ index, pixel }) => `a${index} = ${result(input.own(index), `t${pixel}`)};`).join('\n  ');
}

function inOneDraw(node: Node, context: BuildContext, opOf: (k: ShaderBuilder, node: Node) => RowOp): Kernel {
  const k = builderFor(node, context);
  const input = k.input(node.inputs[0]!);
  const op = opOf(k, node);
  const body = `${op.shared(rowsOf(k, input))}\n  ${resultsOf(k, input, op)}`;
  return k.finish(node.type.toLowerCase(), body, 0, tailText(k, node));
}

function inTwoDraws(node: Node, context: BuildContext, opOf: (k: ShaderBuilder, node: Node) => RowOp): Kernel[] {
  const x = node.inputs[0]!;
  const shared = context.scratch([...x.shape.slice(0, -1), 2]);
  const first = builderFor({ ...node, tail: [] }, context, [], shared);
  const rows = rowsOf(first, first.input(x));
  const texts = [opOf(first, node).shared(rows), rows.all((p) => `a${p} = t${p};`)];
  const k = builderFor(node, context);
  const [input, common] = [k.input(x), rowsOf(k, k.input(shared))];
  const body = `${common.all((p) => `vec4 t${p} = ${common.first(p)};`)}\n  ${resultsOf(k, input, opOf(k, node))}`;
  const name = node.type.toLowerCase();
  return [first.finish(`${name}_rows`, texts.join('\n  '), 0), k.finish(name, body, 0, tailText(k, node))];
}
