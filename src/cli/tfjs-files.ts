import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { io } from '@tensorflow/tfjs-core';
// Layers call some methods of tensors when they are made.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { ModelError } from '../../delegate/index.js';
import { TFLiteConverter } from '../converter/converter.js';

/** A converter of the model that a `model.json` describes, with its weights from the files beside it. */
export async function converterOf(file: string): Promise<TFLiteConverter> {
  const json = parse(file, await readFile(file, 'utf8'));
  const handler: io.IOHandler = { load: () => artifactsOf(file, json) };
  return isGraph(json)
    ? TFLiteConverter.fromGraphModel((await loadGraphModel(handler)) as never)
    : TFLiteConverter.fromLayersModel(await loadLayersModel(handler));
}

function parse(file: string, text: string): io.ModelJSON {
  let json: Partial<io.ModelJSON> | undefined;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ModelError('not-json', `${file}: ${(error as Error).message}; accepted: a model.json of TensorFlow.js`);
  }
  if (!json?.modelTopology || !Array.isArray(json.weightsManifest))
    throw new ModelError(
      'not-a-model',
      `${file}: has no ${json?.modelTopology ? 'weightsManifest' : 'modelTopology'}; accepted: a model.json of TensorFlow.js`,
    );
  return json as io.ModelJSON;
}

/** Graph models are lists of nodes; layers models have a configuration. */
function isGraph({ format, modelTopology }: io.ModelJSON): boolean {
  return format === 'graph-model' || 'node' in modelTopology;
}

async function artifactsOf(file: string, json: io.ModelJSON): Promise<io.ModelArtifacts> {
  return io.getModelArtifactsForJSON(json, async (manifest) => {
    const shards = manifest.flatMap(({ paths }) => paths.map((name) => path.join(path.dirname(file), name)));
    const bytes = await Promise.all(shards.map((shard) => readFile(shard)));
    const weights = new Uint8Array(Buffer.concat(bytes)).buffer;
    return [io.getWeightSpecs(manifest), weights];
  });
}
