/** A number as a GLSL float literal: 1 becomes 1.0. */
export function float(value: number): string {
  if (Number.isNaN(value)) return 'uintBitsToFloat(0x7fc00000u)';
  if (value >= 3.4028235677973366e38) return 'uintBitsToFloat(0x7f800000u)';
  if (value <= -3.4028235677973366e38) return 'uintBitsToFloat(0xff800000u)';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** All bits where a condition holds, else none: what `masked` takes. Masks are joined by `&`. */
export function bitsOf(condition: string): string {
  return `(${condition} ? 0xffffffffu : 0u)`;
}

/** A vec4 where a mask has all bits, else zero. An AND is one instruction where a select is four (SwiftShader), and takes NaN away. */
export function masked(v: string, mask: string): string {
  return `uintBitsToFloat(floatBitsToUint(${v}) & (${mask}))`;
}

/** 0 … count − 1: what the text of a kernel unrolls. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Helpers that a helper calls. */
export const NEEDS: Readonly<Record<string, string>> = { quotient4: 'tiny4' };

const TINY = `bvec4 tiny4(vec4 x) {
  uvec4 b = floatBitsToUint(x) & 0x7fffffffu;
  return bvec4(uvec4(greaterThan(b, uvec4(0u))) & uvec4(lessThan(b, uvec4(0x800000u))));
}
vec4 grown4(vec4 x) {
  uvec4 b = floatBitsToUint(x);
  vec4 m = vec4(b & 0x7fffffu);
  return mix(m, -m, notEqual(b & 0x80000000u, uvec4(0u)));
}`;

/** Functions that kernels use by name. */
export const HELPERS: Readonly<Record<string, string>> = {
  /** Lane i (0 to 3) of a texel. */
  lane: `float lane(vec4 v, float i) {
  vec2 pair = mix(v.xy, v.zw, bvec2(i > 1.5));
  return mix(pair.x, pair.y, i == 1.0 || i == 3.0);
}`,
  /** ⌊a / b⌋ of whole numbers below 2^24, exact: a reciprocal, then one correction. `i` is 1 / b. */
  divide: `float divide(float a, float b, float i) {
  float q = floor((a + 0.5) * i), r = a - q * b;
  return q + float(r >= b) - float(r < 0.0);
}`,
  /** The nearest half float, ties to even: some drivers (Mesa's llvmpipe) cut off instead, which adds up from layer to layer. */
  half4: `vec4 half4(vec4 x) {
  uvec4 b = floatBitsToUint(clamp(x, -65504.0, 65504.0));
  return uintBitsToFloat((b + 0xfffu + ((b >> 13) & 1u)) & 0xffffe000u);
}`,
  /**
   * Stored integers: `above` and `below` are added to quotients above and below zero before the fraction is cut off.
   * The least stands for NaN, and for quotients beyond float32 of finite numbers.
   */
  stored4: `vec4 stored4(vec4 x, float scale, float before, float above, float below, float after, float least, float greatest) {
  vec4 q = x / scale + before, whole = mix(floor(q + above), -floor(below - q), lessThan(q, vec4(0.0)));
  vec4 beyond = mix(vec4(least), vec4(greatest), greaterThan(x, vec4(3.4e38)));
  return mix(beyond, clamp(whole + after, least, greatest), lessThan(abs(q), vec4(3.4e38)));
}`,
  /** tanh without the overflow of drivers that compute it from exp(2x). */
  tanh4: 'vec4 tanh4(vec4 x) { return tanh(clamp(x, -15.0, 15.0)); }',
  /** The error function to about 1e-7 (Abramowitz & Stegun 7.1.26 is 1.5e-7; small arguments by series). */
  erf4: `vec4 erf4(vec4 x) {
  vec4 a = abs(x), t = 1.0 / (1.0 + 0.3275911 * a);
  vec4 big = 1.0 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * exp(-a * a);
  vec4 q = x * x, small = 1.1283791671 * a * (1.0 + q * (-0.3333333333 + q * (0.1 + q * (-0.0238095238 + q * 0.0046296296))));
  return sign(x) * mix(big, small, lessThan(a, vec4(0.5)));
}`,
  /** sin(x + shift · π/2): range reduction in three parts, then Cephes' polynomials; drivers' own are good to 2e-4 only. */
  sine4: `vec4 sine4(vec4 x, float shift) {
  vec4 q = roundEven(x * 0.6366197724);
  vec4 r = ((x - q * 1.5703125) - q * 4.837512969970703e-4) - q * 7.549790126404332e-8, z = r * r;
  vec4 s = r + r * z * (-0.16666654611 + z * (8.3321608736e-3 - 1.9515295891e-4 * z));
  vec4 c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
  q = mod(q + shift, 4.0);
  vec4 v = mix(s, c, equal(mod(q, 2.0), vec4(1.0)));
  return mix(v, -v, greaterThan(q, vec4(1.5)));
}`,
  /** Denormals, which arithmetic takes for zero: which lanes are, and what they are times 2^149. */
  tiny4: TINY,
  /** x / y with denormal operands. */
  quotient4: `vec4 quotient4(vec4 x, vec4 y) {
  bvec4 tx = tiny4(x), ty = tiny4(y);
  vec4 a = mix(x, grown4(x) * exp2(-75.0), tx), b = mix(y, grown4(y) * exp2(-75.0), ty);
  return a / b * exp2(74.0 * (vec4(ty) - vec4(tx)));
}`,
  /** pow as C has it: negative bases with whole exponents, 0 to the 0 is 1. */
  power4: `vec4 power4(vec4 x, vec4 y) {
  vec4 m = pow(abs(x), y), odd = mod(abs(y), 2.0);
  m = mix(m, mix(vec4(uintBitsToFloat(0x7f800000u)), vec4(0.0), greaterThan(y, vec4(0.0))), equal(x, vec4(0.0)));
  bvec4 whole = equal(y, floor(y));
  m = mix(m, m * (1.0 - 2.0 * odd), lessThan(x, vec4(0.0)));
  m = mix(m, vec4(uintBitsToFloat(0x7fc00000u)), bvec4(x.x < 0.0 && !whole.x, x.y < 0.0 && !whole.y, x.z < 0.0 && !whole.z, x.w < 0.0 && !whole.w));
  bvec4 one = bvec4(x.x == 1.0 || y.x == 0.0, x.y == 1.0 || y.y == 0.0, x.z == 1.0 || y.z == 0.0, x.w == 1.0 || y.w == 0.0);
  bvec4 unit = bvec4(x.x == -1.0 && isinf(y.x), x.y == -1.0 && isinf(y.y), x.z == -1.0 && isinf(y.z), x.w == -1.0 && isinf(y.w));
  return mix(mix(m, vec4(1.0), one), vec4(1.0), unit);
}`,
};
