import { type NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { quoted, type Value } from '../../delegate/index.js';
import type { Names } from './model-names.js';
import { isPixels, type Pixels, pixelsToTensor } from './pixels.js';

/** What an input takes: a tensor, or a picture where the input is one. */
export type ModelInput = Tensor | Pixels;

/** The inputs of a call: the only one, all in order, or by name. */
export type ModelInputs = ModelInput | readonly ModelInput[] | Readonly<Record<string, ModelInput>> | NamedTensorMap;

/** Inputs by position. `made` are the tensors among them that the call must dispose. */
export interface BoundInputs {
  readonly tensors: readonly Tensor[];
  readonly made: readonly Tensor[];
}

/** Finds the value of every input; pictures become tensors. `order`: positions in the order of a list. */
export function bindInputs(
  given: ModelInputs,
  values: readonly Value[],
  order: readonly number[],
  names: Names,
): BoundInputs {
  const found = new Map<number, ModelInput>();
  for (const [position, input] of listInputs(given, order, names)) {
    if (found.has(position)) throw new TypeError(`input ${shown(names, position)} is given twice`);
    found.set(position, input);
  }
  const made: Tensor[] = [];
  try {
    const tensors = values.map((value, position) => {
      const input = found.get(position);
      if (input instanceof Tensor) return input;
      if (!isPixels(input))
        throw new TypeError(`input ${shown(names, position)}: ${kindOf(input)}; accepted: a tensor or a picture`);
      const tensor = pixelsToTensor(input, value);
      made.push(tensor);
      return tensor;
    });
    return { tensors, made };
  } catch (error) {
    for (const tensor of made) tensor.dispose();
    throw error;
  }
}

function listInputs(given: ModelInputs, order: readonly number[], names: Names): [number, ModelInput][] {
  const list = given instanceof Tensor || isPixels(given) ? [given] : given;
  if (!Array.isArray(list)) {
    if (list === null || typeof list !== 'object')
      throw new TypeError(`inputs: ${kindOf(list)}; accepted: a tensor, a list or an object of tensors by name`);
    return Object.entries(list).map(([name, input]) => [names.positionOf(name), input]);
  }
  if (list.length !== order.length) {
    const wanted = order.map((position) => shown(names, position)).join(', ');
    throw new TypeError(`${list.length} inputs are given; the model takes ${order.length}: ${wanted}`);
  }
  return order.map((position, i) => [position, list[i]!]);
}

function shown({ names }: Names, position: number): string {
  return quoted(names[position]);
}

function kindOf(x: unknown): string {
  return x === undefined ? 'missing' : Object.prototype.toString.call(x).slice(8, -1);
}
