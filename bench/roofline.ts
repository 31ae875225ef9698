// What the device can do at most: each peak is the best of several times of a draw that does little else.
import { range } from '../delegate/shader/glsl.js';
import { vertexShader } from '../delegate/shader/kernel.js';
import { Device } from '../delegate/webgl/device.js';

/** Peaks of a device in units a second, and fixed costs. */
export interface Roofline {
  readonly multiplyAdds: number;
  /** RGBA32F texels of a 2D array, in the form that our kernels use on this device. */
  readonly fetches: number;
  readonly fetch: 'texture' | 'texelFetch';
  /** RGBA32F texels, by number of render targets. */
  readonly writes: Readonly<Record<number, number>>;
  /** Microseconds of a draw of one pixel: on the main thread, and altogether. */
  readonly draw: { readonly submit: number; readonly all: number };
  /** Milliseconds to wait for an idle GPU and read so many bytes. */
  readonly readback: Readonly<Record<number, number>>;
}

const SIDE = 128;
const LOOPS = 32;
/** Short draws and many repeats: a busy machine leaves some of them alone. */
const REPEATS = 20;

/** Measures on a context of its own. */
export function measureRoofline(): Roofline {
  const gl = document.createElement('canvas').getContext('webgl2', { antialias: false })!;
  const page = new Page(gl);
  const { fetch, targets } = page.device.capabilities;
  const measured = {
    multiplyAdds: multiplyAdds(page),
    fetches: fetches(page),
    fetch,
    writes: Object.fromEntries([1, 4, targets].map((count) => [count, writes(page, count)])),
    draw: drawCost(page),
    readback: readback(page),
  };
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return measured;
}

/** The context with a square render target and one program. */
class Page {
  readonly gl: WebGL2RenderingContext;
  readonly device: Device;

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.device = new Device(gl);
    gl.bindVertexArray(this.device.vertexArray);
  }

  texture(layers: number) {
    return this.device.createTexture({ width: SIDE, height: SIDE, layers, half: false });
  }

  /** Draws go to so many targets of side × side texels. */
  target(layers: number, side = SIDE): WebGLFramebuffer {
    const framebuffer = this.device.createFramebuffer(this.texture(layers));
    this.gl.viewport(0, 0, side, side);
    return framebuffer;
  }

  /** Draws run this body, which sets r0, r1, … from the uniforms `n`, a number of loops, and `z`. */
  use(targets: number, body: string, head = ''): void {
    const { gl } = this;
    const outputs = range(targets).map((i) => `layout(location = ${i}) out vec4 r${i};`);
    const program = link(
      gl,
      `#version 300 es
precision highp float; precision highp int; precision highp sampler2DArray;
uniform int n; uniform vec4 z; ${head} ${outputs.join(' ')}
void main() { ${body} }`,
    );
    gl.useProgram(program);
    gl.uniform1i(gl.getUniformLocation(program, 'n'), LOOPS);
    gl.uniform4f(gl.getUniformLocation(program, 'z'), 0.5, 0.25, 0.125, 0.75);
  }

  draw(): void {
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }

  /** Waits for the GPU and reads side × side texels. */
  read(side = 1): void {
    this.gl.readPixels(0, 0, side, side, this.gl.RGBA, this.gl.FLOAT, new Float32Array(4 * side * side));
  }

  /** Seconds until the GPU has done this work, without the wait for an idle GPU. */
  seconds(work: () => void = () => this.draw()): number {
    const idle = best(() => this.read());
    const all = best(() => {
      work();
      this.read();
    });
    return Math.max(all - idle, 0.01) / 1000;
  }
}

/** Independent chains, as many as do best: a single one waits for itself, and many do not fit into registers. */
function multiplyAdds(page: Page): number {
  page.target(1);
  const adds = 8;
  const rates = [1, 2, 4, 8].map((count) => {
    const chains = range(count).map((i) => `a${i}`);
    const steps = range(adds).map((i) => `a${i % count} = a${i % count} * m + b;`);
    page.use(
      1,
      `vec4 m = z, b = z.yzwx, ${chains.map((a, i) => `${a} = z + ${i}.0`).join(', ')};
for (int i = n; i > 0; i--) { ${steps.join(' ')} }
r0 = ${chains.join(' + ')};`,
    );
    return (SIDE * SIDE * LOOPS * adds * 4) / page.seconds();
  });
  return Math.max(...rates);
}

/** A row of each layer, texel by texel, as a convolution reads its slices. */
function fetches(page: Page): number {
  const isShare = page.device.capabilities.fetch === 'texture';
  const layers = range(4);
  const reads = layers.map((l) => (isShare ? `texture(x, vec3(at, ${l}.0))` : `texelFetch(x, ivec3(at, ${l}), 0)`));
  page.target(1);
  page.use(
    1,
    `vec2 at = gl_FragCoord.xy${isShare ? ` / ${SIDE}.0` : ''}; vec4 a = vec4(0.0);
float step = ${isShare ? `1.0 / ${SIDE}.0` : '1.0'}, end = ${isShare ? '1.0' : `${SIDE}.0`};
for (int i = n; i > 0; i--) { a += ${reads.join(' + ')}; at.x += step; at.x -= at.x > end ? end : 0.0; }
r0 = a;`,
    'uniform sampler2DArray x;',
  );
  page.texture(layers.length);
  return (SIDE * SIDE * LOOPS * layers.length) / page.seconds();
}

function writes(page: Page, targets: number): number {
  const draws = 64;
  page.target(targets);
  page.use(
    targets,
    range(targets)
      .map((i) => `r${i} = z;`)
      .join(' '),
  );
  return (SIDE * SIDE * targets * draws) / page.seconds(() => times(draws, () => page.draw()));
}

/** Each draw has another target than the one before, as those of a network. */
function drawCost(page: Page): Roofline['draw'] {
  const draws = 2000;
  const targets = [page.target(1, 1), page.target(1, 1)];
  page.use(1, 'r0 = z;');
  const work = () =>
    times(draws, (i) => {
      page.gl.bindFramebuffer(page.gl.FRAMEBUFFER, targets[i % 2]!);
      page.draw();
    });
  return { submit: (median(work) * 1e3) / draws, all: (page.seconds(work) * 1e6) / draws };
}

function readback(page: Page): Roofline['readback'] {
  page.target(1);
  return Object.fromEntries([1, SIDE].map((side) => [side * side * 16, best(() => page.read(side))]));
}

function times(count: number, work: (i: number) => void): void {
  for (let i = 0; i < count; i++) work(i);
}

/** The shortest of several times of `work`, in milliseconds. */
function best(work: () => void): number {
  return timesOf(work)[0]!;
}

/** The middle one, where the clock is too coarse for the shortest. */
function median(work: () => void): number {
  return timesOf(work)[REPEATS >> 1]!;
}

/** In order, after one that compiles. */
function timesOf(work: () => void): number[] {
  work();
  const times = range(REPEATS).map(() => {
    const started = performance.now();
    work();
    return performance.now() - started;
  });
  return times.sort((a, b) => a - b);
}

function link(gl: WebGL2RenderingContext, fragment: string): WebGLProgram {
  const program = gl.createProgram()!;
  for (const [type, source] of [
    [gl.VERTEX_SHADER, vertexShader(0)],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program)!);
  return program;
}
