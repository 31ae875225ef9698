import { listOf, type Operator, type SubGraph, type Tensor } from '../format/model.js';
import { type Affine, affineOf, biasAffine, filterAffine, integersOf } from './affine.js';
import type { CalibratedGraph } from './calibrated-graph.js';
import { activationLike, conversion } from './float-constants.js';
import type { IntegerOp } from './integer-ops.js';
import { parametersOf, type Rows } from './integer-parameters.js';
import type { ModelEditor } from './model-editor.js';
import type { FaceType, IntegerScheme } from './scheme.js';

/** The subgraph with integers in the operators that have a row, and conversions where others begin and end. */
export function writeIntegers(
  graph: CalibratedGraph,
  rows: Rows,
  scheme: IntegerScheme,
  editor: ModelEditor,
): SubGraph {
  return new IntegerWriter(graph, rows, scheme, editor).write();
}

/** Integers, or undefined: as in the float model. */
type Form = Affine | undefined;

/** Writes operators in order. What others read in another form as integers is converted at once, to floats where first needed. */
class IntegerWriter {
  readonly #graph: CalibratedGraph;
  readonly #scheme: IntegerScheme;
  readonly #editor: ModelEditor;
  readonly #parameters: ReadonlyMap<number, Affine>;
  readonly #tensors: Tensor[] = [];
  readonly #operators: Operator[] = [];
  /** Where each form of a tensor is, by the float model's index. */
  readonly #places = new Map<number, Map<string, number>>();
  /** The form that a tensor is made in. */
  readonly #made = new Map<number, Form>();
  /** The forms in which operators with a row read their inputs. */
  readonly #forms: ReadonlyMap<Operator, readonly Form[]>;
  /** The integers that some of them read a tensor as. */
  readonly #wanted = new Map<number, Affine[]>();
  /** The form of inputs and outputs that the caller sees. */
  readonly #faces = new Map<number, Form>();

  constructor(graph: CalibratedGraph, rows: Rows, scheme: IntegerScheme, editor: ModelEditor) {
    this.#graph = graph;
    this.#scheme = scheme;
    this.#editor = editor;
    this.#parameters = parametersOf(graph, rows, scheme.type);
    this.#forms = new Map([...rows].map(([operator, row]) => [operator, this.#operandForms(operator, row)]));
    for (const [operator, forms] of this.#forms)
      for (const [i, form] of forms.entries()) if (form) this.#want(operator.inputs![i]!, form);
    for (const index of listOf(graph.subgraph.outputs)) this.#faces.set(index, this.#face(index, scheme.outputType));
    for (const index of listOf(graph.subgraph.inputs)) this.#faces.set(index, this.#face(index, scheme.inputType));
  }

  write(): SubGraph {
    const { subgraph } = this.#graph;
    const inputs = listOf(subgraph.inputs).map((index) => this.#make(index, this.#faces.get(index)));
    this.#convert(listOf(subgraph.inputs));
    for (const operator of this.#graph.operators) {
      const forms = this.#forms.get(operator);
      this.#operators.push({
        ...(forms ? withGeneralScales(operator) : operator),
        inputs: listOf(operator.inputs).map((index, i) => this.#place(index, forms?.[i])),
        outputs: listOf(operator.outputs).map((index) => this.#make(index, forms && this.#parameters.get(index))),
        ...(operator.intermediates && { intermediates: operator.intermediates.map((index) => this.#place(index)) }),
      });
      this.#convert(listOf(operator.outputs));
    }
    const outputs = listOf(subgraph.outputs).map((index) => this.#place(index, this.#faces.get(index)));
    return { ...subgraph, tensors: this.#tensors, operators: this.#operators, inputs, outputs };
  }

  #face(index: number, type: FaceType): Form {
    const parameters = this.#parameters.get(index);
    if (type === 'FLOAT32' || !parameters) return undefined;
    if (type !== 'UINT8') return parameters;
    return { ...parameters, type, zeroPoints: parameters.zeroPoints.map((zeroPoint) => zeroPoint + 128) };
  }

  /** The form in which an operator reads each of its inputs. */
  #operandForms({ inputs, outputs }: Operator, { outputs: rule, filter }: IntegerOp): Form[] {
    const operands = listOf(inputs);
    const shared = rule === 'shared' ? listOf(outputs).find((index) => this.#graph.isFloat(index)) : undefined;
    const forms = operands.map((index): Form => {
      if (!this.#graph.isFloat(index)) return undefined;
      return this.#parameters.get(shared ?? index) ?? affineOf(this.#graph.range(index)!, this.#scheme.type);
    });
    if (!filter) return forms;
    const [weights, bias] = [operands[filter.weights]!, operands[filter.bias] ?? -1];
    const x = forms[filter.x]!;
    const shape = listOf(this.#graph.tensor(weights).shape);
    const addend = bias >= 0 ? this.#graph.constant(bias) : undefined;
    const form = filterAffine(this.#graph.constant(weights)!, shape, filter.axis, x, addend);
    forms[filter.weights] = form;
    if (addend) forms[filter.bias] = biasAffine(x, form);
    return forms;
  }

  /** A tensor that an operator or the caller makes in this form. */
  #make(index: number, form: Form): number {
    this.#made.set(index, form);
    return this.#add(index, form);
  }

  #want(index: number, form: Affine): void {
    const wanted = this.#wanted.get(index) ?? [];
    this.#wanted.set(index, [...wanted, form]);
  }

  /** Makes the integers that are read of what was made. */
  #convert(made: readonly number[]): void {
    for (const index of made) for (const form of this.#wanted.get(index) ?? []) this.#place(index, form);
  }

  /** The tensor in this form, converted where it is not there yet. */
  #place(index: number, form?: Form): number {
    const known = index < 0 ? index : this.#places.get(index)?.get(keyOf(form));
    if (known !== undefined) return known;
    const data = form && this.#graph.constant(index);
    if (data) return this.#add(index, form, integersOf(data, listOf(this.#graph.tensor(index).shape), form));
    if (!this.#made.has(index)) return this.#add(index, undefined);
    const from = this.#place(index, this.#made.get(index));
    const to = this.#add(index, form);
    this.#operators.push(conversion(this.#editor, form ? 'QUANTIZE' : 'DEQUANTIZE', from, to));
    return to;
  }

  #add(index: number, form: Form, data?: ArrayBufferView): number {
    const places = this.#places.get(index) ?? new Map<string, number>();
    const isFace = this.#faces.has(index) ? keyOf(this.#faces.get(index)) === keyOf(form) : !places.size;
    const suffix = isFace ? '' : `/${(form?.type ?? 'FLOAT32').toLowerCase()}`;
    this.#places.set(index, places.set(keyOf(form), this.#tensors.length));
    return this.#tensors.push(this.#tensor(this.#graph.tensor(index), form, suffix, data)) - 1;
  }

  #tensor(tensor: Tensor, form: Form, suffix: string, data?: ArrayBufferView): Tensor {
    if (!form) return suffix ? { ...tensor, name: tensor.name + suffix } : tensor;
    const { type, scales: scale, zeroPoints: zeroPoint, quantizedDimension } = form;
    return {
      ...activationLike(tensor, type, suffix),
      buffer: data ? this.#editor.addBuffer(data) : 0,
      quantization: { scale, zeroPoint, detailsType: 'NONE', quantizedDimension },
    };
  }
}

function keyOf(form: Form): string {
  return form ? `${form.type} ${form.scales} ${form.zeroPoints}` : '';
}

/** Sums of int16 may have any scales, not only powers of two. */
function withGeneralScales(operator: Operator): Operator {
  const { builtinOptions: options } = operator;
  return options?.potScaleInt16 ? { ...operator, builtinOptions: { ...options, potScaleInt16: false } } : operator;
}
