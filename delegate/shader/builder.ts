import type { Value } from '../ir/graph.js';
import type { Shape } from '../ir/shape.js';
import { type Tiling, tilingOf } from '../layout/layout.js';
import { ARENA_WIDTH, groupsPerRow, type WeightBlock } from '../layout/weights.js';
import { float, HELPERS, NEEDS, range } from './glsl.js';
import { type Kernel, type Param, paramsDeclaration, paramText, UNIFORM_BLOCK_TEXELS, vertexShader } from './kernel.js';
import type { ShaderTarget } from './target.js';

/** What a fragment writes to one render target: a pixel of its block, in a slice of its group. Coordinates are GLSL. */
export interface Plane {
  /** The render target, and the variable a0, a1, … that goes there. */
  readonly index: number;
  readonly px: number;
  readonly py: number;
  readonly ps: number;
  /** py · bx + px: planes that differ only in their slice have the same. */
  readonly pixel: number;
  readonly x: string;
  readonly y: string;
  readonly s: string;
}

/** A slice of the group that a fragment writes: `ps` is its place in the group, a number or GLSL, and `s` its index. */
export interface SliceOfGroup {
  readonly ps: number | string;
  readonly s: string;
}

/** An input tensor as shader text reads it. Coordinates are GLSL floats holding whole numbers. */
export interface InputAccess {
  readonly layout: Tiling;
  /** The texel at pixel (n, y, x), slice s; any pixel and slice of the tensor. */
  at(n: string, y: string, x: string, s: string): string;
  /**
   * Pixels `first` · count + i of row (n, y) in slice s, 0 ≤ i < count, a power of 2: statements, and the texel of each.
   * What they have in common is computed once. The texts are names, numbers or in parentheses.
   */
  run(n: string, y: string, first: string, count: number, s: string): { readonly text: string; at(i: number): string };
  /** The texel at an atlas position (a vec2 of texel centres) and layer. */
  texel(position: string, layer: string | number): string;
  /** A coordinate of an atlas position along an axis, for `fetch`: what several fetches share is computed once. */
  coordinate(axis: 'x' | 'y', position: string): string;
  readonly coordinateType: 'float' | 'int';
  fetch(x: string, y: string, layer: string | number): string;
  /** The position of the first texel of slice s: a vec2. */
  tile(n: string, s: string): string;
  /** That of the texel at the fragment's own place in the tile, where blocks of pixels are those of the output. */
  here(n: string, s: string): string;
  /** The texel of plane `index` of the fragment's own block, where the input has the shape of the output. */
  own(index: number | string): string;
  /** The layer of the first plane of a slice: of one that the fragment writes, or of any slice s. */
  layerOf(s: SliceOfGroup | string): string | number;
  /** Parameters: the size of a tile, and tiles side by side. */
  readonly tileW: string;
  readonly tileH: string;
  readonly cols: string;
}

/** A weight block as shader text reads it, through a cursor at one group. */
export interface BlockAccess {
  /** Statements that put the cursor at group `g`. */
  begin(g: string): string;
  /** Texel k of the group under the cursor. */
  at(k: number): string;
  /** Texel `k`, a GLSL float. */
  atDynamic(k: string): string;
  /** Statements for a second cursor, `k` texels (a GLSL float) behind the first, and what reads through it. */
  behind(k: string): { text: string; at(k: number): string };
  /** Statement that moves the cursor one group on. */
  next(): string;
}

/** Collects what a kernel reads and writes its complete fragment shader. */
export class ShaderBuilder {
  /** What the body makes: the output, or an image of which `foldBlocks` makes it. */
  readonly out: Tiling;
  readonly #stored: Tiling;
  /** What a fragment writes, in the order of its render targets. */
  readonly planes: readonly Plane[];
  /** Those of the first slice: one for each pixel. */
  readonly pixels: readonly Plane[];
  /** Those of the first pixel: one for each slice. */
  readonly slices: readonly Plane[];
  readonly #target: ShaderTarget;
  readonly #output: Value;
  readonly #inputs: Value[] = [];
  readonly #accesses: InputAccess[] = [];
  readonly #blocks: WeightBlock[] = [];
  readonly #params: Param[] = [];
  readonly #functions: string[] = [];
  readonly #helpers = new Set<string>();
  readonly #globals = new Map<string, string>();
  /** Positions that follow from o_n, o_s, o_x and o_y. */
  readonly #positions = new Map<string, string>();
  readonly #firstTile: number | undefined;

  constructor(target: ShaderTarget, output: Value, made: Shape = output.shape) {
    this.#target = target;
    this.#output = output;
    this.#firstTile = target.firstTileOf(output);
    this.#stored = tilingOf(output.shape, target.targets);
    this.out = tilingOf(made, target.targets);
    this.planes = planesOf(this.out);
    this.pixels = this.planesOf(0);
    this.slices = this.planes.filter(({ pixel }) => pixel === 0);
  }

  /** The planes of slice `ps` of the group. */
  planesOf(ps: number): readonly Plane[] {
    return this.planes.filter((plane) => plane.ps === ps);
  }

  /**
   * Statements that make each slice of the group in turn, in a0 … a(pixels − 1): `write` gives those of one. Slices
   * take turns in a loop and move on to their own planes between, so that compilers get the text once; where `keep` is
   * set each turn starts from what its planes held before. The loop is left before the last move, which then costs
   * nothing: software GLs store whatever a turn hands on to the next, under a mask (SwiftShader: 11 instructions a lane).
   */
  eachSlice(write: (slice: SliceOfGroup) => string, keep = false): string {
    const slices = this.slices.length;
    if (slices === 1) return write({ ps: 0, s: 'o_s' });
    const rings = this.pixels.map(({ pixel }) => namesOf(this.planes.filter((p) => p.pixel === pixel)));
    const text = write({ ps: 'ps', s: '(o_s + ps)' });
    if (!keep) return takeTurns('ps', rings, text);
    const turn = rings.map((ring) => {
      const shift = range(slices - 1).map((i) => `${ring[i]} = ${ring[i + 1]};`);
      return `{ vec4 held = ${ring[0]}; ${shift.join(' ')} ${ring.at(-1)} = held; }`;
    });
    return `for (float ps = 0.0;; ps++) { ${text}\n    if (ps > ${float(slices - 1.5)}) break; ${turn.join(' ')} } ${turn.join(' ')}`;
  }

  /**
   * Statements that make each pixel of a block in turn, in a0 and for other slices of the group in the variables of their
   * first planes: `write` gives those of one, whose number is a GLSL float. Pixels take turns as slices do.
   */
  eachPixel(write: (pixel: string) => string): string {
    if (this.pixels.length === 1) return write('0.0');
    return takeTurns('pixel', this.#bySlice('a'), write('pixel'));
  }

  /** The variables of the pixels of each slice. */
  #bySlice(letter: string): string[][] {
    return this.slices.map(({ ps }) => namesOf(this.planesOf(ps), letter));
  }

  /**
   * Statements that make an output of which each pixel is one block of `out`: `write` makes a block in a0 …, and `fold`
   * one pixel of its pixels. Blocks take turns in a loop, so that compilers get the text once.
   */
  foldBlocks(write: string, fold: (into: string, pixels: readonly string[]) => string): string {
    const [pixels, folded] = [this.#bySlice('a'), this.#bySlice('b')];
    const all = folded.flat();
    const block = `float t_y = floor(block * ${float(1 / this.out.bx)}); o_x = b_x + block - t_y * BX; o_y = b_y + t_y;
    ${write}
    ${folded.map(([first], i) => fold(first!, pixels[i]!)).join(' ')}`;
    return `float b_x = o_x * BX, b_y = o_y * BY;
  vec4 ${all.map((b) => `${b} = vec4(0.0)`).join(', ')};
  ${takeTurns('block', folded, block)}
  ${pixels
    .flat()
    .map((a, i) => `${a} = ${all[i]};`)
    .join(' ')}`;
  }

  /**
   * True in tiles beyond the last, whose texels are never read. Long loops are left out there by their count:
   * a `return` would put all that follows under a mask.
   */
  spare(): string {
    return `o_n > ${this.size(this.out.n - 0.5)}`;
  }

  /**
   * A number that elements are computed with, and that differs between draws of one program: the text of a read from the
   * parameter buffer. It never is a literal by itself: compilers turn divisions by constants into products, and join the
   * constants of several steps, which rounds otherwise.
   */
  param(value: number): string {
    return this.#known('number', value);
  }

  /** A size, or the inverse of one: a number that places are computed with. */
  size(value: number): string {
    return this.#known('size', value);
  }

  /** Turns of a loop. */
  count(value: number): string {
    return this.#known('count', value);
  }

  #known(kind: 'number' | 'size' | 'count', value: number): string {
    return this.#target.literals === 'all' ? float(value) : this.#param({ kind, value });
  }

  #param(param: Param): string {
    return paramText(this.#params.push(param) - 1);
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
    const layout = tilingOf(value.shape, this.#target.targets);
    const normalized = this.#target.fetch === 'texture';
    if (normalized)
      this.#global(
        `vec2 i${i}`,
        `vec2(${this.#param({ kind: 'inverse', input: i, axis: 0 })}, ${this.#param({ kind: 'inverse', input: i, axis: 1 })})`,
      );
    const read = (position: string, layer: string | number): string => {
      const l = typeof layer === 'number' ? float(layer) : layer;
      return normalized ? `texture(x${i}, vec3(${position}, ${l}))` : `texelFetch(x${i}, ivec3(${position}, ${l}), 0)`;
    };
    const [tileW, tileH, cols] = [
      this.size(layout.tileW),
      this.size(layout.tileH),
      this.#param({ kind: 'cols', of: i }),
    ];
    const { bx, by, bs } = layout;
    const declared = new Set<string>();
    const once = (name: string, declare: () => void) => {
      if (!declared.has(name)) declare();
      declared.add(name);
    };
    const access: InputAccess = {
      layout,
      texel: (position, layer) => read(normalized ? `(${position}) * i${i}` : position, layer),
      fetch: (x, y, layer) => read(`${x}, ${y}`, layer),
      coordinateType: normalized ? 'float' : 'int',
      coordinate: (axis, position) => (normalized ? `(${position}) * i${i}.${axis}` : `int(${position})`),
      tile: (n, s) => {
        once('tile', () => this.#declareTile(i, access, this.#param({ kind: 'cols-inverse', of: i })));
        return `x${i}_tile(${n}, ${s})`;
      },
      here: (n, s) => `${access.tile(n, s)} + vec2(o_x, o_y)`,
      own: (index) => {
        if (this.#firstTile === undefined) return access.texel('gl_FragCoord.xy', index);
        this.#positions.set(`own${i}`, access.here('o_n', 'o_s'));
        return access.texel(`own${i}`, index);
      },
      layerOf: (s) => {
        if (bs === 1) return 0;
        if (typeof s === 'string') return `(${s} - floor(${s} * 0.5) * 2.0) * ${float(bx * by)}`;
        if (this.out.bs !== bs) return access.layerOf(s.s);
        return typeof s.ps === 'number' ? s.ps * bx * by : `${s.ps} * ${float(bx * by)}`;
      },
      tileW,
      tileH,
      cols,
      run: (n, y, first, count, s) => {
        const id = this.unique('');
        const layers: (string | number)[] = [access.layerOf(s)];
        const lines = [`vec2 at${id} = ${access.tile(n, s)};`];
        let [tx, ty] = [first, y];
        if (by > 1 && layout.h > 1) {
          ty = `ty${id}`;
          lines.push(`float ${ty} = floor(${y} * ${float(1 / by)});`);
          layers.push(`(${y} - ${ty} * ${float(by)}) * ${float(bx)}`);
        }
        if (count < bx) {
          tx = `tx${id}`;
          lines.push(`float ${tx} = floor(${first} * ${float(count / bx)});`);
          layers.push(`(${first} - ${tx} * ${float(bx / count)}) * ${float(count)}`);
        } else if (count > bx) tx = `${first} * ${float(count / bx)}`;
        const layer = layers.reduce(plus);
        const texels = range(Math.ceil(count / bx));
        const across = texels.map((i) => `u${id}_${i} = ${access.coordinate('x', `${plus(`at${id}.x + ${tx}`, i)}`)}`);
        const down = `v${id} = ${access.coordinate('y', layout.h > 1 ? `at${id}.y + ${ty}` : `at${id}.y`)}`;
        lines.push(`${access.coordinateType} ${[...across, down].join(', ')};`);
        if (typeof layer === 'string') lines.push(`float layer${id} = ${layer};`);
        const plane = (i: number) => plus(typeof layer === 'string' ? `layer${id}` : layer, i % bx);
        const at = (i: number) => access.fetch(`u${id}_${Math.floor(i / bx)}`, `v${id}`, plane(i));
        return { text: lines.join(' '), at };
      },
      at: (n, y, x, s) => {
        once('at', () => this.#declareAt(i, access));
        return `x${i}_at(${n}, ${y}, ${x}, ${s})`;
      },
    };
    this.#accesses.push(access);
    return access;
  }

  #declareTile(i: number, { layout, tileW, tileH, cols }: InputAccess, perCol: string): void {
    const group = layout.bs > 1 ? `floor(s * ${float(1 / layout.bs)})` : 's';
    this.declare(`vec2 x${i}_tile(float n, float s) {
  float tile = n * ${this.size(layout.groups)} + ${group}, row = floor((tile + 0.5) * ${perCol});
  return vec2(tile - row * ${cols}, row) * vec2(${tileW}, ${tileH}) + 0.5;
}`);
  }

  #declareAt(i: number, { layout, tile, layerOf, texel }: InputAccess): void {
    const { bx, by } = layout;
    const position = tile('n', 's');
    const layer = plus(layerOf('s'), `(y - ty * ${float(by)}) * ${float(bx)} + (x - tx * ${float(bx)})`);
    this.declare(`vec4 x${i}_at(float n, float y, float x, float s) {
  float tx = ${bx > 1 ? `floor(x * ${float(1 / bx)})` : 'x'}, ty = ${by > 1 ? `floor(y * ${float(1 / by)})` : 'y'};
  return ${texel(`${position} + vec2(tx, ty)`, layer)};
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
        behind: (k) => ({ text: `int v${b} = w${b} + int(${k});`, at: (i) => `weights[v${b} + ${i}]` }),
        next: () => `w${b} += ${group};`,
      };
    }
    const perRow = groupsPerRow(group);
    const normalized = this.#target.fetch === 'texture';
    if (normalized && !this.#globals.has('float iw')) this.#global('float iw', this.#param({ kind: 'arena-inverse' }));
    // The cursor counts in what the fetch takes: shares of the arena's width and height, or texels.
    const [dx, dy] = normalized ? [float(1 / ARENA_WIDTH), 'iw'] : ['1.0', '1.0'];
    const end = float((perRow * group) / (normalized ? ARENA_WIDTH : 1));
    const at = (k: string, cursor = `w${b}.x`): string =>
      normalized
        ? `texture(weights, vec2(${cursor} + ${k}, w${b}.y))`
        : `texelFetch(weights, ivec2(${cursor} + ${k}, w${b}.y), 0)`;
    const columns = (k: number): string => float(normalized ? k / ARENA_WIDTH : k);
    return {
      begin: (g) =>
        `float g${b} = ${first} + (${g}), row${b} = floor((g${b} + 0.5) * ${float(1 / perRow)}); vec2 w${b} = vec2(((g${b} - row${b} * ${float(perRow)}) * ${float(group)} + 0.5) * ${dx}, (row${b} + 0.5) * ${dy});`,
      at: (k) => at(columns(k)),
      atDynamic: (k) => at(normalized ? `(${k}) * ${dx}` : k),
      behind: (k) => ({
        text: `float v${b} = w${b}.x + (${k}) * ${dx};`,
        at: (i) => at(columns(i), `v${b}`),
      }),
      next: () =>
        `w${b}.x += ${columns(group)}; w${b} = mix(w${b}, vec2(${columns(0.5)}, w${b}.y + ${dy}), bvec2(w${b}.x > ${end}));`,
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
   * The kernel of a body that sets a0 … a(planes − 1) from o_n, o_s (batch and first slice of the group) and o_x, o_y
   * (texel in the tile: pixel / block). `tail` maps a plane to the statements fused behind.
   */
  finish(name: string, body: string, multiplyAdds: number, tail: (plane: Plane) => string = () => ''): Kernel {
    const { c, tileW, tileH, groups, bx, by, bs } = this.#stored;
    const tails = this.planes.map(tail).join('\n  ');
    const ragged = c % (4 * bs) !== 0;
    const text = `${body}\n${tails}`;
    const located = ragged || this.#positions.size > 0 || /\bo_[nsxy]\b/.test(text);
    const half = this.#target.isHalf(this.#output);
    if (half) this.helper('half4');
    const store = ({ index, ps }: Plane): string => {
      const stored = half ? `half4(a${index})` : `a${index}`;
      return ragged ? `mix(vec4(0.0), ${stored}, lanes${ps})` : stored;
    };
    const behind = located && this.#firstTile !== undefined ? ` - ${this.size(this.#firstTile)}` : '';
    const locate = located
      ? `vec2 f = floor(gl_FragCoord.xy);
  float col = floor((f.x + 0.5) * ${this.size(1 / tileW)}), o_x = f.x - col * ${this.size(tileW)};
  float row = floor((f.y + 0.5) * ${this.size(1 / tileH)}), o_y = f.y - row * ${this.size(tileH)};
  float tile = row * ${this.#param({ kind: 'cols', of: 'output' })} + col${behind}, o_n = floor((tile + 0.5) * ${this.size(1 / groups)});
  float o_s = (tile - o_n * ${this.size(groups)})${bs > 1 ? ` * ${float(bs)}` : ''};`
      : '';
    const lanesBelow = (channels: string) =>
      this.slices.map(
        ({ ps, s }) => `bvec4 lanes${ps} = lessThan(${s} * 4.0 + vec4(0.0, 1.0, 2.0, 3.0), vec4(${channels}));`,
      );
    const lanes = ragged ? lanesBelow(this.size(c)) : [];
    const positions = [...this.#positions].map(([name, value]) => `vec2 ${name} = ${value};`);
    const globals = [...this.#globals].map(([global, value]) => `${global.split(' ')[1]} = ${value};`);
    const main = `void main() {
  ${[...globals, locate, ...positions, ...lanes].filter(Boolean).join('\n  ')}
  vec4 ${this.planes.map(({ index }) => `a${index} = vec4(0.0)`).join(', ')};
  ${body}
  ${tails}
  ${this.planes.map((plane) => `r${plane.index} = ${store(plane)};`).join('\n  ')}
}`;
    const params = paramsDeclaration(this.#params.length, this.#target.varyings);
    const storage = this.#blocks.length > 0 && this.#uniform() ? 'uniform' : 'texture';
    const header = [
      '#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2DArray;\nprecision highp sampler2D;',
      ...this.#inputs.map((_, i) => `uniform sampler2DArray x${i};`),
      this.#blocks.length === 0
        ? ''
        : storage === 'uniform'
          ? `layout(std140) uniform Weights { vec4 weights[${UNIFORM_BLOCK_TEXELS}]; };`
          : 'uniform sampler2D weights;',
      params.text,
      ...this.planes.map(({ index }) => `layout(location = ${index}) out vec4 r${index};`),
      `const float BX = ${float(bx)}, BY = ${float(by)};`,
      ...[...this.#globals.keys()].map((declaration) => `${declaration};`),
      ...[...this.#helpers].map((h) => HELPERS[h]!),
      ...this.#functions,
    ];
    return {
      name,
      source: [...header.filter(Boolean), main].join('\n'),
      vertex: vertexShader(params.varyings),
      output: this.#output,
      inputs: this.#inputs,
      blocks: this.#blocks,
      storage,
      params: this.#params,
      multiplyAdds,
    };
  }

  /**
   * The kernel of `vec4 texel(float n, float y, float x, float s)`, which gives any one texel of the output. Drivers
   * copy the text of a function to each call: one that loops or decodes lane by lane is called in a loop over planes.
   */
  finishTexel(name: string, texel: string, tail?: (plane: Plane) => string, long = false): Kernel {
    this.declare(`vec4 texel(float n, float y, float x, float s) {\n${texel}\n}`);
    const { bx, by } = this.out;
    if (!long || this.planes.length === 1) {
      const body = this.planes.map(({ index, x, y, s }) => `a${index} = texel(o_n, ${y}, ${x}, ${s});`).join('\n  ');
      return this.finish(name, body, 0, tail);
    }
    const body = takeTurns(
      'plane',
      [namesOf(this.planes)],
      `float row = floor(plane * ${float(1 / bx)}), ps = floor(row * ${float(1 / by)});
    a0 = texel(o_n, o_y * BY + row - ps * BY, o_x * BX + plane - row * BX, o_s + ps);`,
    );
    return this.finish(name, body, 0, tail);
  }
}

/** The variables of planes. */
function namesOf(planes: readonly Plane[], letter = 'a'): string[] {
  return planes.map(({ index }) => `${letter}${index}`);
}

/**
 * A loop that makes the variables of each ring, the last one first: `text` makes the first one of each for the number
 * that `counter` has, and it moves on between. The loop is left before the last move, which then costs nothing.
 */
function takeTurns(counter: string, rings: readonly (readonly string[])[], text: string): string {
  const last = rings[0]!.length - 1;
  const on = rings.flatMap((ring) => range(last).map((i) => `${ring[last - i]} = ${ring[last - i - 1]};`));
  return `for (float ${counter} = ${float(last)};; ${counter}--) { ${text}\n    if (${counter} < 0.5) break; ${on.join(' ')} }`;
}

function planesOf({ bx, by, bs }: Tiling): Plane[] {
  return Array.from({ length: bx * by * bs }, (_, index) => {
    const pixel = index % (bx * by);
    const [px, py, ps] = [pixel % bx, Math.floor(pixel / bx), Math.floor(index / (bx * by))];
    const plane = { index, px, py, ps, pixel };
    const [x, y] = [`(o_x * BX + ${float(px)})`, `(o_y * BY + ${float(py)})`];
    return { ...plane, x, y, s: ps === 0 ? 'o_s' : `(o_s + ${float(ps)})` };
  });
}

/** The coordinate along a dimension of an operand that may be broadcast: 0 where that is of size 1. */
export function keep(size: number, coordinate: string): string {
  return size === 1 ? '0.0' : coordinate;
}

/** The sum of two GLSL floats, or of a number and one. */
export function plus(a: string | number, b: string | number): string | number {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  return `${typeof a === 'number' ? float(a) : a} + ${typeof b === 'number' ? float(b) : b}`;
}
