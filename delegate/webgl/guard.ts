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
const UNPACK = [
  'UNPACK_FLIP_Y_WEBGL',
  'UNPACK_PREMULTIPLY_ALPHA_WEBGL',
  'UNPACK_ROW_LENGTH',
  'UNPACK_SKIP_PIXELS',
  'UNPACK_SKIP_ROWS',
  'UNPACK_IMAGE_HEIGHT',
  'UNPACK_SKIP_IMAGES',
] as const;
const PACK = ['PACK_ROW_LENGTH', 'PACK_SKIP_PIXELS', 'PACK_SKIP_ROWS'] as const;

/**
 * Runs `body` with the context in the state that our calls expect, then puts back what others, tfjs above all, had
 * set: bindings, capabilities, masks, viewport and pixel-store parameters. All of it is state the browser keeps on
 * the page's side, so asking does not wait for the GPU.
 */
export function guarded<T>(gl: WebGL2RenderingContext, body: () => T): T {
  const get = (name: GLenum): unknown => gl.getParameter(name);
  const on = CAPABILITIES.filter((c) => gl.isEnabled(gl[c]));
  const stores = [...UNPACK, ...PACK].map((name) => [gl[name], get(gl[name])] as const).filter(([, v]) => v);
  const alignments = [gl.UNPACK_ALIGNMENT, gl.PACK_ALIGNMENT].map((name) => [name, get(name) as number] as const);
  const mask = get(gl.COLOR_WRITEMASK) as boolean[];
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
  for (const [name] of alignments) gl.pixelStorei(name, 4);
  gl.colorMask(true, true, true, true);
  gl.bindVertexArray(null);
  for (const [target] of buffers) gl.bindBuffer(target, null);
  try {
    return body();
  } finally {
    for (const c of on) gl.enable(gl[c]);
    for (const [name, value] of stores) gl.pixelStorei(name, value as number | boolean);
    for (const [name, value] of alignments) gl.pixelStorei(name, value);
    gl.colorMask(mask[0]!, mask[1]!, mask[2]!, mask[3]!);
    gl.viewport(viewport[0]!, viewport[1]!, viewport[2]!, viewport[3]!);
    gl.bindVertexArray(vao);
    gl.useProgram(program);
    gl.activeTexture(active);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, draw);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, read);
    for (const [target, buffer] of buffers) gl.bindBuffer(target, buffer);
  }
}
