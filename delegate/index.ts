export { debugLevel, setDebug } from './debug.js';
export { ContextLostError, DeviceError, ModelError, UnsupportedError } from './errors.js';
export type {
  CompileOptions,
  DeviceStats,
  DrawTime,
  Executable,
  ExecutableStats,
  GpuDelegate,
  InputSource,
  LinearTexture,
} from './executable.js';
export { Hash } from './hash.js';
export { checkGraph } from './ir/check.js';
export * from './ir/dtype.js';
export * from './ir/graph.js';
export * from './ir/op.js';
export { printGraph } from './ir/print.js';
export * from './ir/shape.js';
export { dequantize as dequantizeData } from './ops/convert.js';
export { densify } from './ops/densify.js';
export { ops } from './ops/index.js';
export * from './options.js';
export { dropDead, dropIdentity, foldConstants, matmulToFullyConnected } from './passes/canonical.js';
export { canonicalize } from './passes/canonicalize.js';
export { type Pass, runPasses } from './passes/pass.js';
export { task } from './task.js';
export { VERSION } from './version.js';
