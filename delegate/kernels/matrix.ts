/** A matrix of 1 to 4 columns: the statement that declares it, and its product with the first lanes of a vec4. */
export function matrix(name: string, columns: readonly string[]): { text: string; times(v: string): string } {
  const lanes = columns.length;
  const type = lanes === 1 ? 'vec4' : lanes === 4 ? 'mat4' : `mat${lanes}x4`;
  const value = lanes === 1 ? columns[0]! : `${type}(${columns.join(', ')})`;
  const swizzle = lanes === 4 ? '' : `.${'xyz'.slice(0, lanes)}`;
  return { text: `${type} ${name} = ${value};`, times: (v) => `${name} * ${v}${swizzle}` };
}
