/** What the page asked of WebGL2 and WebGPU. */
export interface ApiCalls {
  /** All calls but those that ask whether the GPU is done. */
  readonly calls: number;
  /** Draws, or dispatches of WebGPU. */
  readonly draws: number;
  /** Programs linked, or pipelines made. */
  readonly programs: number;
  /** Characters of shader source, as often as they were given. */
  readonly shaderBytes: number;
}

const INTERFACES = [
  'WebGL2RenderingContext',
  'GPUDevice',
  'GPUQueue',
  'GPUCommandEncoder',
  'GPUComputePassEncoder',
] as const;
const POLLS = ['clientWaitSync', 'getSyncParameter', 'isContextLost'];
const DRAWS = ['drawArrays', 'drawElements', 'dispatchWorkgroups', 'dispatchWorkgroupsIndirect'];
const PROGRAMS = ['linkProgram', 'createComputePipeline', 'createComputePipelineAsync'];

/** Counts the calls of all engines of the page while `work` is done. Slows them, so nothing is timed meanwhile. */
export async function countCalls<T>(work: () => Promise<T>): Promise<{ result: T; calls: ApiCalls }> {
  let [calls, draws, programs, shaderBytes] = [0, 0, 0, 0];
  const note = (name: string, given: readonly unknown[]) => {
    if (!POLLS.includes(name)) calls++;
    if (DRAWS.includes(name)) draws++;
    if (PROGRAMS.includes(name)) programs++;
    if (name === 'shaderSource') shaderBytes += String(given[1]).length;
    if (name === 'createShaderModule') shaderBytes += (given[0] as { code: string }).code.length;
  };
  const restore = INTERFACES.flatMap((name) => {
    const made = (globalThis as unknown as Record<string, { prototype: object } | undefined>)[name];
    return made ? [watchMethods(made.prototype, note)] : [];
  });
  try {
    const result = await work();
    return { result, calls: { calls, draws, programs, shaderBytes } };
  } finally {
    for (const each of restore) each();
  }
}

/** Tells `note` of every call of an interface's methods until the result is called. */
function watchMethods(prototype: object, note: (name: string, given: readonly unknown[]) => void): () => void {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(
    ([name, { value }]) => typeof value === 'function' && name !== 'constructor',
  );
  for (const [name, descriptor] of methods) {
    Object.defineProperty(prototype, name, {
      ...descriptor,
      value(...given: unknown[]) {
        note(name, given);
        return descriptor.value.apply(this, given);
      },
    });
  }
  return () => Object.defineProperties(prototype, Object.fromEntries(methods));
}
