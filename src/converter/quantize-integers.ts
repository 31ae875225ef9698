import { UnsupportedError } from '../../delegate/index.js';
import { listOf, type Model, type Operator, type SignatureDef, type SubGraph } from '../format/model.js';
import type { Ranges } from './calibrate.js';
import { CalibratedGraph } from './calibrated-graph.js';
import type { IntegerOp } from './integer-ops.js';
import { integerForm, type Rows } from './integer-parameters.js';
import { writeIntegers } from './integer-writer.js';
import { ModelEditor } from './model-editor.js';
import type { IntegerScheme } from './scheme.js';

/**
 * Makes every operator that can compute in integers; the rest stays float between DEQUANTIZE and QUANTIZE. Subgraphs
 * without ranges stay as they are. Throws UnsupportedError that names all operators that would be float where none may.
 */
export function quantizeToIntegers(model: Model, ranges: Ranges, scheme: IntegerScheme): Model {
  const editor = new ModelEditor(model);
  const before = listOf(model.subgraphs);
  const refused: string[] = [];
  const after = before.map((subgraph, i) => {
    const graph = new CalibratedGraph(model, subgraph, ranges.get(i) ?? new Map());
    const rows = rowsOf(graph, scheme, refused);
    return ranges.get(i)?.size ? writeIntegers(graph, rows, scheme, editor) : subgraph;
  });
  if (refused.length && !scheme.allowsFloat)
    throw new UnsupportedError(
      `TFLiteConverter: ${refused.join('; ')}; accepted: other operators, or TFLITE_BUILTINS in targetSpec.supportedOps, ` +
        'which lets these compute in floats',
    );
  const changed = editor.finish(after);
  return model.signatureDefs ? { ...changed, signatureDefs: moved(model.signatureDefs, before, after) } : changed;
}

/** The rows of those operators that compute in integers; for others that have floats, notes why they do not. */
function rowsOf(graph: CalibratedGraph, { type }: IntegerScheme, refused: string[]): Rows {
  const rows = new Map<Operator, IntegerOp>();
  for (const operator of graph.operators) {
    const floats = [...graph.floatOutputs(operator), ...graph.floatInputs(operator)];
    if (!floats.length) continue;
    const row = integerForm(graph, operator, type);
    if (typeof row === 'object') rows.set(operator, row);
    else refused.push(`${graph.nameOf(operator)} "${graph.tensor(floats[0]!).name}": ${row}`);
  }
  return rows;
}

/** Signatures whose subgraphs were written anew, with inputs and outputs in the same places. */
function moved(
  signatures: readonly SignatureDef[],
  before: readonly SubGraph[],
  after: readonly SubGraph[],
): SignatureDef[] {
  return signatures.map((signature) => {
    const [from, to] = [before, after].map((subgraphs) => subgraphs[signature.subgraphIndex]!);
    const move = (face: 'inputs' | 'outputs') =>
      listOf(signature[face]).map((map) => ({
        ...map,
        tensorIndex: to![face]![from![face]!.indexOf(map.tensorIndex)]!,
      }));
    return { ...signature, inputs: move('inputs'), outputs: move('outputs') };
  });
}
