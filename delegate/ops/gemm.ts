/** Rows of a matrix in a larger array: row r begins at `offset + r * stride`. */
export interface Rows {
  readonly data: Float32Array;
  readonly offset: number;
  readonly stride: number;
}

const BLOCK_ROWS = 64;
let tile = new Float64Array(0);

/** out[r][c] = Σ_k a[r][k] · b[c][k]: the product of `rows` rows of `a` with `columns` rows of `b`, summed in doubles. */
export function multiplyRows(a: Rows, b: Rows, out: Rows, rows: number, columns: number, depth: number): void {
  if (tile.length < depth * 4) tile = new Float64Array(depth * 4);
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const end = Math.min(first + BLOCK_ROWS, rows);
    for (let column = 0; column < columns; column += 4) {
      interleaveFour(b, column, columns, depth);
      for (let row = first; row < end; row += 2) multiplyTile(a, out, row, end, column, columns, depth);
    }
  }
}

/** Brings four rows of `b` together, so that one step along the depth reads neighbours; rows past the end are zero. */
function interleaveFour({ data, offset, stride }: Rows, first: number, count: number, depth: number): void {
  for (let j = 0; j < 4; j++) {
    const row = offset + (first + j) * stride;
    const isThere = first + j < count;
    for (let k = 0; k < depth; k++) tile[k * 4 + j] = isThere ? data[row + k]! : 0;
  }
}

/** Two rows of `a` by the four rows in the tile. A last odd row is computed twice and stored once. */
function multiplyTile(
  a: Rows,
  out: Rows,
  row: number,
  end: number,
  column: number,
  columns: number,
  depth: number,
): void {
  const x = a.data;
  const t = tile;
  const hasSecond = row + 1 < end;
  let i0 = a.offset + row * a.stride;
  let i1 = hasSecond ? i0 + a.stride : i0;
  let s00 = 0,
    s01 = 0,
    s02 = 0,
    s03 = 0,
    s10 = 0,
    s11 = 0,
    s12 = 0,
    s13 = 0;
  for (let k = 0, last = depth * 4; k < last; k += 4) {
    const x0 = x[i0++]!;
    const x1 = x[i1++]!;
    const t0 = t[k]!;
    const t1 = t[k + 1]!;
    const t2 = t[k + 2]!;
    const t3 = t[k + 3]!;
    s00 += x0 * t0;
    s01 += x0 * t1;
    s02 += x0 * t2;
    s03 += x0 * t3;
    s10 += x1 * t0;
    s11 += x1 * t1;
    s12 += x1 * t2;
    s13 += x1 * t3;
  }
  const width = Math.min(4, columns - column);
  const at = out.offset + row * out.stride + column;
  storeFour(out.data, at, width, s00, s01, s02, s03);
  if (hasSecond) storeFour(out.data, at + out.stride, width, s10, s11, s12, s13);
}

function storeFour(out: Float32Array, at: number, width: number, s0: number, s1: number, s2: number, s3: number): void {
  out[at] = s0;
  if (width > 1) out[at + 1] = s1;
  if (width > 2) out[at + 2] = s2;
  if (width > 3) out[at + 3] = s3;
}

/** Adds one value per column to every row of a dense matrix. */
export function addBias(data: Float32Array, bias: Float32Array | undefined): void {
  if (!bias) return;
  for (let at = 0; at < data.length; at += bias.length) {
    for (let c = 0; c < bias.length; c++) data[at + c]! += bias[c]!;
  }
}
