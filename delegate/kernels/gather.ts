import type { Node, Value } from '../ir/graph.js';
import { normalizeAxis, sizeOf } from '../ir/shape.js';
import { attrsOf, type BuildContext, builderFor, type GpuForm } from './form.js';
import { pixelIndex, pixelText, quotientText } from './pixels.js';
import { tailText } from './tail.js';

interface GatherAttrs {
  readonly axis: number;
  readonly batchDims: number;
}

/** out[b, o, i, n] = x[b, o, index[b, i], n]; indices beyond the axis read its ends. */
export const gatherForms: readonly GpuForm[] = [
  {
    type: 'GATHER',
    dtypes: ['int32'],
    declines: onlyFloats,
    build(node, context) {
      const [x, index] = node.inputs as [Value, Value];
      const a = attrsOf<GatherAttrs>(node);
      const batch = a.batchDims < 0 ? a.batchDims + index.shape.length : a.batchDims;
      return [gather(node, context, x, index, normalizeAxis(a.axis, x.shape.length), batch)];
    },
  },
  {
    type: 'EMBEDDING_LOOKUP',
    dtypes: ['int32'],
    declines: onlyFloats,
    build(node, context) {
      const [ids, table] = node.inputs as [Value, Value];
      return [gather(node, context, table, ids, 0, 0)];
    },
  },
];

/** int32 is for indices: as values it would not survive a float texture beyond 2^24. */
function onlyFloats({ type, inputs, outputs }: Node): string | undefined {
  const values = type === 'GATHER' ? inputs[0]! : inputs[1]!;
  return values.dtype === 'float32' && outputs[0]!.dtype === 'float32'
    ? undefined
    : `it picks ${values.dtype} values; the GPU takes float32`;
}

function gather(node: Node, context: BuildContext, x: Value, index: Value, axis: number, batch: number) {
  const k = builderFor(node, context);
  k.helper('lane');
  const [table, ids] = [k.input(x), k.input(index)];
  const [O, A, N] = [sizeOf(x.shape.slice(batch, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))];
  const I = sizeOf(index.shape.slice(batch));
  const whole = k.out.c === table.layout.c && N % k.out.c === 0 && axis < x.shape.length - 1;
  const unit = whole ? k.out.c : 1;
  const split = (...given: [at: string, by: number, quotient: string, rest: string]) => quotientText(k, ...given);
  k.declare(`float index_of(float at) {
  ${split('at', ids.layout.c, 'pix', 'c')} ${split('pix', ids.layout.w, 'q', 'ix')} ${split('q', ids.layout.h, 'b', 'iy')}
  float s = floor(c * 0.25);
  return clamp(lane(${ids.at('b', 'iy', 'ix', 's')}, c - s * 4.0), 0.0, ${k.size(A - 1)});
}
float source_of(float at) {
  ${split('at', N / unit, 'q', 'r')} ${split('q', I, 'q2', 'j')} ${split('q2', O, 'b', 'o')}
  return (q2 * ${k.size(A)} + index_of(b * ${k.size(I)} + j)) * ${k.size(N / unit)} + r;
}`);
  const locate = pixelText(k, table.layout);
  if (whole) {
    const text = `  float pix = source_of(${pixelIndex(k)}); ${locate}\n  return ${table.at('in_n', 'iy', 'ix', 's')};`;
    return k.finishTexel('gather', text, tailText(k, node), true);
  }
  k.declare(`float element(float at) {
  float from = source_of(at);
  ${split('from', table.layout.c, 'pix', 'ic')}
  float is = floor(ic * 0.25);
  ${locate}
  return lane(${table.at('in_n', 'iy', 'ix', 'is')}, ic - is * 4.0);
}`);
  const text = `  float at = ${pixelIndex(k)} * ${k.size(k.out.c)} + s * 4.0;\n  return vec4(element(at), element(at + 1.0), element(at + 2.0), element(at + 3.0));`;
  return k.finishTexel('gather', text, tailText(k, node), true);
}
