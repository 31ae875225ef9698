// Keeps compiled plans between visits (experimentalFlags ENABLE_SERIALIZATION). Loaded only where options ask for it.
import { Hash } from '../hash.js';
import { type Graph, valuesOf } from '../ir/graph.js';
import type { Plan } from '../plan/plan.js';
import type { Target } from '../shader/target.js';
import { Table } from '../table.js';
import type { Pieces } from '../task.js';
import { VERSION } from '../version.js';
import { type FrozenPlan, freeze, thaw } from './frozen-plan.js';

/** Every database of plans starts with this, and goes on with `serializationDir`. */
export const DATABASES = 'tflite-gpu plans ';
/** The one table of such a database. */
export const PLANS = 'plans';

/** Plans of one directory for one renderer and model token. */
export class PlanStore {
  readonly #table: Table;
  readonly #start: string;

  /** `directory` is the options' `serializationDir`, `token` their `modelToken`. Plans of other versions are forgotten. */
  constructor(directory: string, token: string, renderer: string) {
    this.#table = new Table(DATABASES + directory, PLANS);
    const version = `${VERSION} `;
    this.#start = `${version}${token} ${renderer} `;
    void this.#table.keepOnly(version);
  }

  /** What a plan follows from: the graph with all its constants, and the target. */
  *keyOf(graph: Graph, target: Target): Pieces<string> {
    const hash = new Hash().text(json([graph.name, target]));
    for (const value of valuesOf(graph)) {
      const { id, shape, dtype, quantization, data } = value;
      hash.text(json([id, shape, dtype, quantization ?? null]));
      if (ArrayBuffer.isView(data)) hash.bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      yield;
    }
    for (const { id, type, attrs, inputs, outputs } of graph.nodes) {
      const ids = [inputs, outputs].map((values) => values.map((value) => value?.id ?? null));
      hash.text(json([id, type, attrs, ids]));
    }
    return this.#start + hash.digest;
  }

  /** The plan that was kept under this key, for the target that is part of it. */
  async get(key: string, target: Target): Promise<Plan | undefined> {
    const frozen = (await this.#table.get(key)) as FrozenPlan | undefined;
    return frozen && thaw(frozen, target);
  }

  /** Keeps a plan; packs its weights once more, in pieces. */
  *put(key: string, plan: Plan): Pieces<void> {
    const frozen = yield* freeze(plan);
    yield;
    void this.#table.put(key, frozen);
  }
}

/** As JSON, long integers as texts. */
function json(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? `${part}` : part));
}
