import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Graph } from '../../../delegate/index.js';
import { toGraph } from '../../../src/format/graph.js';
import type { Model, Tensor } from '../../../src/format/model.js';
import { readModel } from '../../../src/format/read.js';
import { writeModel } from '../../../src/format/write.js';
import { load, missingShared, modelNames } from './corpus.js';
import { sampleModel, tensor } from './sample.js';

function sampleGraph(): Graph {
  return toGraph(readModel(writeModel(sampleModel())), 0);
}

/** The value of a constant of this type and these bytes. */
function constant(fields: Partial<Tensor>, bytes: Uint8Array) {
  const model: Model = {
    ...sampleModel(),
    buffers: [{}, { data: bytes }],
    subgraphs: [
      { tensors: [tensor({ buffer: 1, ...fields })], inputs: [], outputs: [0], operators: [], debugMetadataIndex: -1 },
    ],
    signatureDefs: undefined,
  };
  return toGraph(readModel(writeModel(model)), 0).outputs[0]!;
}

describe('a model as a graph', () => {
  it('names nodes as the schema does and custom operators as they call themselves', () => {
    assert.deepEqual(
      sampleGraph().nodes.map((node) => node.type),
      ['DEQUANTIZE', 'CONV_2D', 'RESHAPE', 'Twice'],
    );
  });

  it('gives nodes their options under schema names, and the defaults where the file has none', () => {
    const [, conv, reshape] = sampleGraph().nodes;
    assert.equal(conv!.attrs.padding, 'SAME');
    assert.equal(conv!.attrs.fusedActivationFunction, 'RELU');
    assert.deepEqual(reshape!.attrs, { newShape: undefined });
  });

  it('leaves optional inputs out', () => {
    assert.equal(sampleGraph().nodes[1]!.inputs[2], undefined);
  });

  it('shares one value between producer and consumers, with the tensor index as its id', () => {
    const graph = sampleGraph();
    assert.equal(graph.nodes[0]!.outputs[0], graph.nodes[1]!.inputs[1]);
    assert.equal(graph.nodes[1]!.inputs[1]!.id, 2);
    assert.equal(graph.inputs[0], graph.nodes[1]!.inputs[0]);
    assert.deepEqual(graph.inputs[0]!.shapeSignature, [-1, 2, 2, 1]);
    assert.equal(graph.outputs[0]!.data, undefined);
  });

  it('keeps float16 constants as halves, without a copy where they are aligned', () => {
    const bytes = writeModel(sampleModel());
    const weights = toGraph(readModel(bytes), 0).nodes[0]!.inputs[0]!;
    assert.equal(weights.dtype, 'float16');
    assert.deepEqual(weights.data, Uint16Array.of(0x3c00, 0x4000, 0xc000, 0x3800));
    assert.equal((weights.data as Uint16Array).buffer, bytes.buffer);
  });

  it('copies constants that are misaligned', () => {
    const bytes = writeModel(sampleModel());
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const weights = toGraph(readModel(shifted.subarray(1)), 0).nodes[0]!.inputs[0]!;
    assert.deepEqual(weights.data, Uint16Array.of(0x3c00, 0x4000, 0xc000, 0x3800));
  });

  it('unpacks integers below a byte, lowest bits first', () => {
    assert.deepEqual(constant({ type: 'INT4', shape: [3] }, Uint8Array.of(0x8f, 0x07)).data, Int8Array.of(-1, -8, 7));
    assert.deepEqual(constant({ type: 'UINT4', shape: [3] }, Uint8Array.of(0x8f, 0x07)).data, Uint8Array.of(15, 8, 7));
    assert.deepEqual(
      constant({ type: 'INT2', shape: [5] }, Uint8Array.of(0b11100100, 0b01)).data,
      Int8Array.of(0, 1, -2, -1, 1),
    );
  });

  it('cuts string constants into their bytes', () => {
    const bytes = new Uint8Array([...new Uint8Array(Int32Array.of(2, 16, 18, 19).buffer), 0x68, 0x69, 0xff]);
    assert.deepEqual(constant({ type: 'STRING', shape: [2] }, bytes).data, [
      Uint8Array.of(0x68, 0x69),
      Uint8Array.of(0xff),
    ]);
  });

  it('gives a constant of no elements empty data', () => {
    const model: Model = sampleModel();
    const main = model.subgraphs![0]!;
    const tensors = [...main.tensors!.slice(0, 4), tensor({ shape: [0], type: 'INT32' }), ...main.tensors!.slice(5)];
    const graph = toGraph(readModel(writeModel({ ...model, subgraphs: [{ ...main, tensors }] })), 0);
    assert.deepEqual(graph.nodes[2]!.inputs[1]!.data, new Int32Array(0));
  });

  it('repeats a single zero point for every scale', () => {
    const quantization = { scale: [0.5, 0.25], zeroPoint: [3], detailsType: 'NONE', quantizedDimension: 0 };
    const value = constant({ type: 'INT8', shape: [2], quantization }, Uint8Array.of(1, 2));
    assert.deepEqual(value.quantization, { scales: [0.5, 0.25], zeroPoints: [3, 3], quantizedDimension: 0 });
  });

  it('gives custom operators their raw options', () => {
    assert.deepEqual(Object.keys(sampleGraph().nodes[3]!.attrs), ['customOptions']);
    assert.equal((sampleGraph().nodes[3]!.attrs.customOptions as Uint8Array).length, 12);
  });

  it("decodes the options of TFLite's own custom operators", () => {
    const model = sampleModel();
    const codes = model.operatorCodes!;
    const operatorCodes = [...codes.slice(0, 3), { ...codes[3]!, customCode: 'NumericVerify' }];
    const node = toGraph(readModel(writeModel({ ...model, operatorCodes })), 0).nodes[3]!;
    assert.deepEqual(node.attrs.options, new Map([['a', 7]]));
  });

  it('refuses a subgraph that is not there', () => {
    assert.throws(() => toGraph(sampleModel(), 1), /subgraph 1, but there are 1 subgraphs/);
  });

  it('works for every real model', { skip: missingShared() }, () => {
    let nodes = 0;
    for (const name of modelNames()) {
      const model = accepted(load(`models/${name}`));
      model?.subgraphs?.forEach((_, s) => {
        nodes += toGraph(model, s).nodes.length;
      });
    }
    console.log(`${nodes} nodes of the real models as graphs`);
    assert.ok(nodes > 7000);
  });
});

function accepted(bytes: Uint8Array): Model | undefined {
  try {
    return readModel(bytes);
  } catch {
    return undefined;
  }
}
