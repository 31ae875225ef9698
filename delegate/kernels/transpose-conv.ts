import type { Node, Value } from '../ir/graph.js';
import { sizeOf } from '../ir/shape.js';
import { tilingOf } from '../layout/layout.js';
import { ARENA_WIDTH, filterBlock, lanesOf, vectorBlock } from '../layout/weights.js';
import {
  decodeTransposeConvBias,
  type TransposeConvAttrs,
  type TransposeConvBiasAttrs,
  transposeConvBefore,
} from '../ops/transpose-conv.js';
import type { Plane } from '../shader/builder.js';
import { float, range } from '../shader/glsl.js';
import { startText } from './bias.js';
import { constantFilter } from './conv-2d.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { matrix } from './matrix.js';
import { tailText } from './tail.js';

/** TRANSPOSE_CONV, and MediaPipe's form of it with the bias as an input and its attributes as bytes. */
export const transposeConvForms: readonly GpuForm[] = [
  {
    type: 'TRANSPOSE_CONV',
    declines: ({ inputs: [shape, filter, , bias] }) =>
      shape?.data ? constantFilter(filter, bias) : 'the output shape is not constant',
    build: (node, context) => [
      transposeConv(node, context, node.inputs[2]!, node.inputs[1]!, node.inputs[3], attrsOf<TransposeConvAttrs>(node)),
    ],
  },
  {
    type: 'Convolution2DTransposeBias',
    declines: ({ inputs: [, filter, bias] }) => constantFilter(filter, bias),
    build: (node, context) => [
      transposeConv(
        node,
        context,
        node.inputs[0]!,
        node.inputs[1]!,
        node.inputs[2],
        decodeTransposeConvBias(attrsOf<TransposeConvBiasAttrs>(node)),
      ),
    ],
  },
];

/** Taps × slices beyond which the text of unrolled classes would be too long. */
const MOST_TAPS = 64;

/** out[y] = bias + Σ taps f with (y + before − f) divisible by the stride of mat4(weights[f]) · in[(y + before − f) / stride]. */
function transposeConv(
  node: Node,
  context: BuildContext,
  x: Value,
  filter: Value,
  bias: Value | undefined,
  attrs: TransposeConvAttrs,
) {
  const [outC, kh, kw, inC] = filter.shape as [number, number, number, number];
  const { bs } = tilingOf(node.outputs[0]!.shape, context.target.targets);
  const lanes = lanesOf(inC);
  const split = kh * kw * lanes * bs > ARENA_WIDTH;
  const shape = { outC, taps: kh * kw, inC, outSlices: bs, inSlices: 1, split };
  const constant = filter.data as ArrayLike<number>;
  const weights = filterBlock({ make: () => constant, constant }, shape);
  const biases = bias && vectorBlock(bias.data as ArrayLike<number>);
  const k = builderFor(node, context, biases ? [weights, biases] : [weights]);
  const input = k.input(x);
  const w = k.block(weights);
  const b = biases && k.block(biases);
  const before = [
    transposeConvBefore(input.layout.h, kh, attrs.strideH, k.out.h, attrs.padding),
    transposeConvBefore(input.layout.w, kw, attrs.strideW, k.out.w, attrs.padding),
  ] as const;
  const [h, wide] = [k.size(input.layout.h), k.size(input.layout.w)];
  const slices = k.count(input.layout.slices);
  const vertical = classesOf('o_y', k.out.by, attrs.strideH, before[0], kh);
  const horizontal = classesOf('o_x', k.out.bx, attrs.strideW, before[1], kw);
  const start = `${startText(k, b)}
  ${w.begin(`(o_s * ${float(1 / bs)} * ${slices}${split ? ` * ${float(kh * kw)}` : ''})`)}`;

  const unrolled = (rows: Classes, cols: Classes): string => {
    const reads = new Map<string, string>();
    const masks = new Map<string, string>();
    const id = (d: number) => (d < 0 ? `m${-d}` : `${d}`);
    const read = (dy: number, dx: number): string => {
      const name = `i_${id(dy)}_${id(dx)}`;
      masks.set(`my_${id(dy)}`, `${rows.origin} + ${float(dy)} >= 0.0 && ${rows.origin} + ${float(dy)} < ${h}`);
      masks.set(`mx_${id(dx)}`, `${cols.origin} + ${float(dx)} >= 0.0 && ${cols.origin} + ${float(dx)} < ${wide}`);
      reads.set(
        name,
        `vec4 ${name} = mix(vec4(0.0), ${input.at('o_n', `max(${rows.origin} + ${float(dy)}, 0.0)`, `max(${cols.origin} + ${float(dx)}, 0.0)`, 'float(s)')}, bvec4(my_${id(dy)} && mx_${id(dx)}));`,
      );
      return name;
    };
    const taps = range(kh * kw).flatMap((t) =>
      range(bs).map((slice) => {
        const m = matrix(
          'm',
          range(lanes).map((i) => w.at((t * bs + slice) * lanes + i)),
        );
        const adds = k.planesOf(slice).flatMap(({ index, px, py }) => {
          const dy = rows.offset(py, Math.floor(t / kw));
          const dx = cols.offset(px, t % kw);
          return dy === undefined || dx === undefined ? [] : [`a${index} += ${m.times(read(dy, dx))};`];
        });
        return adds.length ? `{ ${m.text} ${adds.join(' ')} }` : '';
      }),
    );
    return `${[...masks].map(([name, test]) => `bool ${name} = ${test};`).join(' ')}
  int n = ${k.spare()} ? 0 : int(${slices});
  for (int s = 0; s < n; s++) {
    ${[...reads.values()].join('\n    ')}
    ${taps.filter(Boolean).join('\n    ')}
    ${w.next()}
  }`;
  };
  const rolled = (): string => {
    const texel = (i: number) => (split ? w.at(i) : w.atDynamic(`(t + ${float(i)})`));
    const matrices = range(bs).map((ps) =>
      matrix(
        `m${ps}`,
        range(lanes).map((i) => texel(ps * lanes + i)),
      ),
    );
    const [above, left] = [k.size(before[0]), k.size(before[1])];
    const [perRow, perColumn] = [k.size(1 / attrs.strideH), k.size(1 / attrs.strideW)];
    const add = (
      p: Plane,
    ) => `{ float y = (${p.y} + ${above} - fy) * ${perRow}, x = (${p.x} + ${left} - fx) * ${perColumn};
        float iy = floor(y + 0.001), ix = floor(x + 0.001);
        bool falls = abs(y - iy) < 0.01 && abs(x - ix) < 0.01, within = iy >= 0.0 && iy < ${h} && ix >= 0.0 && ix < ${wide};
        vec4 v = mix(vec4(0.0), ${input.at('o_n', 'iy', 'ix', 's')}, bvec4(falls && within));
        ${matrices.map((m, ps) => `a${p.index + ps * k.pixels.length} += ${m.times('v')};`).join(' ')} }`;
    return `for (float s = 0.0; s < ${slices}; s++) {
    float t = 0.0;
    for (float fy = 0.0; fy < ${float(kh)}; fy++) for (float fx = 0.0; fx < ${float(kw)}; fx++, t += ${float(lanes * bs)}) {
      ${matrices.map(({ text }) => text).join(' ')}
      ${k.pixels.map(add).join('\n      ')}
      ${split ? w.next() : ''}
    }
    ${split ? '' : w.next()}
  }`;
  };
  const isUnrolled = vertical && horizontal && kh * kw <= MOST_TAPS;
  const body = `${start}\n  ${isUnrolled ? unrolled(vertical, horizontal) : rolled()}`;
  const multiplyAdds = sizeOf(x.shape) * kh * kw * outC;
  return k.finish(`transpose_conv_${kh}x${kw}`, body, multiplyAdds, tailText(k, node));
}

/** The taps of each pixel of a block along one axis: where the block is a multiple of the stride they are known in the text. */
interface Classes {
  readonly origin: string;
  /** Input pixel, relative to the origin, that `tap` takes for the block's pixel d; `undefined` where it takes none. */
  offset(d: number, tap: number): number | undefined;
}

function classesOf(o: string, block: number, stride: number, before: number, filter: number): Classes | undefined {
  if (block % stride !== 0 || filter < 1) return undefined;
  return {
    origin: `${o} * ${float(block / stride)}`,
    offset: (d, tap) => {
      const at = (d + before - tap) / stride;
      return Number.isInteger(at) ? at : undefined;
    },
  };
}
