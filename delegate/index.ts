export { createGpuDelegate } from './delegate.js';
export type { DeviceStats, DrawTime, Executable, ExecutableStats, GpuDelegate, LinearTexture } from './executable.js';
export { debugLevel, setDebug } from './debug.js';
export { ContextLostError, DeviceError, ModelError, UnsupportedError } from './errors.js';
export * from './options.js';
export * from './ir/dtype.js';
export * from './ir/graph.js';
export * from './ir/op.js';
export * from './ir/shape.js';
