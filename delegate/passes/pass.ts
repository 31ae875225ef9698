import { debug } from '../debug.js';
import { type Graph, type Node, nodeName } from '../ir/graph.js';
import { Editor } from './editor.js';

/** What a pass did at a node: nothing, it rewrote, or it refused and says why. */
export type Outcome = undefined | 'rewritten' | { readonly declined: string };

/** A rewrite, tried at every node. It looks first and edits only when it will succeed. */
export interface Pass {
  readonly name: string;
  at(node: Node, edit: Editor): Outcome;
}

/** Sweeps over the graph until nothing changes; no pass undoes another of its list. */
const MOST_SWEEPS = 64;

/** Applies passes in order, each until it finds nothing more. `log` gets a line for every rewrite and refusal. */
export function runPasses(
  graph: Graph,
  passes: readonly Pass[],
  log: (line: string) => void = (line) => debug(2, () => line),
): Graph {
  const edit = new Editor(graph);
  for (const pass of passes) {
    for (let sweep = 0; sweep < MOST_SWEEPS && sweepOnce(pass, edit, sweep === 0 ? log : () => {}); sweep++);
  }
  return edit.graph();
}

function sweepOnce(pass: Pass, edit: Editor, log: (line: string) => void): boolean {
  let changed = false;
  for (let position = 0; position < edit.length; position++) {
    for (const node of edit.nodesAt(position)) {
      const outcome = pass.at(node, edit);
      if (!outcome) continue;
      if (outcome === 'rewritten') {
        changed = true;
        log(`${pass.name}: ${nodeName(node)}`);
        break;
      }
      log(`${pass.name}: ${nodeName(node)} declined: ${outcome.declined}`);
    }
  }
  return changed;
}
