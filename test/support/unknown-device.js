// Hides what WebGL runs on, as browsers that resist fingerprinting do: kernels then take the forms for unknown devices
// (texelFetch, four render targets).
{
  const { getParameter } = WebGL2RenderingContext.prototype;
  const names = new Set([0x1f01, 0x9246]); // RENDERER, UNMASKED_RENDERER_WEBGL
  WebGL2RenderingContext.prototype.getParameter = function (name) {
    return names.has(name) ? 'unknown' : getParameter.call(this, name);
  };
}
