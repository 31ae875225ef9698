import { ModelError } from '../errors.js';
import { constantInts, defineOp, type InferInput, type OpSpec, required, typed } from '../ir/op.js';
import { type Shape, sizeOf, stridesOf, windowOutput } from '../ir/shape.js';
import type { Activation, Padding } from '../ir/vocabulary.js';
import { activate } from './fused-activation.js';
import { addBias } from './gemm.js';
import { arithmeticType, expectBias, expectRank, needsFloat } from './operand.js';

/** Attributes of CONV_3D and CONV_3D_TRANSPOSE. */
interface Conv3dAttrs {
  readonly padding: Padding;
  readonly strideD: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationDFactor: number;
  readonly dilationHFactor: number;
  readonly dilationWFactor: number;
  readonly fusedActivationFunction: Activation;
}

/** How a filter moves along one of depth, height and width. */
interface Axis {
  readonly input: number;
  readonly output: number;
  readonly filter: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

/** Inputs: x [N, D, H, W, Cin], filter [D, H, W, Cin, Cout], bias [Cout] or absent. */
const conv3d: OpSpec<Conv3dAttrs> = {
  type: 'CONV_3D',
  infer([x, filter, bias], attrs, outputs) {
    const [input, weights] = volumes(x, filter);
    const axes = axesOf(input.shape, weights.shape, attrs);
    if (input.shape[4] !== weights.shape[3]) throw channelsError(input.shape, weights.shape, 'fourth');
    expectBias(bias, weights.shape[4]!);
    const sizes = axes.map(({ output }) => output);
    return [typed([input.shape[0]!, ...sizes, weights.shape[4]!], arithmeticType(input, outputs))];
  },
  cpu(inputs, attrs, [output]) {
    const x = required(inputs, 0);
    const filter = required(inputs, 1);
    const [, , , channels, filters] = filter.shape as [number, number, number, number, number];
    const [data, weights] = [needsFloat(this.type, x), needsFloat(this.type, filter)];
    const out = new Float32Array(sizeOf(output!.shape));
    eachTap(x.shape, output!.shape, axesOf(x.shape, filter.shape, attrs), (from, to, tap) => {
      for (let c = 0; c < channels; c++) {
        const value = data[from + c]!;
        const at = (tap * channels + c) * filters;
        for (let f = 0; f < filters; f++) out[to + f]! += value * weights[at + f]!;
      }
    });
    addBias(out, inputs[2] && needsFloat(this.type, inputs[2]));
    return [activate(out, attrs.fusedActivationFunction)];
  },
};

/** Inputs: output shape, filter [D, H, W, Cout, Cin], x [N, D, H, W, Cin], bias [Cout] or absent. */
const conv3dTranspose: OpSpec<Conv3dAttrs> = {
  type: 'CONV_3D_TRANSPOSE',
  infer([shape, filter, x, bias], attrs, outputs) {
    const [input, weights] = volumes(x, filter);
    if (input.shape[4] !== weights.shape[4]) throw channelsError(input.shape, weights.shape, 'last');
    expectBias(bias, weights.shape[3]!);
    const sizes = constantInts(shape);
    if (!sizes) return [undefined];
    const [batch, filters] = [input.shape[0], weights.shape[3]];
    // What it makes is what CONV_3D with this filter would make the input of.
    const fits =
      sizes.length === 5 &&
      sizes[0] === batch &&
      sizes[4] === filters &&
      axesOf(sizes, weights.shape, attrs).every(({ output }, i) => output === input.shape[i + 1]);
    if (!fits)
      throw new ModelError(
        'shape',
        `output shape is [${sizes}], input is [${input.shape}]; accepted: [${batch}, depth, height, width, ${filters}] ` +
          'of which a convolution with the same window makes the input',
      );
    return [typed(sizes, arithmeticType(input, outputs))];
  },
  cpu(inputs, attrs, [output]) {
    const filter = required(inputs, 1);
    const x = required(inputs, 2);
    const [, , , filters, channels] = filter.shape as [number, number, number, number, number];
    const [data, weights] = [needsFloat(this.type, x), needsFloat(this.type, filter)];
    const out = new Float32Array(sizeOf(output!.shape));
    eachTap(output!.shape, x.shape, axesOf(output!.shape, filter.shape, attrs), (to, from, tap) => {
      for (let f = 0; f < filters; f++) {
        const at = (tap * filters + f) * channels;
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += data[from + c]! * weights[at + c]!;
        out[to + f]! += sum;
      }
    });
    addBias(out, inputs[3] && needsFloat(this.type, inputs[3]));
    return [activate(out, attrs.fusedActivationFunction)];
  },
};

function volumes(x: InferInput | undefined, filter: InferInput | undefined): readonly [InferInput, InferInput] {
  const [input, weights] = [required([x], 0), required([filter], 0)];
  expectRank('input', input, 5);
  expectRank('filter', weights, 5);
  return [input, weights];
}

function channelsError(x: Shape, filter: Shape, place: string): ModelError {
  return new ModelError(
    'shape',
    `input has ${x[4]} channels, filter is [${filter}]; accepted: a filter whose ${place} size is the same`,
  );
}

/** Depth, height and width of a convolution from a tensor of shape `input`. */
function axesOf(input: Shape, filter: Shape, attrs: Conv3dAttrs): readonly Axis[] {
  const strides = [attrs.strideD, attrs.strideH, attrs.strideW];
  const dilations = [attrs.dilationDFactor, attrs.dilationHFactor, attrs.dilationWFactor];
  return strides.map((stride, i) => {
    const [size, reach, dilation] = [input[i + 1]!, filter[i]!, dilations[i]!];
    if (!(stride >= 1 && dilation >= 1 && reach >= 1))
      throw new ModelError('attribute', `filter ${reach}, stride ${stride}, dilation ${dilation}; accepted: 1 or more`);
    const { size: output, before } = windowOutput(size, reach, stride, dilation, attrs.padding);
    return { input: size, output, filter: reach, stride, dilation, before };
  });
}

/**
 * Calls `visit` with the offsets of an input pixel and an output pixel for each tap of the filter that lies on both. The
 * shapes are those of the convolution's input and output.
 */
function eachTap(
  input: Shape,
  output: Shape,
  axes: readonly Axis[],
  visit: (from: number, to: number, tap: number) => void,
): void {
  const [inputSteps, outputSteps, filterSteps] = [
    stridesOf(input),
    stridesOf(output),
    stridesOf(axes.map(({ filter }) => filter)),
  ];
  const along = (axis: number, from: number, to: number, tap: number): void => {
    const window = axes[axis];
    if (!window) {
      visit(from, to, tap);
      return;
    }
    for (let at = 0; at < window.output; at++)
      for (let k = 0; k < window.filter; k++) {
        const place = at * window.stride - window.before + k * window.dilation;
        if (place < 0 || place >= window.input) continue;
        const [x, y] = [from + place * inputSteps[axis + 1]!, to + at * outputSteps[axis + 1]!];
        along(axis + 1, x, y, tap + k * filterSteps[axis]!);
      }
  };
  for (let n = 0; n < input[0]!; n++) along(0, n * inputSteps[0]!, n * outputSteps[0]!, 0);
}

/** Convolutions over depth, height and width. */
export const conv3dOps: readonly OpSpec[] = [defineOp(conv3d), defineOp(conv3dTranspose)];
