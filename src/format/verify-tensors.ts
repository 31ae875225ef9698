import { type Check, constantBytes, elementsOf } from './check.js';
import { listOf, type SubGraph, type Tensor } from './model.js';
import { denseBytes } from './tensor-data.js';
import { verifyQuantization } from './verify-quantization.js';
import { verifySparsity } from './verify-sparsity.js';

/** Checks shapes, buffers, constant data and quantisation of a subgraph's tensors. */
export function verifyTensors(check: Check, subgraph: SubGraph, path: string): void {
  const tensors = listOf(subgraph.tensors);
  tensors.forEach((tensor, t) => {
    const place = `${path}.tensors[${t}]`;
    verifyShape(check, tensor, place);
    verifyBuffer(check, tensor, place);
    if (tensor.quantization)
      verifyQuantization(check, tensor, tensor.quantization, tensors.length, `${place}.quantization`);
  });
}

function verifyShape({ limits, fail }: Check, { shape, shapeSignature }: Tensor, path: string): void {
  const rank = Math.max(listOf(shape).length, listOf(shapeSignature).length);
  if (rank > limits.rank) fail('too-large', `${path}.shape`, `${rank} dimensions; accepted: at most ${limits.rank}`);
  let elements = 1;
  listOf(shape).forEach((size, i) => {
    if (size < 0) fail('bad-shape', `${path}.shape[${i}]`, `a dimension of ${size}; accepted: 0 and more`);
    elements *= size;
    if (elements > limits.elements) {
      fail('too-large', `${path}.shape`, `[${shape}] has more than ${limits.elements} elements`);
    }
  });
  listOf(shapeSignature).forEach((size, i) => {
    if (size < -1) fail('bad-shape', `${path}.shapeSignature[${i}]`, `a dimension of ${size}; accepted: -1 and more`);
  });
}

/** Buffer 0 means no data; there need not be one. */
function verifyBuffer(check: Check, tensor: Tensor, path: string): void {
  const { model, fail } = check;
  if (tensor.buffer) check.expectIndex(`${path}.buffer`, 'buffer', tensor.buffer, listOf(model.buffers).length);
  if (tensor.externalBuffer)
    fail('external-data', `${path}.externalBuffer`, 'its data is outside the file, which is never fetched');
  const data = constantBytes(model, tensor);
  if (!data) return;
  if (tensor.isVariable) fail('bad-constant', `${path}.isVariable`, 'a variable has constant data');
  if (tensor.type === 'STRING') verifyStrings(check, tensor, data, path);
  else if (tensor.sparsity) verifySparsity(check, tensor, tensor.sparsity, data, path);
  else verifySize(check, tensor, data, path);
}

function verifySize({ fail }: Check, tensor: Tensor, data: Uint8Array, path: string): void {
  const expected = denseBytes(tensor.type, elementsOf(tensor));
  const found = `buffer ${tensor.buffer} has ${data.length} bytes`;
  if (expected === undefined) fail('bad-constant', `${path}.type`, `${found}; a tensor of ${tensor.type} has none`);
  else if (data.length !== expected) {
    fail('bad-constant', `${path}.buffer`, `${found}; ${tensor.type} [${listOf(tensor.shape)}] takes ${expected}`);
  }
}

/** The data is a count, that many offsets and an end, all int32, then the strings' bytes. */
function verifyStrings({ fail }: Check, tensor: Tensor, data: Uint8Array, path: string): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const elements = elementsOf(tensor);
  const header = 4 * (elements + 2);
  const count = data.length < 4 ? 0 : view.getInt32(0, true);
  if (data.length < header || count !== elements) {
    fail(
      'bad-strings',
      `${path}.buffer`,
      `${count} strings in ${data.length} bytes; the shape says ${elements} strings`,
    );
  }
  let previous = header;
  for (let i = 0; i <= elements; i++) {
    const offset = view.getInt32(4 + 4 * i, true);
    if (offset < previous || offset > data.length) {
      fail(
        'bad-strings',
        `${path}.buffer`,
        `string ${i} starts at byte ${offset}; accepted: ${previous} to ${data.length}`,
      );
    }
    previous = offset;
  }
}
