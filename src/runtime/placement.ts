/** Decides where every node runs, and has the GPU's part compiled; what the GPU refuses falls to the CPU with its reason. */
import {
  ContextLostError,
  DeviceError,
  type Executable,
  type GpuDelegate,
  type Graph,
  type Node,
  nodeName,
  type OpSpec,
  quoted,
  TfLiteGpuExperimentalFlags,
  UnsupportedError,
  type Value,
} from '../../delegate/index.js';
import { type Partition, partition, type Segment } from './partition.js';
import { isStatic } from './shapes.js';
import type { Steps } from './steps.js';

/** A segment ready to run. */
export interface PlacedSegment extends Segment {
  /** Present for GPU segments; its inputs and outputs are those of the graph, by position. */
  readonly executable?: Executable;
}

/** A graph whose every node has its place. */
export interface Placement {
  readonly segments: readonly PlacedSegment[];
  /** For every node on the CPU, why. */
  readonly reasons: ReadonlyMap<Node, string>;
}

/** What placing needs beside the graph. */
export interface PlacementContext {
  readonly ops: ReadonlyMap<string, OpSpec>;
  /** Where there is no GPU to use: why. */
  readonly whyNoGpu?: string;
  /** `op`: single nodes may run on the CPU; `model`: the whole model does where one must; `error`: none may. */
  readonly fallback: 'op' | 'model' | 'error';
  readonly maxPartitions: number;
  readonly experimentalFlags: number;
}

/** Places all nodes. Asks for each GPU segment's executable; a DeviceError as the answer moves nodes to the CPU. */
export function* place(
  graph: Graph,
  delegate: GpuDelegate | undefined,
  context: PlacementContext,
): Steps<Graph, Executable, Placement> {
  const refused = new Map<Node, string>();
  for (;;) {
    const cut = partitionFor(graph, delegate, context, refused);
    const segments: PlacedSegment[] = [];
    let compiling = graph;
    try {
      for (const segment of cut.segments) {
        compiling = segment.graph;
        if (segment.place === 'cpu') segments.push(segment);
        else if (compiling.outputs.length > 0) segments.push({ ...segment, executable: yield compiling });
      }
      return { segments, reasons: cut.reasons };
    } catch (error) {
      for (const { executable } of segments) executable?.dispose();
      if (!(error instanceof DeviceError) || error instanceof ContextLostError) throw error;
      for (const node of culprits(error, compiling)) refused.set(node, error.message);
    }
  }
}

function partitionFor(
  graph: Graph,
  delegate: GpuDelegate | undefined,
  context: PlacementContext,
  refused: ReadonlyMap<Node, string>,
): Partition {
  const declines = (node: Node) =>
    delegate
      ? (refused.get(node) ?? keepsOnCpu(node, context) ?? delegate.declines(node))
      : (context.whyNoGpu ?? 'there is no GPU');
  const ordered = (node: Node) => context.ops.get(node.type)?.stateful === true;
  const cut = partition(graph, { declines, ordered, maxPartitions: context.maxPartitions });
  expectCpuForms(cut.reasons, context);
  if (delegate && cut.reasons.size > 0) {
    if (context.fallback === 'error') throw notAllOnGpu(cut.reasons);
    if (context.fallback === 'model') return onlyCpu(graph, cut.reasons);
  }
  return cut;
}

/** Throws UnsupportedError naming every node that can run nowhere. */
function expectCpuForms(reasons: ReadonlyMap<Node, string>, { ops }: PlacementContext): void {
  const lost = [...reasons].filter(([node]) => !ops.get(node.type)?.cpu);
  if (lost.length > 0) throw new UnsupportedError(`there is no CPU form of ${listed(lost)}`);
}

/** What the delegate need not be asked about. */
function keepsOnCpu(node: Node, { experimentalFlags }: PlacementContext): string | undefined {
  const values = [...node.inputs, ...node.outputs].filter((value): value is Value => value !== undefined);
  const unknown = values.find(({ shape }) => !isStatic(shape));
  if (unknown) return `the shape of ${quoted(unknown.name)} is known only while running`;
  const state = values.find(({ isVariable, dtype }) => isVariable || dtype === 'resource' || dtype === 'variant');
  if (state) return `it keeps state in ${quoted(state.name)}`;
  const text = values.find(({ dtype }) => dtype === 'string');
  if (text) return `${quoted(text.name)} holds strings`;
  const quantized = values.find(({ quantization }) => quantization?.scales.length);
  if (quantized && !(experimentalFlags & TfLiteGpuExperimentalFlags.ENABLE_QUANT)) {
    return `${quoted(quantized.name)} is quantised and experimentalFlags lacks ENABLE_QUANT (1)`;
  }
  return undefined;
}

/** The node that the error names, or all nodes of the segment. */
function culprits(error: DeviceError, segment: Graph): readonly Node[] {
  const named = segment.nodes.filter(({ id }) => id === error.nodeId);
  return named.length > 0 ? named : segment.nodes;
}

function onlyCpu(graph: Graph, reasons: ReadonlyMap<Node, string>): Partition {
  const [node, reason] = reasons.entries().next().value!;
  const because = `fallback is 'model', and ${nodeName(node)}: ${reason}`;
  return partition(graph, { declines: (other) => reasons.get(other) ?? because, maxPartitions: 0 });
}

function notAllOnGpu(reasons: ReadonlyMap<Node, string>): UnsupportedError {
  return new UnsupportedError(`fallback is 'error', and the GPU cannot take ${listed([...reasons])}`);
}

/** The first nodes with their reasons, and how many more there are. */
function listed(reasons: readonly (readonly [Node, string])[]): string {
  const lines = reasons.slice(0, 10).map(([node, reason]) => `${nodeName(node)} (${reason})`);
  return lines.join('; ') + (reasons.length > 10 ? `; and ${reasons.length - 10} more` : '');
}
