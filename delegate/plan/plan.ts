import { DeviceError, UnsupportedError } from '../errors.js';
import { isFloat } from '../ir/dtype.js';
import { type Graph, type Node, nodeName, stepsOf, type Value, valuesOf } from '../ir/graph.js';
import { type Shape, sizeOf } from '../ir/shape.js';
import { POOLED_CONV_2D } from '../kernels/conv-2d.js';
import { copyKernel } from '../kernels/elementwise.js';
import { forms } from '../kernels/index.js';
import {
  atlasWidthFor,
  isLinear,
  type Layout,
  layoutOf,
  layoutProblem,
  type Rect,
  rectsOf,
  tilingOf,
} from '../layout/layout.js';
import type { Kernel } from '../shader/kernel.js';
import type { Choice, ShaderTarget, Target } from '../shader/target.js';
import type { Pieces } from '../task.js';
import { type Assignment, assignMemory, bytesOf, sharedLowerBound, type Usage } from './memory.js';
import { type Sharing, shareStorage } from './storage.js';

/** One draw and the node it belongs to. */
export interface PlannedDraw {
  readonly node: Node;
  readonly kernel: Kernel;
}

/** A texture of the plan: 2D array, RGBA32F or RGBA16F. */
export interface PlannedTexture {
  readonly width: number;
  readonly height: number;
  readonly layers: number;
  readonly half: boolean;
}

/** Which values are stored as others, and how exactly. */
export interface Naming extends Pick<Sharing, 'roots' | 'parts'> {
  /** What stays float32 where others are halves: what comes from outside and goes there, and sums that several other sums are made of. */
  readonly unrounded: ReadonlySet<Value>;
}

/** Where values are stored: what tells layouts and half floats from the target alone. */
export interface Storage extends Naming {
  readonly atlasWidth: number;
}

/** The draws of a graph, before it is known where its tensors are. */
interface Draft {
  readonly graph: Graph;
  readonly naming: Naming;
  readonly target: ShaderTarget;
  readonly draws: readonly PlannedDraw[];
  /** The dense form of each graph output, from which it is read. */
  readonly readable: readonly Value[];
}

/** A static list of draws and where each tensor lives. Nothing here touches WebGL. */
export interface Plan {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly target: ShaderTarget;
  readonly storage: Storage;
  readonly draws: readonly PlannedDraw[];
  readonly textures: readonly PlannedTexture[];
  /** Index into `textures`, by value; constants are not in it. */
  readonly textureOf: ReadonlyMap<Value, number>;
  /** Constants that are read as tensors. */
  readonly constants: readonly Value[];
  /** The dense form of each graph output, from which it is read. */
  readonly readable: readonly Value[];
  readonly activationBytes: number;
  readonly lowerBoundBytes: number;
  readonly precision: 'float32' | 'float16';
  /** Made in an earlier visit. */
  readonly restored: boolean;
  /**
   * The value in whose layout this one is stored: itself, or one that has the same elements under another shape, or one
   * that this one is a part of.
   */
  storedAs(value: Value): Value;
  layoutOf(value: Value): Layout;
  /** The texels of a value that is written: all of its layout, or those of a part. */
  rectsOf(value: Value): readonly Rect[];
}

/** Widths that are tried for the textures of a model beside those of its tiles, as multiples of the narrowest. */
const WIDENINGS = [1.25, 1.5, 2, 3, 4, 5];
/** Widths of whole tiles that are tried: the widest. */
const MOST_WIDTHS = 24;
/** Whole tiles may fall short of what the device calls narrow by this factor: 56, say, where it says 64. */
const NARROW_ENOUGH = 0.75;
/** Narrow textures are faster on software GLs: another width must need less memory than those before it by this factor. */
const LEAST_SAVING = 0.98;
/** A width that needs more than the lower bound by this factor is held against those that look next best. */
const ENOUGH = 1.05;
/** A width that needs more than the best before it by this factor is not planned to the end. */
const HOPELESS = 1.15;
/** Widths that memory is planned at in full. */
const MOST_FINALISTS = 6;
/** What a search may compare, and where that was not enough at any width. */
const EFFORTS = [2e6, 1e7];

/**
 * Plans a graph whose nodes all have GPU forms; `choiceOf` gives what is other than in the target for a node. Throws
 * DeviceError where a tensor does not fit.
 */
export function* makePlan(graph: Graph, wanted: Target, choiceOf?: (node: Node) => Choice): Pieces<Plan> {
  return yield* placeDraft(yield* makeDraft(graph, wanted, choiceOf));
}

function* makeDraft(graph: Graph, wanted: Target, choiceOf: (node: Node) => Choice = () => ({})): Pieces<Draft> {
  const { targets, maxTextureSize } = wanted;
  for (const shape of shapesOf(graph)) {
    const problem = layoutProblem(shape, targets, maxTextureSize);
    if (problem) throw new DeviceError(`layout: ${problem}`);
  }
  const { aliases, roots, parts, copies } = shareStorage(graph, targets);
  const unrounded = new Set([...graph.inputs, ...graph.outputs, ...sharedSums(graph)].map((v) => roots.get(v) ?? v));
  const naming: Naming = { roots, parts, unrounded };
  const target = targetOf(wanted, naming);
  const context = {
    target,
    scratch: (shape: Shape): Value => ({ id: -1, name: 'scratch', shape, dtype: 'float32' }),
  };
  const draws: PlannedDraw[] = [];
  for (const node of graph.nodes) {
    if (aliases.has(node)) continue;
    const copied = copies.get(node);
    if (copied) {
      for (const { from, to } of copied) draws.push({ node, kernel: copyKernel(node, context, from, to) });
      continue;
    }
    const form = forms.get(node.type);
    if (!form) throw new UnsupportedError(`${nodeName(node)}: the GPU has no ${node.type}`);
    const chosen = { ...context, target: { ...target, ...choiceOf(node) } };
    for (const kernel of form.build(node, chosen)) draws.push({ node, kernel });
    yield;
  }
  const readable = graph.outputs.map((value): Value => {
    if (isLinear(tilingOf(value.shape, targets))) return value;
    const flat: Value = { id: -1, name: value.name, shape: denseShape(value), dtype: value.dtype };
    unrounded.add(flat);
    const node: Node = {
      id: graph.nodes.at(-1)?.id ?? 0,
      type: 'RESHAPE',
      attrs: {},
      inputs: [value],
      outputs: [flat],
    };
    for (const kernel of forms.get('RESHAPE')!.build(node, context)) draws.push({ node, kernel });
    return flat;
  });
  return { graph, naming, target, draws, readable };
}

/** Decides where the tensors of a draft are. */
function* placeDraft({ graph, naming, target, draws, readable }: Draft): Pieces<Plan> {
  const { inputs, outputs } = graph;
  const rootOf = (value: Value) => naming.roots.get(value) ?? value;
  const kept = new Set<Value>([...inputs, ...outputs, ...readable].map(rootOf));
  const lives = new Map<Value, Life>();
  const constants = new Set<Value>([...kept].filter((value) => value.data));
  const touch = (value: Value, step: number) => {
    if (value.data) constants.add(value);
    else prolong(lives, rootOf(value), step);
  };
  draws.forEach(({ kernel }, step) => {
    for (const v of kernel.inputs) touch(v, step);
    touch(kernel.output, step);
  });
  const shared = [...lives].filter(([v]) => !kept.has(v));
  const own = [...kept].filter((v) => !v.data);
  const shapes = [...[...lives.keys(), ...own, ...constants].map((v) => v.shape), ...shapesOf(graph)];
  const { atlasWidth, assignment, bytes, bound } = yield* assignBestWidth(shared, own, shapes, target);
  const storage: Storage = { ...naming, atlasWidth };
  const places = placesOf(storage, target);
  const textures: PlannedTexture[] = [...assignment.slots];
  const byRoot = new Map<Value, number>(shared.map(([v], i) => [v, assignment.slotOf[i]!]));
  for (const value of own) {
    const { width, height, layers } = places.layoutOf(value);
    byRoot.set(value, textures.push({ width, height, layers, half: target.isHalf(value) }) - 1);
  }
  const textureOf = new Map<Value, number>();
  for (const v of [...valuesOf(graph), ...draws.map((d) => d.kernel.output), ...readable]) {
    const slot = v.data ? undefined : byRoot.get(rootOf(v));
    if (slot !== undefined) textureOf.set(v, slot);
  }
  return {
    inputs,
    outputs,
    storage,
    ...places,
    draws,
    readable,
    precision: target.precision,
    restored: false,
    textures,
    textureOf,
    constants: [...constants],
    activationBytes: bytes,
    lowerBoundBytes: bound,
  };
}

/** Shapes of all that is computed, and of the dense forms of what comes from outside and goes there. */
function shapesOf(graph: Graph): Shape[] {
  const computed = [...valuesOf(graph)].filter((v) => !v.data).map((v) => v.shape);
  return [...computed, ...[...graph.outputs, ...graph.inputs].map(denseShape)];
}

const denseShape = ({ shape }: Value): Shape => [sizeOf(shape)];

/** Ops whose results are sums, without bounds: not what an activation or a normalisation makes of them. */
const SUMMING = new Set([
  'CONV_2D',
  'DEPTHWISE_CONV_2D',
  'TRANSPOSE_CONV',
  'Convolution2DTransposeBias',
  'FULLY_CONNECTED',
  'BATCH_MATMUL',
  'ADD',
  'SUB',
]);

/**
 * Sums that several other sums are made of: the residual stream of MobileNet v2, of a transformer and the like. Each block
 * adds to it and looks at all of it, so that what rounding takes away is missing in every block behind.
 */
function sharedSums({ nodes }: Graph): Value[] {
  const uses = new Map<Value, number>();
  for (const { type, inputs, tail } of nodes) {
    const isSumming = SUMMING.has(type) || type === POOLED_CONV_2D;
    const terms = stepsOf(tail).map((step) => (SUMMING.has(step.type) ? step.operand : undefined));
    for (const v of new Set([...(isSumming ? inputs : []), ...terms])) if (v) uses.set(v, (uses.get(v) ?? 0) + 1);
  }
  const isSum = ({ type, tail }: Node) => type !== POOLED_CONV_2D && SUMMING.has(tail?.at(-1)?.type ?? type);
  return nodes.filter(isSum).flatMap(({ outputs }) => outputs.filter((v) => (uses.get(v) ?? 0) > 1));
}

/** What follows from where values are stored. */
export function placesOf(storage: Storage, wanted: Target): Pick<Plan, 'target' | 'storedAs' | 'layoutOf' | 'rectsOf'> {
  const { atlasWidth, roots, parts } = storage;
  const storedAs = (value: Value) => roots.get(value) ?? value;
  const layout = (value: Value) => layoutOf(storedAs(value).shape, { atlasWidth, targets: wanted.targets });
  return {
    target: targetOf(wanted, storage),
    storedAs,
    layoutOf: layout,
    rectsOf(value) {
      const [first, within] = [parts.get(value), layout(value)];
      if (first === undefined) return [{ x: 0, y: 0, width: within.width, height: within.height }];
      return rectsOf(within, first, tilingOf(value.shape, wanted.targets).groups);
    },
  };
}

function targetOf(wanted: Target, { roots, parts, unrounded }: Naming): ShaderTarget {
  const isHalf = (v: Value) =>
    wanted.precision === 'float16' && isFloat(v.dtype) && !unrounded.has(roots.get(v) ?? v) && !v.data;
  return { ...wanted, isHalf, firstTileOf: (v) => parts.get(v) };
}

/** The steps at which a value is first and last touched. */
interface Life {
  readonly first: number;
  last: number;
}

function prolong(lives: Map<Value, Life>, value: Value, step: number): void {
  const life = lives.get(value);
  if (life) life.last = step;
  else lives.set(value, { first: step, last: step });
}

/** What planning at a width gives. */
interface AtWidth {
  readonly atlasWidth: number;
  readonly assignment: Assignment;
  /** Bytes of all textures, shared or not. */
  readonly bytes: number;
}

/**
 * Shares textures at the best common width: memory is planned at the widths of tiles and some others without a search for
 * a better order, and at the best of these again, with one, until a result is near its lower bound. The smallest wins; of
 * those that hardly differ what the device calls narrow, or else the narrowest; but none that is not near its bound where
 * another is. `own` have textures of their own.
 */
function* assignBestWidth(
  shared: readonly (readonly [Value, Life])[],
  own: readonly Value[],
  shapes: readonly Shape[],
  { targets, maxTextureSize, narrowest, isHalf }: ShaderTarget,
): Pieces<AtWidth & { readonly bound: number }> {
  const usagesAt = (atlasWidth: number): Usage[] =>
    shared.map(([v, life]) => ({ ...layoutOf(v.shape, { atlasWidth, targets }), half: isHalf(v), ...life }));
  const ownBytes = (atlasWidth: number): number =>
    own.reduce((sum, v) => sum + bytesOf({ ...layoutOf(v.shape, { atlasWidth, targets }), half: isHalf(v) }), 0);
  const boundAt = (atlasWidth: number) => sharedLowerBound(usagesAt(atlasWidth)) + ownBytes(atlasWidth);
  const tiles = new Set(shared.map(([{ shape }]) => tilingOf(shape, targets).tileW));
  const whole = [...tiles]
    .filter((width) => width >= narrowest / 8)
    .flatMap((width) => {
      const fewest = Math.ceil((NARROW_ENOUGH * narrowest) / width);
      return [fewest * width, (fewest + 1) * width];
    });
  const widest = [...new Set(whole)].sort((a, b) => b - a).slice(0, MOST_WIDTHS);
  const wished = [narrowest, ...WIDENINGS.map((by) => Math.ceil(narrowest * by)), ...widest];
  const [usual, ...wider] = wished.map((w) => atlasWidthFor(shapes, targets, maxTextureSize, w));
  const widths = [...new Set([usual!, ...wider.sort((a, b) => a - b)])];
  const found = new Map<number, AtWidth>();
  const tryAt = function* (
    atlasWidth: number,
    effort: number,
    most = Number.POSITIVE_INFINITY,
  ): Pieces<AtWidth | undefined> {
    const rest = ownBytes(atlasWidth);
    const assignment = yield* assignMemory(usagesAt(atlasWidth), effort, most - rest);
    if (!assignment) return undefined;
    const made = { atlasWidth, assignment, bytes: assignment.bytes + rest };
    found.set(atlasWidth, made);
    return made;
  };
  let least = Number.POSITIVE_INFINITY;
  for (const width of widths) {
    const made = yield* tryAt(width, 0, least * HOPELESS);
    least = Math.min(least, made?.bytes ?? least);
  }
  const first = smallest(found);
  const others = [...found.values()].filter((made) => made !== first).sort((a, b) => a.bytes - b.bytes);
  const finalists = [first, ...others].slice(0, MOST_FINALISTS);
  let near: AtWidth | undefined;
  for (const [effort, { atlasWidth }] of EFFORTS.flatMap((effort) =>
    finalists.map((made) => [effort, made] as const),
  )) {
    const made = (yield* tryAt(atlasWidth, effort))!;
    if (made.bytes > ENOUGH * boundAt(atlasWidth)) continue;
    near = made;
    break;
  }
  const last = smallest(found);
  const bound = boundAt(last.atlasWidth);
  if (!near || last.bytes <= ENOUGH * bound) return { ...last, bound };
  return { ...near, bound: boundAt(near.atlasWidth) };
}

/** The width that needs the fewest bytes, or one before it that needs hardly more. */
function smallest(found: ReadonlyMap<number, AtWidth>): AtWidth {
  const [first, ...others] = found.values();
  return others.reduce((best, made) => (made.bytes < best.bytes * LEAST_SAVING ? made : best), first!);
}
