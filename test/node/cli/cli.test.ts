// The command line, as it is built, on models of TensorFlow.js in files.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { io } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { root } from '../../support/files.js';
import { runInTFLite } from '../../support/litert.js';
import { opsOf, runFile } from '../../support/run-file.js';
import { sample, setSampleWeights } from '../converter/agree.js';
import { graphArtifacts } from '../converter/graph.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'tflite-gpu-cli-'));
const at = (name: string) => path.join(folder, name);
const program = at('cli.cjs');

const cli = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' });

/** The network of the tutorial. */
function mnist() {
  const model = sequential({
    layers: [
      layers.reshape({ inputShape: [28, 28], targetShape: [28, 28, 1] }),
      layers.conv2d({ filters: 12, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 10 }),
    ],
  });
  setSampleWeights(model);
  return model;
}

/** Writes model.json and its weights, cut into shards of so many bytes, into a folder; what TensorFlow.js's converter writes. */
function save(name: string, { modelTopology, weightSpecs, weightData, format }: io.ModelArtifacts, shardBytes: number) {
  mkdirSync(at(name));
  const bytes = new Uint8Array(weightData as ArrayBuffer);
  const count = Math.ceil(bytes.length / shardBytes);
  const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
  for (const [i, file] of paths.entries())
    writeFileSync(at(`${name}/${file}`), bytes.subarray(i * shardBytes, (i + 1) * shardBytes));
  const json = { format, modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] };
  writeFileSync(at(`${name}/model.json`), JSON.stringify(json));
}

const artifactsOf = async (model: ReturnType<typeof mnist>): Promise<io.ModelArtifacts> => {
  let saved: io.ModelArtifacts | undefined;
  await model.save(
    io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  return saved!;
};

/** Weights in 256 steps each, as TensorFlow.js's converter stores them with --quantize_uint8. */
function inBytes({ weightSpecs, weightData, ...artifacts }: io.ModelArtifacts): io.ModelArtifacts {
  const floats = new Float32Array(weightData as ArrayBuffer);
  let from = 0;
  const parts = weightSpecs!.map((spec) => {
    const values = floats.subarray(from, (from += tf.util.sizeFromShape(spec.shape)));
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const scale = (max - min) / 255 || 1;
    const bytes = Uint8Array.from(values, (x) => Math.round((x - min) / scale));
    return { bytes, spec: { ...spec, quantization: { dtype: 'uint8' as const, scale, min } } };
  });
  const data = new Uint8Array(Buffer.concat(parts.map(({ bytes }) => bytes)));
  return { ...artifacts, weightSpecs: parts.map(({ spec }) => spec), weightData: data.buffer };
}

describe('the command line', () => {
  let model: ReturnType<typeof mnist>;

  before(async () => {
    await tf.setBackend('cpu');
    const { bundleCli } = await import(pathToFileURL(path.join(root, 'scripts/bundle.mjs')).href);
    await bundleCli(program);
    model = mnist();
    const artifacts = await artifactsOf(model);
    save('layers', artifacts, 30_000);
    save('bytes', inBytes(artifacts), 9_000);
    save('graph', graphArtifacts(), 1_000_000);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('converts a layers model of several shards', async () => {
    const { status, stdout, stderr } = cli('convert', 'layers/model.json', '-o', 'layers.tflite');
    assert.deepEqual([status, stderr], [0, '']);
    const file = new Uint8Array(readFileSync(at('layers.tflite')));
    assert.equal(stdout.trim(), `layers.tflite: float32, 5 operators, ${file.length} bytes`);
    const difference = await differenceOf(file);
    assert.ok(difference < 1e-5, `differs by ${difference}`);
  });

  it('stores weights as halves and as bytes', () => {
    for (const [flavour, largest] of [
      ['float16', 45_000],
      ['dynamic', 25_000],
    ] as const) {
      const { status } = cli('convert', 'layers/model.json', '-o', `${flavour}.tflite`, `--${flavour}`);
      const { length } = readFileSync(at(`${flavour}.tflite`));
      assert.ok(status === 0 && length < largest, `status ${status}, ${flavour} has ${length} bytes`);
    }
  });

  it('computes in integers, with samples of what the model takes', async () => {
    mkdirSync(at('samples'));
    writeFileSync(at('samples/images.bin'), new Uint8Array(sample([8, 28, 28], 1).dataSync().buffer as ArrayBuffer));
    for (const [flavour, most] of [
      ['int8', 0.1],
      ['int16x8', 0.02],
    ] as const) {
      const { status, stderr } = cli(
        'convert',
        'layers/model.json',
        '-o',
        'int.tflite',
        `--${flavour}`,
        '--data',
        'samples',
      );
      assert.deepEqual([status, stderr], [0, '']);
      const file = new Uint8Array(readFileSync(at('int.tflite')));
      const difference = await differenceOf(file, runInTFLite);
      assert.ok(
        file.length < 30_000 && difference < most,
        `${flavour}: ${file.length} bytes, differs by ${difference}`,
      );
    }
  });

  it('converts a model whose weights are stored as bytes', async () => {
    assert.equal(cli('convert', 'bytes/model.json', '--output', 'bytes.tflite').status, 0);
    const worst = await differenceOf(new Uint8Array(readFileSync(at('bytes.tflite'))));
    assert.ok(worst > 0 && worst < 0.2, `differs by ${worst}`);
  });

  it('converts a graph model', () => {
    assert.equal(cli('convert', 'graph/model.json', '-o', 'graph.tflite').status, 0);
    const operators = opsOf(new Uint8Array(readFileSync(at('graph.tflite'))));
    assert.deepEqual(operators, ['CONV_2D', 'DEPTHWISE_CONV_2D', 'MEAN', 'FULLY_CONNECTED', 'SOFTMAX']);
  });

  it('quantises a file, makes floats of it again, and prints it', () => {
    cli('convert', 'layers/model.json', '-o', 'float32.tflite');
    assert.equal(cli('quantize', 'float32.tflite', '--float16', '-o', 'halves.tflite').status, 0);
    assert.equal(cli('dequantize', 'halves.tflite', '-o', 'again.tflite').status, 0);
    const [before, halves, again] = ['float32', 'halves', 'again'].map(
      (name) => readFileSync(at(`${name}.tflite`)).length,
    );
    assert.ok(halves! < before! * 0.55 && Math.abs(again! - before!) < 1000, `${before}, ${halves}, ${again} bytes`);
    assert.match(cli('inspect', 'halves.tflite').stdout, /#\d+ CONV_2D/);
  });

  it('says how it is used', () => {
    const { status, stdout } = cli('--help');
    assert.equal(status, 0);
    assert.match(stdout, /convert MODEL.json -o OUT.tflite/);
    assert.match(cli('--version').stdout, /^\d+\.\d+\.\d+$/m);
  });

  it('ends with 2 and a line where it is used wrongly', () =>
    expectFailure(
      ['shrink', 'a.tflite'],
      2,
      /unknown command "shrink"; accepted: convert, .*\. See tflite-gpu --help$/m,
    ));

  for (const [name, content, message] of [
    ['missing.json', undefined, /no such file or directory.*missing\.json/],
    ['text.json', 'no json', /text\.json: .*accepted: a model\.json of TensorFlow\.js/],
    ['other.json', '{"name": "other"}', /other\.json: has no modelTopology; accepted/],
    ['unbound.json', '{"modelTopology": {}}', /unbound\.json: has no weightsManifest; accepted/],
    [
      'shardless.json',
      '{"modelTopology": {"node": []}, "weightsManifest": [{"paths": ["gone.bin"], "weights": []}]}',
      /no such file or directory.*gone\.bin/,
    ],
  ] as const)
    it(`ends with 1 and a line for ${name}`, () => {
      if (content) writeFileSync(at(name), content);
      expectFailure(['convert', name, '-o', 'never.tflite'], 1, message);
    });

  it('ends with 1 and a line for a file that is no model', () => {
    writeFileSync(at('text.tflite'), 'no model at all');
    expectFailure(['inspect', 'text.tflite'], 1, /^tflite-gpu: /);
  });

  /** How far a file's answer to one input is from the model's. */
  async function differenceOf(file: Uint8Array, run: typeof runInTFLite = runFile): Promise<number> {
    const x = sample([1, 28, 28], 1);
    const expected = (model.predict(x) as tf.Tensor).dataSync();
    const [found] = await run(file, [{ data: x.dataSync() as Float32Array, shape: x.shape }]);
    return Math.max(...expected.map((value, i) => Math.abs(value - found!.data[i]!)));
  }

  function expectFailure(args: readonly string[], expected: number, message: RegExp): void {
    const { status, stdout, stderr } = cli(...args);
    assert.deepEqual([status, stdout], [expected, ''], stderr);
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});
