import type { Check } from './check.js';
import { type DimensionMetadata, listOf, type SparsityParameters, type Tensor } from './model.js';
import { denseBytes } from './tensor-data.js';

/**
 * Checks the tree of a sparse constant: the traversal order is a permutation, each level has the size of its dimension,
 * segments and indices are in range, and the data has exactly the values that the tree names.
 */
export function verifySparsity(
  check: Check,
  tensor: Tensor,
  sparsity: SparsityParameters,
  data: Uint8Array,
  path: string,
): void {
  const place = `${path}.sparsity`;
  const sizes = levelSizes(check, tensor, sparsity, place);
  let count = 1;
  listOf(sparsity.dimMetadata).forEach((level, i) => {
    count = verifyLevel(check, level, sizes[i]!, count, `${place}.dimMetadata[${i}]`);
    if (count > check.limits.elements) check.fail('too-large', place, `more than ${check.limits.elements} values`);
  });
  const expected = denseBytes(tensor.type, count);
  if (data.length !== expected) {
    check.fail(
      'bad-constant',
      `${path}.buffer`,
      `${data.length} bytes for ${count} values of ${tensor.type}; ${expected} are needed`,
    );
  }
}

/** The number of positions of each level; blocks of a dimension form a level of their own. */
function levelSizes({ fail }: Check, tensor: Tensor, sparsity: SparsityParameters, path: string): number[] {
  const shape = listOf(tensor.shape);
  const order = listOf(sparsity.traversalOrder);
  const blocks = listOf(sparsity.blockMap);
  const levels = listOf(sparsity.dimMetadata);
  const depth = shape.length + blocks.length;
  if (blocks.length > shape.length) {
    fail('bad-sparsity', `${path}.blockMap`, `${blocks.length} blocks for ${shape.length} dimensions`);
  }
  if (order.length !== depth || new Set(order).size !== depth || order.some((d) => d < 0 || d >= depth)) {
    fail('bad-sparsity', `${path}.traversalOrder`, `[${order.slice(0, 16)}] is no permutation of ${depth} dimensions`);
  }
  if (levels.length !== depth)
    fail('bad-sparsity', `${path}.dimMetadata`, `${levels.length} levels for ${depth} dimensions`);
  const sizes = [...shape];
  blocks.forEach((dimension, b) => {
    const blockSize = levels[order.indexOf(shape.length + b)]!.denseSize;
    const size = sizes[dimension];
    if (size === undefined || dimension < 0 || dimension >= shape.length) {
      fail('bad-sparsity', `${path}.blockMap[${b}]`, `dimension ${dimension} of ${shape.length}`);
    }
    if (blockSize < 1 || size! % blockSize)
      fail('bad-sparsity', `${path}.blockMap[${b}]`, `blocks of ${blockSize} in a dimension of ${size}`);
    sizes[dimension] = size! / blockSize;
    sizes.push(blockSize);
  });
  return order.map((dimension) => sizes[dimension]!);
}

/** Returns the number of values below this level. */
function verifyLevel({ fail }: Check, level: DimensionMetadata, size: number, parents: number, path: string): number {
  if (level.format === 'DENSE') {
    if (level.denseSize !== size)
      fail('bad-sparsity', `${path}.denseSize`, `${level.denseSize} for a dimension of ${size}`);
    return parents * size;
  }
  const segments = level.arraySegments?.values ?? [];
  const indices = level.arrayIndices?.values ?? [];
  if (segments.length !== parents + 1) {
    fail('bad-sparsity', `${path}.arraySegments`, `${segments.length} segment bounds; ${parents + 1} are needed`);
  }
  let previous = 0;
  segments.forEach((bound, i) => {
    if (bound < previous || (i === 0 && bound))
      fail('bad-sparsity', `${path}.arraySegments`, `bound ${i} is ${bound} after ${previous}`);
    previous = bound;
  });
  if (previous !== indices.length)
    fail('bad-sparsity', `${path}.arrayIndices`, `${indices.length} indices; the segments name ${previous}`);
  indices.forEach((index, i) => {
    if (index < 0 || index >= size)
      fail('bad-sparsity', `${path}.arrayIndices`, `index ${i} is ${index} in a dimension of ${size}`);
  });
  return indices.length;
}
