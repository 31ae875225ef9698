// The engines under comparison behind one shape: load a model, run it on given inputs, give all outputs back.
import { litert } from './peers/litert.js';
import { mediapipe } from './peers/mediapipe.js';
import { ours } from './peers/ours.js';
import { tfjs } from './peers/tfjs.js';
import { tfjsTflite } from './peers/tfjs-tflite.js';

export type Values = Float32Array | Int32Array;

/** One input of a model. The values of a picture are read from it each time anew, so that reading is part of a run. */
export interface Input {
  readonly data: Values;
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32';
  readonly picture?: HTMLCanvasElement;
}

/** An engine. */
export interface Peer {
  /** How far its outputs may be off, as a share of their range; 1e-3 unless it computes in half precision. */
  readonly tolerance?: number;
  /** Fetches and starts what the engine itself consists of; once a page. */
  start?(): Promise<void>;
  /** Throws with the reason where the engine cannot take the model. */
  load(bytes: Uint8Array<ArrayBuffer>): Promise<LoadedModel>;
}

/** A loaded model. */
export interface LoadedModel {
  /** Uploads the inputs, runs, and reads all outputs back. */
  run(inputs: readonly Input[]): Promise<Values[]>;
  /** Like `run`, but blocks the page until the outputs are there. */
  runSync?(inputs: readonly Input[]): Values[];
  /** Uploads the inputs and issues a run, and returns before the GPU is done. */
  submit?(inputs: readonly Input[]): void;
  /** `count` runs in flight at once. */
  overlap?(inputs: readonly Input[], count: number): Promise<unknown>;
  /** Figures of the loaded model after a run: ops, bytes and the like. */
  figures?(): Record<string, number | string>;
  dispose(): void;
}

/** The peers by name. */
export const peers: Readonly<Record<string, Peer>> = {
  ours: ours(0),
  'ours-f16': ours(1),
  'tfjs-webgl': tfjs,
  'litert-webgpu': litert('webgpu'),
  'litert-wasm': litert('wasm'),
  'tfjs-tflite': tfjsTflite,
  mediapipe,
};
