import type { Value } from '../ir/graph.js';
import { type Layout, layoutOf } from '../layout/layout.js';
import { ARENA_WIDTH, groupsPerRow, type WeightBlock } from '../layout/weights.js';
import { float, HELPERS, NEEDS } from './glsl.js';
import { type Kernel, type Param, type ShaderTarget, UNIFORM_BLOCK_TEXELS } from './kernel.js';

/** An input tensor as shader text reads it. Coordinates are GLSL floats holding whole numbers. */
export interface InputAccess {
  readonly layout: Layout;
  /** The texel at pixel (n, y, x), slice s; any pixel and slice of the tensor. */
  at(n: string, y: string, x: string, s: string): string;
  /** The texel at an atlas position (a vec2 of texel centres) and layer. */
  texel(position: string, layer: string | number): string;
  /** A parameter: how far apart slices are (tileW, tileH), rows a batch, columns, … */
  readonly tileW: string;
  readonly tileH: string;
  readonly cols: string;
  readonly rows: string;
}

/** A weight block as shader text reads it, through a cursor at one group. */
export interface BlockAccess {
  /** Statements that put the cursor at group `g`. */
  begin(g: string): string;
  /** Texel k of the group under the cursor. */
  at(k: number): string;
  /** Texel `k`, a GLSL float. */
  atDynamic(k: string): string;
  /** Statement that moves the cursor one group on. */
  next(): string;
}

/** Collects what a kernel reads and writes its complete fragment shader. */
export class ShaderBuilder {
  readonly out: Layout;
  /** Number of pixels, hence render targets, that a fragment writes. */
  readonly planes: number;
  readonly #target: ShaderTarget;
  readonly #output: Value;
  readonly #inputs: Value[] = [];
  readonly #accesses: InputAccess[] = [];
  readonly #blocks: WeightBlock[] = [];
  readonly #params: Param[] = [];
  readonly #functions: string[] = [];
  readonly #helpers = new Set<string>();
  readonly #globals = new Map<string, string>();

  constructor(target: ShaderTarget, output: Value) {
    this.#target = target;
    this.#output = output;
    this.out = layoutOf(output.shape, target.atlasWidth);
    this.planes = this.out.layers;
  }

  /** A number that differs between draws of one program: the text of a read from the parameter buffer. */
  param(value: number): string {
    return this.#target.inlineParameters ? float(value) : this.#param({ kind: 'number', value });
  }

  #param(param: Param): string {
    const i = this.#params.push(param) - 1;
    return `p[${i >> 2}].${'xyzw'[i & 3]}`;
  }

  /** A variable that all functions see, set before the body from the parameter buffer. */
  #global(declaration: string, value: string): void {
    this.#globals.set(declaration, value);
  }

  /** Adds a function to the shader. */
  declare(text: string): void {
    this.#functions.push(text);
  }

  #names = 0;
  /** A name that nothing else in the shader has. */
  unique(stem: string): string {
    return `${stem}${this.#names++}`;
  }

  input(value: Value): InputAccess {
    const known = this.#inputs.indexOf(value);
    if (known >= 0) return this.#accesses[known]!;
    const i = this.#inputs.push(value) - 1;
    const layout = layoutOf(value.shape, this.#target.atlasWidth);
    const normalized = this.#target.fetch === 'texture';
    if (normalized)
      this.#global(
        `vec2 i${i}`,
        `vec2(${this.#param({ kind: 'inverse', input: i, axis: 0 })}, ${this.#param({ kind: 'inverse', input: i, axis: 1 })})`,
      );
    const texel = (position: string, layer: string | number): string => {
      const l = typeof layer === 'number' ? float(layer) : layer;
      return normalized
        ? `texture(x${i}, vec3((${position}) * i${i}, ${l}))`
        : `texelFetch(x${i}, ivec3(${position}, ${l}), 0)`;
    };
    const [tileW, tileH, cols, rows] = [
      this.param(layout.tileW),
      this.param(layout.tileH),
      this.param(layout.cols),
      this.param(layout.rows),
    ];
    let declared = false;
    const access: InputAccess = {
      layout,
      texel,
      tileW,
      tileH,
      cols,
      rows,
      at: (n, y, x, s) => {
        if (!declared) this.#declareAt(i, layout, access, this.param(1 / layout.cols));
        declared = true;
        return `x${i}_at(${n}, ${y}, ${x}, ${s})`;
      },
    };
    this.#accesses.push(access);
    return access;
  }

  #declareAt(i: number, { bx, by }: Layout, { tileW, tileH, cols, rows, texel }: InputAccess, perCol: string): void {
    this.declare(`vec4 x${i}_at(float n, float y, float x, float s) {
  float row = floor((s + 0.5) * ${perCol}), col = s - row * ${cols};
  float tx = ${bx > 1 ? `floor(x * ${float(1 / bx)})` : 'x'}, ty = ${by > 1 ? `floor(y * ${float(1 / by)})` : 'y'};
  return ${texel(`vec2(col * ${tileW} + tx, (n * ${rows} + row) * ${tileH} + ty) + 0.5`, `(y - ty * ${float(by)}) * ${float(bx)} + (x - tx * ${float(bx)})`)};
}`);
  }

  block(block: WeightBlock): BlockAccess {
    const b = this.#blocks.push(block) - 1;
    const { group } = block;
    const first = this.#param({ kind: 'block', block: b });
    if (this.#uniform()) {
      return {
        begin: (g) => `int w${b} = int(${first}) + int(${g}) * ${group};`,
        at: (k) => `weights[w${b} + ${k}]`,
        atDynamic: (k) => `weights[w${b} + int(${k})]`,
        next: () => `w${b} += ${group};`,
      };
    }
    const perRow = groupsPerRow(group);
    const normalized = this.#target.fetch === 'texture';
    if (normalized && !this.#globals.has('vec2 iw'))
      this.#global('vec2 iw', `vec2(${float(1 / ARENA_WIDTH)}, ${this.#param({ kind: 'arena-inverse' })})`);
    const at = (k: string): string =>
      normalized
        ? `texture(weights, vec2(w${b}.x + ${k}, w${b}.y) * iw)`
        : `texelFetch(weights, ivec2(w${b}.x + ${k}, w${b}.y), 0)`;
    return {
      begin: (g) =>
        `float g${b} = floor((${g} + 0.5) * ${float(1 / perRow)}); vec2 w${b} = vec2((${g} - g${b} * ${float(perRow)}) * ${float(group)} + 0.5, ${first} + g${b} + 0.5);`,
      at: (k) => at(float(k)),
      atDynamic: at,
      next: () =>
        `w${b}.x += ${float(group)}; if (w${b}.x > ${float(perRow * group)}) w${b} = vec2(0.5, w${b}.y + 1.0);`,
    };
  }

  #blockTexels = 0;
  /** Blocks that a kernel will read must be announced before the first is opened: all are in one place. */
  announce(...blocks: readonly WeightBlock[]): void {
    for (const b of blocks) this.#blockTexels += b.group * b.groups;
  }

  #uniform(): boolean {
    return this.#target.uniformWeights && this.#blockTexels <= UNIFORM_BLOCK_TEXELS;
  }

  /** Uses a function of `glsl.ts` by name. */
  helper(name: string): void {
    if (NEEDS[name]) this.#helpers.add(NEEDS[name]);
    this.#helpers.add(name);
  }

  /**
   * The kernel of a body that sets a0 … a(planes − 1), the pixels of the block, from o_n, o_s (batch and slice)
   * and o_x, o_y (texel in the tile: pixel / block). `tail` maps plane and variable to the statement fused behind.
   */
  finish(name: string, body: string, multiplyAdds: number, tail: (plane: number) => string = () => ''): Kernel {
    const { c, tileW, tileH, cols, rows, slices, bx, by, layers } = this.out;
    const tails = Array.from({ length: layers }, (_, p) => tail(p)).join('\n  ');
    const ragged = c % 4 !== 0;
    const text = `${body}\n${tails}`;
    const located = ragged || cols * rows > slices || /\bo_[nsxy]\b/.test(text);
    const half = this.#target.isHalf(this.#output);
    const store = (v: string): string => {
      const clamped = half ? `clamp(${v}, -65504.0, 65504.0)` : v;
      return ragged ? `mix(vec4(0.0), ${clamped}, lanes)` : clamped;
    };
    const locate = located
      ? `vec2 f = floor(gl_FragCoord.xy);
  float col = floor((f.x + 0.5) * ${this.param(1 / tileW)}), o_x = f.x - col * ${this.param(tileW)};
  float line = floor((f.y + 0.5) * ${this.param(1 / tileH)}), o_y = f.y - line * ${this.param(tileH)};
  float o_n = floor((line + 0.5) * ${this.param(1 / rows)});
  float o_s = (line - o_n * ${this.param(rows)}) * ${this.param(cols)} + col;`
      : '';
    const leave = cols * rows > slices ? `if (o_s > ${this.param(slices - 0.5)}) return;` : '';
    const lanes = ragged ? `bvec4 lanes = lessThan(o_s * 4.0 + vec4(0.0, 1.0, 2.0, 3.0), vec4(${this.param(c)}));` : '';
    const planes = Array.from({ length: layers }, (_, p) => p);
    const globals = [...this.#globals].map(([name, value]) => `${name.split(' ')[1]} = ${value};`);
    const main = `void main() {
  ${[...globals, locate, leave, lanes].filter(Boolean).join('\n  ')}
  vec4 ${planes.map((p) => `a${p}`).join(', ')};
  ${body}
  ${tails}
  ${planes.map((p) => `r${p} = ${store(`a${p}`)};`).join('\n  ')}
}`;
    const storage = this.#blocks.length > 0 && this.#uniform() ? 'uniform' : 'texture';
    const header = [
      '#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2DArray;\nprecision highp sampler2D;',
      ...this.#inputs.map((_, i) => `uniform sampler2DArray x${i};`),
      this.#blocks.length === 0
        ? ''
        : storage === 'uniform'
          ? `layout(std140) uniform Weights { vec4 weights[${UNIFORM_BLOCK_TEXELS}]; };`
          : 'uniform sampler2D weights;',
      `layout(std140) uniform Params { vec4 p[${Math.max(1, Math.ceil(this.#params.length / 4))}]; };`,
      ...planes.map((p) => `layout(location = ${p}) out vec4 r${p};`),
      `const float BX = ${float(bx)}, BY = ${float(by)};`,
      ...[...this.#globals.keys()].map((declaration) => `${declaration};`),
      ...[...this.#helpers].map((h) => HELPERS[h]!),
      ...this.#functions,
    ];
    return {
      name,
      source: [...header.filter(Boolean), main].join('\n'),
      output: this.#output,
      inputs: this.#inputs,
      blocks: this.#blocks,
      storage,
      params: this.#params,
      multiplyAdds,
    };
  }

  /** The kernel of `vec4 texel(float n, float y, float x, float s)`, which gives any one texel of the output. */
  finishTexel(name: string, texel: string, multiplyAdds: number, tail?: (plane: number) => string): Kernel {
    this.declare(`vec4 texel(float n, float y, float x, float s) {\n${texel}\n}`);
    const { bx } = this.out;
    const body = Array.from({ length: this.planes }, (_, p) => {
      const [px, py] = [p % bx, Math.floor(p / bx)];
      return `a${p} = texel(o_n, ${pixel('o_y', 'BY', py)}, ${pixel('o_x', 'BX', px)}, o_s);`;
    }).join('\n  ');
    return this.finish(name, body, multiplyAdds, tail);
  }
}

/** The pixel coordinate of plane offset `d` in the block at tile texel `t`. */
export function pixel(t: string, block: 'BX' | 'BY', d: number): string {
  return `${t} * ${block} + ${float(d)}`;
}
