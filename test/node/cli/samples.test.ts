import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { readNpy } from '../../../src/cli/npy.js';
import { readSamples } from '../../../src/cli/samples.js';
import { TFLiteConverter } from '../../../src/converter/converter.js';
import type { Model } from '../../../src/format/model.js';
import { readModel } from '../../../src/format/read.js';

/** A NumPy file, version 1. */
function npy(descr: string, data: ArrayBufferView, order = 'False'): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (1,), }\n`.padStart(118);
  const length = Buffer.from(Uint16Array.of(header.length).buffer);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header, 'latin1'), bytes]);
}

describe('NumPy files', () => {
  it('are numbers of their type', () => {
    assert.deepEqual([...(readNpy(npy('<f4', Float32Array.of(0.5, -2))) as Float32Array)], [0.5, -2]);
    assert.deepEqual([...(readNpy(npy('|u1', Uint8Array.of(3, 255))) as Uint8Array)], [3, 255]);
    assert.deepEqual([...(readNpy(npy('<i8', BigInt64Array.of(-7n))) as BigInt64Array)], [-7n]);
  });

  it('are refused in other types and orders', () => {
    assert.throws(() => readNpy(Buffer.from('PNG and more bytes')), /it is no \.npy file/);
    assert.throws(() => readNpy(npy('>f4', Float32Array.of(1))), /its type is >f4; accepted: <f4, /);
    assert.throws(() => readNpy(npy('<f4', Float32Array.of(1), 'True')), /Fortran order; accepted: C order/);
  });
});

describe('samples in a folder', () => {
  let folder: string;
  let one: Model;
  let two: Model;

  beforeEach(async () => {
    await tf.setBackend('cpu');
    folder = mkdtempSync(path.join(os.tmpdir(), 'tflite-gpu-samples-'));
    const converted = async (f: (...x: tf.Tensor[]) => tf.Tensor, names: string[]) =>
      readModel(
        await TFLiteConverter.fromFunction(
          f,
          names.map((name) => ({ shape: [null, 2], name })),
        ).convert(),
      );
    one = await converted((x) => tf.relu(x!), ['x']);
    two = await converted((a, b) => tf.add(a!, b!), ['a', 'b']);
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, content: string | Uint8Array) => writeFileSync(path.join(folder, name), content);

  it('are one or several a file, in the order of names', async () => {
    write('b.npy', npy('|u1', Uint8Array.of(1, 2, 3, 4)));
    write('a.json', '[[0.5, 1]]');
    write('c.bin', new Uint8Array(Float32Array.of(8, 9).buffer));
    const samples = await readSamples(folder, one);
    assert.deepEqual(
      samples.map(({ x }) => x),
      [
        [0.5, 1],
        [1, 2],
        [3, 4],
        [8, 9],
      ].map((values) => ({ data: Float32Array.from(values), shape: [1, 2] })),
    );
  });

  it('are in a folder for each input where there are several', async () => {
    for (const [name, text] of [
      ['a', '[1, 2, 3, 4]'],
      ['b', '[5, 6, 7, 8]'],
    ] as const) {
      mkdirSync(path.join(folder, name));
      write(`${name}/all.json`, text);
    }
    const samples = await readSamples(folder, two);
    assert.deepEqual([...samples[1]!.a!.data, ...samples[1]!.b!.data], [3, 4, 7, 8]);
  });

  it('are as many for each input', async () => {
    for (const [name, text] of [
      ['a', '[1, 2, 3, 4]'],
      ['b', '[5, 6]'],
    ] as const) {
      mkdirSync(path.join(folder, name));
      write(`${name}/all.json`, text);
    }
    await assert.rejects(readSamples(folder, two), /2 and 1 samples; accepted: as many for each input/);
  });

  for (const [name, content, message] of [
    ['photo.png', 'PNG', /photo\.png: not known; accepted: \.npy, \.json, \.bin with values as the model takes them/],
    ['odd.json', '[1, 2, 3]', /odd\.json: 3 values; accepted: a multiple of 2, for input "x" of \[1,2\]/],
    ['bad.json', '[1, 2', /bad\.json: /],
    ['bad.npy', 'no numbers', /bad\.npy: it is no \.npy file/],
  ] as const)
    it(`say what is wrong with ${name}`, async () => {
      write(name, content);
      await assert.rejects(readSamples(folder, one), message);
    });

  it('say that there are none', async () => {
    await assert.rejects(readSamples(folder, one), /no files; accepted: \.npy, \.json, \.bin/);
  });
});
