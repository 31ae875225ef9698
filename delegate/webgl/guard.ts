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
/** Pixel-store parameters that the browser knows without asking the GPU process. */
const STORES = [
  'UNPACK_FLIP_Y_WEBGL',
  'UNPACK_PREMULTIPLY_ALPHA_WEBGL',
  'UNPACK_SKIP_PIXELS',
  'UNPACK_SKIP_ROWS',
  'UNPACK_SKIP_IMAGES',
  'PACK_SKIP_PIXELS',
  'PACK_SKIP_ROWS',
] as const;

/**
 * State that Chromium asks the GPU process for, which first works off all draws in its queue: an asynchronous run would
 * block. It is read once per context, before the first draw, and put back as it was then; tfjs never changes it.
 */
interface Initial {
  readonly mask: readonly boolean[];
  readonly stores: readonly (readonly [name: GLenum, value: number, ours: number])[];
}
/** By context; `initialOf` is called once before anything is compiled, since asking waits for that too. */
const initials = new WeakMap<WebGL2RenderingContext, Initial>();

export function initialOf(gl: WebGL2RenderingContext): Initial {
  const known = initials.get(gl);
  if (known) return known;
  const stores = [
    [gl.UNPACK_ROW_LENGTH, 0],
    [gl.UNPACK_IMAGE_HEIGHT, 0],
    [gl.PACK_ROW_LENGTH, 0],
    [gl.UNPACK_ALIGNMENT, 4],
    [gl.PACK_ALIGNMENT, 4],
  ] as const;
  const initial: Initial = {
    mask: [...(gl.getParameter(gl.COLOR_WRITEMASK) as boolean[])],
    stores: stores.map(([name, ours]) => [name, gl.getParameter(name) as number, ours] as const),
  };
  if (!gl.isContextLost()) initials.set(gl, initial);
  return initial;
}

/**
 * Runs `body` with the context in the state that our calls expect, then puts back what others, tfjs above all, had
 * set: bindings, capabilities, masks, viewport and pixel-store parameters. Asking for it never waits for the GPU.
 */
export function guarded<T>(gl: WebGL2RenderingContext, body: () => T): T {
  const get = (name: GLenum): unknown => gl.getParameter(name);
  const initial = initialOf(gl);
  const on = CAPABILITIES.filter((c) => gl.isEnabled(gl[c]));
  const stores = STORES.map((name) => [gl[name], get(gl[name])] as const).filter(([, v]) => v);
  const viewport = get(gl.VIEWPORT) as Int32Array;
  const vao = get(gl.VERTEX_ARRAY_BINDING) as WebGLVertexArrayObject | null;
  const program = get(gl.CURRENT_PROGRAM) as WebGLProgram | null;
  const active = get(gl.ACTIVE_TEXTURE) as GLenum;
  const draw = get(gl.DRAW_FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
  const read = get(gl.READ_FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
  const buffers = [
    [gl.UNIFORM_BUFFER, gl.UNIFORM_BUFFER_BINDING],
    [gl.PIXEL_PACK_BUFFER, gl.PIXEL_PACK_BUFFER_BINDING],
    [gl.PIXEL_UNPACK_BUFFER, gl.PIXEL_UNPACK_BUFFER_BINDING],
  ].map(([target, name]) => [target!, get(name!) as WebGLBuffer | null] as const);
  for (const c of on) gl.disable(gl[c]);
  for (const [name] of stores) gl.pixelStorei(name, 0);
  for (const [name, , ours] of initial.stores) gl.pixelStorei(name, ours);
  gl.colorMask(true, true, true, true);
  gl.bindVertexArray(null);
  for (const [target] of buffers) gl.bindBuffer(target, null);
  try {
    return body();
  } finally {
    for (const c of on) gl.enable(gl[c]);
    for (const [name, value] of stores) gl.pixelStorei(name, value as number | boolean);
    for (const [name, value] of initial.stores) gl.pixelStorei(name, value);
    const [r, g, b, a] = initial.mask;
    gl.colorMask(r ?? true, g ?? true, b ?? true, a ?? true);
    gl.viewport(viewport[0]!, viewport[1]!, viewport[2]!, viewport[3]!);
    gl.bindVertexArray(vao);
    gl.useProgram(program);
    gl.activeTexture(active);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, draw);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, read);
    for (const [target, buffer] of buffers) gl.bindBuffer(target, buffer);
  }
}
