import type { Node, Value } from '../ir/graph.js';
import { toNHWC } from '../layout/layout.js';
import { keep, type Plane } from '../shader/builder.js';
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
  const steps = k.count(Math.ceil(depth / 4));
  const depthParam = depth % 4 ? k.size(depth) : '';
  // A select, not a condition: SwiftShader takes minutes to compile tens of branches around fetches.
  const inDepth = (q: number, v: string) =>
    depthParam ? `mix(vec4(0.0), ${v}, bvec4(k4 + ${q}.0 < ${depthParam}))` : v;
  const left = ({ pixel, x: m, y: row }: Plane): string =>
    `vec4 l${pixel} = ${a.at(keep(a.layout.n, 'o_n'), keep(a.layout.h, row), m, 's')};`;
  /** Transposed, the pixels of a block's row are lanes of the same texels: one matrix holds them all. */
  const columnsOf = ({ py }: Plane) => `c${a.layout.h === 1 ? 0 : py}`;
  const leftColumns = (plane: Plane): string => {
    const [n, h] = [keep(a.layout.n, 'o_n'), keep(a.layout.h, plane.y)];
    const part = (q: number) => inDepth(q, a.at(n, h, `k4 + ${q}.0`, `floor(${plane.x} * 0.25)`));
    return `mat4 ${columnsOf(plane)} = transpose(mat4(${[0, 1, 2, 3].map(part).join(', ')}));`;
  };
  const leftOf = (plane: Plane): string => {
    const columns = columnsOf(plane);
    const lane = (first: number) => `${columns}[${first + plane.px}]`;
    const { bx } = k.out;
    const at = `mod(${plane.x}, 4.0)`;
    const lanes = bx === 4 ? lane(0) : bx === 2 ? `(${at} < 1.5 ? ${lane(0)} : ${lane(2)})` : `${columns}[int(${at})]`;
    return `vec4 l${plane.pixel} = ${lanes};`;
  };
  /** The matrix of a row of the block and a slice; b has one for all rows where it is no image of matrices. */
  const matrixOf = ({ py, ps }: Plane) => `r${b.layout.h === 1 ? 0 : py}_${ps}`;
  const right = (plane: Plane): string => {
    const [n, h] = [keep(b.layout.n, 'o_n'), keep(b.layout.h, plane.y)];
    const part = (q: number) =>
      adjY ? b.at(n, h, `${plane.s} * 4.0 + ${q}.0`, 's') : inDepth(q, b.at(n, h, `k4 + ${q}.0`, plane.s));
    const matrix = `mat4(${[0, 1, 2, 3].map(part).join(', ')})`;
    return `mat4 ${matrixOf(plane)} = ${adjY ? `transpose(${matrix})` : matrix};`;
  };
  /** One plane for each name. */
  const firstOf = (name: (plane: Plane) => string) => [...new Map(k.planes.map((p) => [name(p), p])).values()];
  const body = `${k.planes.map(({ index }) => `a${index} = vec4(0.0);`).join(' ')}
  for (float s = 0.0; s < ${steps}; s++) {
    float k4 = s * 4.0;
    ${firstOf(matrixOf).map(right).join(' ')}
    ${adjX ? firstOf(columnsOf).map(leftColumns).join(' ') : ''} ${k.pixels.map(adjX ? leftOf : left).join(' ')}
    ${k.planes.map((plane) => `a${plane.index} += ${matrixOf(plane)} * l${plane.pixel};`).join(' ')}
  }`;
  const multiplyAdds = node.outputs[0]!.shape.reduce((product, d) => product * d, 1) * depth;
  return k.finish('batch_matmul', body, multiplyAdds, tailText(k, node));
}
