/** What `report()`, `stats()` and `profile()` say. */
import type { DeviceStats, ExecutableStats, Graph } from '../../delegate/index.js';
import type { OpTime } from './execution.js';
import type { Place } from './partition.js';
import type { Session } from './session.js';

/** Where an operator of the file runs, and why not on the GPU. */
export interface NodeReport {
  readonly subgraph: number;
  /** The operator's index in its subgraph. */
  readonly index: number;
  readonly op: string;
  readonly runsOn: Place;
  readonly reason?: string;
}

/** Where everything runs and what it takes. */
export interface Report {
  readonly nodes: readonly NodeReport[];
  readonly partitions: { readonly gpu: number; readonly cpu: number };
  /** The arithmetic's storage in force; the options may have asked for another (see `notes`). */
  readonly precision: 'float32' | 'float16';
  readonly memory: { readonly activationBytes: number; readonly weightBytes: number; readonly lowerBoundBytes: number };
  readonly programs: number;
  readonly draws: number;
  /** True where all that is compiled for the GPU was kept from an earlier visit (`ENABLE_SERIALIZATION`). */
  readonly restored: boolean;
  /** Options that are not in force, and why. */
  readonly notes: readonly string[];
}

/** A subgraph in a report. */
export interface ReportedSubgraph {
  readonly index: number;
  readonly file: Graph;
  readonly session: Session;
}

/** GL objects on the context, draws of this model, and how many models live on the context. */
export interface ModelStats extends DeviceStats {
  readonly draws: number;
  readonly models: number;
}

/** Time of one operator's draw, or of the operator on the CPU. */
export interface OpProfile {
  readonly subgraph: number;
  readonly index: number;
  readonly op: string;
  readonly runsOn: Place;
  readonly kernel: string;
  readonly milliseconds: number;
  /** Of the draw; 0 where the kernel is not made of them, and on the CPU. */
  readonly multiplyAdds: number;
  /** `timer`: GPU timer query; `fence`: wall time until a fence; `wall`: time of the CPU. */
  readonly source: 'timer' | 'fence' | 'wall';
}

/** Reports on subgraphs that are compiled. */
export function reportOn(
  subgraphs: readonly ReportedSubgraph[],
  wanted: 'float32' | 'float16',
  onGpu: boolean,
): Report {
  const all = subgraphs.flatMap(({ session }) => executablesOf(session));
  const sum = (pick: (stats: ExecutableStats) => number) => all.reduce((total, stats) => total + pick(stats), 0);
  const segments = subgraphs.flatMap(({ session }) => session.placement?.segments ?? []);
  const precision = all[0]?.precision ?? 'float32';
  const other =
    all.length > 0 && precision !== wanted
      ? [`${wanted} was asked for; ${precision} is in force: of the device, or for quantised tensors`]
      : [];
  return {
    nodes: subgraphs.flatMap((subgraph) => nodesOf(subgraph, onGpu ? 'gpu' : 'cpu')),
    partitions: {
      gpu: segments.filter(({ place }) => place === 'gpu').length,
      cpu: segments.filter(({ place }) => place === 'cpu').length,
    },
    precision,
    memory: {
      activationBytes: sum((stats) => stats.activationBytes),
      weightBytes: sum((stats) => stats.weightBytes),
      lowerBoundBytes: sum((stats) => stats.lowerBoundBytes),
    },
    programs: sum((stats) => stats.programs),
    draws: sum((stats) => stats.draws),
    restored: all.length > 0 && all.every((stats) => stats.restored),
    notes: [...other, ...subgraphs.flatMap(({ session }) => session.notes)],
  };
}

/** A profile in terms of the file's operators. */
export function profileOf(index: number, times: readonly OpTime[]): OpProfile[] {
  return times.map(({ node, kernel, milliseconds, multiplyAdds, source }) => {
    const runsOn = source === 'wall' ? 'cpu' : 'gpu';
    return { subgraph: index, index: node.id, op: node.type, runsOn, kernel, milliseconds, multiplyAdds, source };
  });
}

/** Draws of one run. */
export function drawsOf(session: Session): number {
  return executablesOf(session).reduce((sum, { draws }) => sum + draws, 0);
}

function executablesOf(session: Session): ExecutableStats[] {
  return (session.placement?.segments ?? []).flatMap(({ executable }) => (executable ? [executable.stats] : []));
}

/** An operator is on the CPU where any part of it is. One that is not there any more was folded and runs nowhere. */
function nodesOf({ index, file, session }: ReportedSubgraph, home: Place): NodeReport[] {
  const reasons = new Map<number, string>();
  const running = new Set(session.graph.nodes.map(({ id }) => id));
  for (const [node, reason] of session.placement?.reasons ?? []) reasons.set(node.id, reason);
  return file.nodes.map(({ id, type }) => {
    const reason = reasons.get(id);
    const at = { subgraph: index, index: id, op: type };
    if (reason !== undefined) return { ...at, runsOn: 'cpu', reason };
    return running.has(id)
      ? { ...at, runsOn: 'gpu' }
      : { ...at, runsOn: home, reason: 'folded at load, no work per run' };
  });
}
