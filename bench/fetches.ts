// Counts texture fetches where they happen: every fetch of our shaders adds one to a number that the fragment then
// writes in place of its result. That is exact for every loop and branch, and needs nothing of the code it measures.
import { Interpreter, type OpProfile } from 'tflite-gpu';
import type { Case } from './case.js';

/** A draw of ours, with the texture fetches of all its fragments. */
export type CountedDraw = Pick<OpProfile, 'index' | 'op' | 'kernel' | 'multiplyAdds'> & {
  readonly fetches: number;
  readonly fragments: number;
};

const COUNTER = `int fetches = 0;
vec4 counted(sampler2DArray x, vec3 at) { fetches++; return texture(x, at); }
vec4 counted(sampler2D x, vec2 at) { fetches++; return texture(x, at); }
vec4 counted(sampler2DArray x, ivec3 at, int level) { fetches++; return texelFetch(x, at, level); }
vec4 counted(sampler2D x, ivec2 at, int level) { fetches++; return texelFetch(x, at, level); }`;

/** The fetches of a run in float32, draw by draw. No other model of ours may be loaded: it would share its programs. */
export async function countFetches({ bytes, inputs }: Case): Promise<CountedDraw[]> {
  const sums: { fetches: number; fragments: number }[] = [];
  const restore = countInShaders((fetches, fragments) => sums.push({ fetches, fragments }));
  try {
    const interpreter = await Interpreter.create(bytes, { delegate: 'gpu' });
    await interpreter.allocateTensors();
    for (const [k, { index }] of interpreter.getInputDetails().entries()) interpreter.setTensor(index, inputs[k]!.data);
    sums.length = 0;
    const draws = (await interpreter.profile()).filter(({ runsOn }) => runsOn === 'gpu');
    interpreter.dispose();
    return draws.map(({ index, op, kernel, multiplyAdds }, i) => ({ index, op, kernel, multiplyAdds, ...sums[i]! }));
  } finally {
    restore();
  }
}

/** `profile` reads a texel after each draw: there, `note` gets the sum over all fragments and how many there are. */
function countInShaders(note: (fetches: number, fragments: number) => void): () => void {
  const { prototype } = WebGL2RenderingContext;
  const { shaderSource, bindFramebuffer, viewport, readPixels } = prototype;
  let drawn: [x: number, y: number, width: number, height: number][] = [];
  prototype.shaderSource = function (shader, source) {
    shaderSource.call(this, shader, counting(source));
  };
  prototype.bindFramebuffer = function (target, framebuffer) {
    if (target === this.DRAW_FRAMEBUFFER) drawn = [];
    bindFramebuffer.call(this, target, framebuffer);
  };
  prototype.viewport = function (x, y, width, height) {
    drawn.push([x, y, width, height]);
    viewport.call(this, x, y, width, height);
  };
  prototype.readPixels = function (this: WebGL2RenderingContext) {
    let [sum, fragments] = [0, 0];
    for (const [x, y, width, height] of drawn) {
      const texels = new Float32Array(width * height * 4);
      readPixels.call(this, x, y, width, height, this.RGBA, this.FLOAT, texels, 0);
      for (let i = 0; i < texels.length; i += 4) sum += texels[i]!;
      fragments += width * height;
    }
    note(sum, fragments);
  } as typeof readPixels;
  return () => Object.assign(prototype, { shaderSource, bindFramebuffer, viewport, readPixels });
}

function counting(source: string): string {
  const head = source.lastIndexOf('\n', source.indexOf('uniform'));
  if (!/\b(texture|texelFetch)\(/.test(source)) return source;
  const body = source.slice(head).replace(/\b(texture|texelFetch)\(/g, 'counted(');
  return `${source.slice(0, head)}\n${COUNTER}${body.slice(0, body.lastIndexOf('}'))} r0 = vec4(float(fetches)); }`;
}
