/** Capabilities that would change what a draw writes. */
const CAPABILITIES = [
  'SCISSOR_TEST',
  'BLEND',
  'DEPTH_TEST',
  'STENCIL_TEST',
  'RASTERIZER_DISCARD',
  'SAMPLE_ALPHA_TO_COVERAGE',
  'SAMPLE_COVERAGE',
  'CULL_FACE',
] as const;
/** Pixel-store parameters that the browser knows without asking the GPU process; ours are 0. */
const STORES = [
  'UNPACK_FLIP_Y_WEBGL',
  'UNPACK_PREMULTIPLY_ALPHA_WEBGL',
  'UNPACK_SKIP_PIXELS',
  'UNPACK_SKIP_ROWS',
  'UNPACK_SKIP_IMAGES',
  'PACK_SKIP_PIXELS',
  'PACK_SKIP_ROWS',
] as const;
/** The same of which Chromium asks the GPU process, with ours. */
const SLOW_STORES = [
  ['UNPACK_ROW_LENGTH', 0],
  ['UNPACK_IMAGE_HEIGHT', 0],
  ['PACK_ROW_LENGTH', 0],
  ['UNPACK_ALIGNMENT', 4],
  ['PACK_ALIGNMENT', 4],
] as const;
/** Buffers that our calls bind. */
const BUFFERS = ['UNIFORM_BUFFER', 'PIXEL_PACK_BUFFER', 'PIXEL_UNPACK_BUFFER'] as const;

/**
 * Keeps a context as others, tfjs above all, have set it. What Chromium asks the GPU process for is read once per
 * context, before the first draw, and put back as it was then, which tfjs never changes: asking later would wait for all
 * draws in the queue, and an asynchronous run would block.
 */
export class Guard {
  readonly #gl: WebGL2RenderingContext;
  readonly #mask: readonly boolean[];
  readonly #slow: readonly number[];
  readonly #enabled: boolean[] = [];
  readonly #stores: unknown[] = [];
  readonly #buffers: (WebGLBuffer | null)[] = [];
  #isOn = false;

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    this.#mask = [...(gl.getParameter(gl.COLOR_WRITEMASK) as boolean[])];
    this.#slow = SLOW_STORES.map(([name]) => gl.getParameter(gl[name]) as number);
  }

  /**
   * Runs `body` with the context in the state that our calls expect, then puts back what was set: bindings,
   * capabilities, masks, viewport and pixel-store parameters. Within another `run` it only runs the body. Never waits
   * for the GPU.
   */
  run<T>(body: () => T): T {
    if (this.#isOn) return body();
    const gl = this.#gl;
    const viewport = gl.getParameter(gl.VIEWPORT) as Int32Array;
    const vertexArray = gl.getParameter(gl.VERTEX_ARRAY_BINDING) as WebGLVertexArrayObject | null;
    const program = gl.getParameter(gl.CURRENT_PROGRAM) as WebGLProgram | null;
    const active = gl.getParameter(gl.ACTIVE_TEXTURE) as GLenum;
    const draw = gl.getParameter(gl.DRAW_FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
    const read = gl.getParameter(gl.READ_FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
    this.#enter();
    try {
      return body();
    } finally {
      this.#leave();
      gl.viewport(viewport[0]!, viewport[1]!, viewport[2]!, viewport[3]!);
      gl.bindVertexArray(vertexArray);
      gl.useProgram(program);
      gl.activeTexture(active);
      gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, draw);
      gl.bindFramebuffer(gl.READ_FRAMEBUFFER, read);
    }
  }

  #enter(): void {
    const gl = this.#gl;
    this.#isOn = true;
    for (let i = 0; i < CAPABILITIES.length; i++) {
      const capability = gl[CAPABILITIES[i]!];
      this.#enabled[i] = gl.isEnabled(capability);
      if (this.#enabled[i]) gl.disable(capability);
    }
    for (let i = 0; i < STORES.length; i++) {
      const store = gl[STORES[i]!];
      this.#stores[i] = gl.getParameter(store);
      if (this.#stores[i]) gl.pixelStorei(store, 0);
    }
    for (let i = 0; i < BUFFERS.length; i++) {
      this.#buffers[i] = gl.getParameter(gl[`${BUFFERS[i]!}_BINDING`]) as WebGLBuffer | null;
      if (this.#buffers[i]) gl.bindBuffer(gl[BUFFERS[i]!], null);
    }
    for (let i = 0; i < SLOW_STORES.length; i++) gl.pixelStorei(gl[SLOW_STORES[i]![0]], SLOW_STORES[i]![1]);
    gl.colorMask(true, true, true, true);
    gl.bindVertexArray(null);
  }

  #leave(): void {
    const gl = this.#gl;
    this.#isOn = false;
    for (let i = 0; i < CAPABILITIES.length; i++) if (this.#enabled[i]) gl.enable(gl[CAPABILITIES[i]!]);
    for (let i = 0; i < STORES.length; i++)
      if (this.#stores[i]) gl.pixelStorei(gl[STORES[i]!], this.#stores[i] as number | boolean);
    for (let i = 0; i < SLOW_STORES.length; i++)
      if (this.#slow[i] !== SLOW_STORES[i]![1]) gl.pixelStorei(gl[SLOW_STORES[i]![0]], this.#slow[i]!);
    gl.colorMask(this.#mask[0]!, this.#mask[1]!, this.#mask[2]!, this.#mask[3]!);
    for (let i = 0; i < BUFFERS.length; i++) gl.bindBuffer(gl[BUFFERS[i]!], this.#buffers[i]!);
  }
}
