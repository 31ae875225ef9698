import type { Node, Value } from '../ir/graph.js';
import { toNHWC } from '../layout/layout.js';
import { pixel } from '../shader/builder.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { tailText } from './tail.js';

interface MatmulAttrs {
  readonly adjX?: boolean;
  readonly adjY?: boolean;
}

/** Σ over k of x[m, k] · y[k, n] for each batch; the blocks of a fragment share what they read of y. */
const batchMatmul: GpuForm = {
  type: 'BATCH_MATMUL',
  declines: (node) => {
    const out = node.outputs[0]!;
    const odd = node.inputs.find((v) => v && !batchesByCoordinate(v, out));
    return odd ? `the batch of [${odd.shape}] does not broadcast to [${out.shape}] by height and width` : undefined;
  },
  build(node, context) {
    const { adjX, adjY } = attrsOf<MatmulAttrs>(node);
    return [matmul(node, context, node.inputs[0]!, node.inputs[1]!, Boolean(adjX), Boolean(adjY))];
  },
};

export const matmulForms: readonly GpuForm[] = [batchMatmul];

/** True where the operand's batch dimensions are, one by one in its layout, 1 or the output's. */
function batchesByCoordinate(v: Value, out: Value): boolean {
  const [n, h] = toNHWC(v.shape);
  const [on, oh] = toNHWC(out.shape);
  const rank = out.shape.length;
  const alike = v.shape.length === rank || n * h === 1;
  const folded = rank <= 4 || n === 1 || v.shape.slice(0, -3).every((d, i) => d === out.shape[i]);
  return alike && folded && (n === 1 || n === on) && (h === 1 || h === oh);
}

function matmul(node: Node, context: BuildContext, x: Value, y: Value, adjX: boolean, adjY: boolean) {
  const k = builderFor(node, context);
  const [a, b] = [k.input(x), k.input(y)];
  const depth = adjX ? a.layout.w : a.layout.c;
  const steps = k.param(Math.ceil(depth / 4));
  const depthParam = depth % 4 ? k.param(depth) : '';
  const keep = (size: number, o: string) => (size === 1 ? '0.0' : o);
  const rows = [...new Set(Array.from({ length: k.planes }, (_, p) => Math.floor(p / k.out.bx)))];
  const planes = Array.from({ length: k.planes }, (_, p) => p);
  const inDepth = (q: number, v: string) => (depthParam ? `(k4 + ${q}.0 < ${depthParam} ? ${v} : vec4(0.0))` : v);
  if (adjX) k.helper('lane');
  const left = (p: number): string => {
    const [n, h, m] = [
      keep(a.layout.n, 'o_n'),
      keep(a.layout.h, `(${pixel('o_y', 'BY', Math.floor(p / k.out.bx))})`),
      `(${pixel('o_x', 'BX', p % k.out.bx)})`,
    ];
    if (!adjX) return `vec4 l${p} = ${a.at(n, h, m, 's')};`;
    const lane = (q: number) => `lane(${inDepth(q, a.at(n, h, `k4 + ${q}.0`, `floor(${m} * 0.25)`))}, mod(${m}, 4.0))`;
    return `vec4 l${p} = vec4(${[0, 1, 2, 3].map(lane).join(', ')});`;
  };
  const right = (row: number): string => {
    const [n, h] = [keep(b.layout.n, 'o_n'), keep(b.layout.h, `(${pixel('o_y', 'BY', row)})`)];
    const part = (q: number) =>
      adjY ? b.at(n, h, `o_s * 4.0 + ${q}.0`, 's') : inDepth(q, b.at(n, h, `k4 + ${q}.0`, 'o_s'));
    const matrix = `mat4(${[0, 1, 2, 3].map(part).join(', ')})`;
    return `mat4 r_${row} = ${adjY ? `transpose(${matrix})` : matrix};`;
  };
  const body = `${planes.map((p) => `a${p} = vec4(0.0);`).join(' ')}
  for (float s = 0.0; s < ${steps}; s++) {
    float k4 = s * 4.0;
    ${rows.map(right).join(' ')}
    ${planes.map((p) => `${left(p)} a${p} += r_${Math.floor(p / k.out.bx)} * l${p};`).join('\n    ')}
  }`;
  const multiplyAdds = node.outputs[0]!.shape.reduce((product, d) => product * d, 1) * depth;
  return k.finish('batch_matmul', body, multiplyAdds, tailText(k, node));
}
