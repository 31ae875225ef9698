import type { Node, Value } from '../ir/graph.js';
import { toNHWC } from '../layout/layout.js';
import { type InputAccess, keep, type Plane } from '../shader/builder.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { tailText } from './tail.js';

/** Attributes of BATCH_MATMUL that the GPU looks at; `heads` is what `read-heads` leaves. */
export interface MatmulAttrs {
  readonly adjX?: boolean;
  readonly adjY?: boolean;
  /**
   * Of x, y and the output those that hold their matrices side by side, as attention does: [b, rows, heads · columns], a
   * multiple of 4 columns each. The number is that of the heads; 0: the matrices are stored one after the other.
   */
  readonly heads?: readonly [x: number, y: number, output: number];
}

/** Σ over k of x[m, k] · y[k, n] for each batch; the blocks of a fragment share what they read of y. */
const batchMatmul: GpuForm = {
  type: 'BATCH_MATMUL',
  declines: (node) => {
    const out = node.outputs[0]!;
    const odd = node.inputs.find((v) => v && !batchesByCoordinate(v, out));
    return odd ? `the batch of [${odd.shape}] does not broadcast to [${out.shape}] by height and width` : undefined;
  },
  build: (node, context) => [matmul(node, context, node.inputs[0]!, node.inputs[1]!)],
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

/** Where the matrices of an operand are: GLSL of n and y, and of a slice of the matrix among all slices. */
interface Matrices {
  readonly access: InputAccess;
  readonly columns: number;
  at(plane: Plane): { readonly n: string; readonly y: string; slice(s: string): string };
  /** Whether rows of the output's block have matrices of their own. */
  readonly byRow: boolean;
}

function matmul(node: Node, context: BuildContext, x: Value, y: Value) {
  const { adjX, adjY, heads: [ofX, ofY, ofOutput] = [0, 0, 0] } = attrsOf<MatmulAttrs>(node);
  const k = builderFor(node, context);
  // With heads in the output the head is of its slice; else it is its row, or its image where there is no batch beside.
  const headOf = ({ y: row }: Plane) => (ofOutput ? 'head' : k.out.h === 1 ? 'o_n' : row);
  const matrices = (value: Value, heads: number): Matrices => {
    const access = k.input(value);
    const { n, h, c } = access.layout;
    const columns = heads ? c / heads : c;
    const each = heads && k.size(columns / 4);
    const areImages = ofOutput > 0 && k.out.n === 1 && n === ofOutput;
    return {
      access,
      columns,
      byRow: !ofOutput && k.out.h > 1 && (heads > 0 || h > 1),
      at: (plane) => ({
        n: areImages ? 'head' : keep(n, 'o_n'),
        y: keep(h, headOf(plane)),
        slice: (s) => (each ? `(${headOf(plane)} * ${each} + ${s})` : s),
      }),
    };
  };
  const [a, b] = [matrices(x, ofX), matrices(y, ofY)];
  const each = ofOutput ? k.size(k.out.c / ofOutput / 4) : '';
  const head = each && `float head = floor((o_s + 0.5) * ${k.size((4 * ofOutput) / k.out.c)});`;
  /** The slice of a plane in its matrix. */
  const sliceOf = ({ s }: Plane) => (each ? `(${s} - head * ${each})` : s);
  const depth = adjX ? a.access.layout.w : a.columns;
  const steps = k.count(Math.ceil(depth / 4));
  const depthParam = depth % 4 ? k.size(depth) : '';
  // A select, not a condition: SwiftShader takes minutes to compile tens of branches around fetches.
  const inDepth = (q: number, v: string) =>
    depthParam ? `mix(vec4(0.0), ${v}, bvec4(k4 + ${q}.0 < ${depthParam}))` : v;
  /** The pixels of a row of the block. */
  const left = (first: Plane): string => {
    const m = a.at(first);
    const { text, at } = a.access.run(m.n, m.y, 'o_x', k.out.bx, m.slice('s'));
    const row = k.pixels.filter(({ py }) => py === first.py);
    return `${text} ${row.map(({ pixel, px }) => `vec4 l${pixel} = ${at(px)};`).join(' ')}`;
  };
  /** Transposed, the pixels of a block's row are lanes of the same texels: one matrix holds them all. */
  const columnsOf = ({ py }: Plane) => `c${a.byRow ? py : 0}`;
  const leftColumns = (plane: Plane): string => {
    const { n, y: row } = a.at(plane);
    const { text, at } = a.access.run(n, row, 's', 4, `floor(${plane.x} * 0.25)`);
    return `${text} mat4 ${columnsOf(plane)} = transpose(mat4(${[0, 1, 2, 3].map((q) => inDepth(q, at(q))).join(', ')}));`;
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
  const matrixOf = ({ py, ps }: Plane) => `r${b.byRow ? py : 0}_${ps}`;
  const right = (plane: Plane): string => {
    const m = b.at(plane);
    const { text, at } = adjY
      ? b.access.run(m.n, m.y, sliceOf(plane), 4, m.slice('s'))
      : b.access.run(m.n, m.y, 's', 4, m.slice(sliceOf(plane)));
    const texels = [0, 1, 2, 3].map((q) => (adjY ? at(q) : inDepth(q, at(q))));
    const matrix = `mat4(${texels.join(', ')})`;
    return `${text} mat4 ${matrixOf(plane)} = ${adjY ? `transpose(${matrix})` : matrix};`;
  };
  const rowOf = ({ py }: Plane) => `${py}`;
  /** One plane for each name. */
  const firstOf = (name: (plane: Plane) => string) => [...new Map(k.planes.map((p) => [name(p), p])).values()];
  const body = `${head} ${k.planes.map(({ index }) => `a${index} = vec4(0.0);`).join(' ')}
  for (float s = 0.0; s < ${steps}; s++) {
    float k4 = s * 4.0;
    ${firstOf(matrixOf).map(right).join(' ')}
    ${(adjX ? [...firstOf(columnsOf).map(leftColumns), ...k.pixels.map(leftOf)] : firstOf(rowOf).map(left)).join(' ')}
    ${k.planes.map((plane) => `a${plane.index} += ${matrixOf(plane)} * l${plane.pixel};`).join(' ')}
  }`;
  const multiplyAdds = node.outputs[0]!.shape.reduce((product, d) => product * d, 1) * depth;
  return k.finish('batch_matmul', body, multiplyAdds, tailText(k, node));
}
