/** Turns whatever a model may come from into its bytes: with progress, abort, a limit and an integrity check. */
import { ModelError } from '../../delegate/index.js';
import { defaultLimits } from '../format/limits.js';
import type { Progress } from './progress.js';

/** The part of `tf.io.IOHandler` that loading needs; `weightData` or `modelTopology` holds the file's bytes. */
export interface ModelHandler {
  load?(): Promise<{ readonly weightData?: ArrayBuffer | ArrayBuffer[]; readonly modelTopology?: unknown }>;
}

/** Where a `.tflite` file may come from. A string is a URL. */
export type ModelSource =
  | string
  | URL
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | Response
  | ReadableStream<Uint8Array>
  | ModelHandler;

/** How to load. */
export interface SourceOptions {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  /** `sha256-…`, `sha384-…` or `sha512-…` in base64; several are alternatives. */
  readonly integrity?: string;
  /** Most bytes to take; the rest is not read. */
  readonly maxBytes?: number;
}

/** The bytes of a source. Buffers and views are used in place, not copied. */
export async function readSource(source: ModelSource, options: SourceOptions = {}): Promise<Uint8Array> {
  options.signal?.throwIfAborted();
  const bytes = await bytesOf(source, { ...options, maxBytes: options.maxBytes ?? defaultLimits.fileBytes });
  options.signal?.throwIfAborted();
  if (options.integrity !== undefined) await checkIntegrity(bytes, options.integrity);
  return bytes;
}

type Limited = SourceOptions & { readonly maxBytes: number };

async function bytesOf(source: ModelSource, options: Limited): Promise<Uint8Array> {
  const bytes = asBytes(source);
  if (bytes) return whole(bytes, options);
  if (typeof source === 'string' || source instanceof URL) {
    const response = await fetch(source, { signal: options.signal ?? null });
    return readResponse(response, String(source), options);
  }
  if (source instanceof Response) return readResponse(source, source.url || 'the response', options);
  if (source instanceof Blob) return readStream(source.stream(), source.size, options);
  if (source instanceof ReadableStream) return readStream(source, undefined, options);
  if (typeof (source as ModelHandler | null)?.load === 'function')
    return whole(await loadHandler(source as ModelHandler), options);
  throw new TypeError(
    `model source: ${Object.prototype.toString.call(source)}; accepted: a URL, ArrayBuffer, Uint8Array, Blob, Response, ReadableStream or tf.io.IOHandler`,
  );
}

/** A view of a buffer's or view's memory; `undefined` for anything else. */
function asBytes(source: unknown): Uint8Array | undefined {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (!ArrayBuffer.isView(source)) return undefined;
  return new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
}

function readResponse(response: Response, name: string, options: Limited): Promise<Uint8Array> {
  if (!response.ok)
    throw new Error(`${name.slice(0, 200)}: the server answered ${response.status} ${response.statusText}`);
  if (!response.body) throw new Error(`${name.slice(0, 200)}: the response has no body`);
  // The length of a compressed body says nothing about the bytes that arrive.
  const encoded = response.headers.has('content-encoding');
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  return readStream(response.body, encoded || !(length > 0) ? undefined : length, options);
}

/** Reads to the end or to the limit. `total` is what the sender says, for progress only. */
async function readStream(
  stream: ReadableStream<Uint8Array>,
  total: number | undefined,
  options: Limited,
): Promise<Uint8Array> {
  const { signal, maxBytes, onProgress } = options;
  const reader = stream.getReader();
  const cancel = () => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener('abort', cancel);
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      signal?.throwIfAborted();
      loaded += next.value.byteLength;
      if (loaded > maxBytes) throw tooLarge(`more than ${maxBytes} bytes`, maxBytes);
      chunks.push(next.value);
      onProgress?.(downloaded(loaded, total));
    }
  } catch (error) {
    reader.cancel(error).catch(() => undefined);
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
  signal?.throwIfAborted();
  onProgress?.(downloaded(loaded, loaded));
  return join(chunks);
}

function downloaded(loaded: number, total: number | undefined): Progress {
  const most = Math.max(total ?? 0, loaded);
  return { phase: 'download', loaded, total: most, fraction: total === undefined || most === 0 ? 0 : loaded / most };
}

function whole(bytes: Uint8Array, { maxBytes, onProgress }: Limited): Uint8Array {
  const size = bytes.byteLength;
  if (size > maxBytes) throw tooLarge(`${size} bytes`, maxBytes);
  onProgress?.({ phase: 'download', loaded: size, total: size, fraction: 1 });
  return bytes;
}

function tooLarge(found: string, maxBytes: number): ModelError {
  return new ModelError('too-large', `the file has ${found}; accepted: up to ${maxBytes} (limits.fileBytes)`);
}

/** A handler's file is in `weightData`, or is the topology itself where that is binary. */
async function loadHandler(handler: ModelHandler): Promise<Uint8Array> {
  const { modelTopology, weightData } = await handler.load!();
  const bytes = asBytes(modelTopology) ?? asBytes(weightData);
  if (bytes) return bytes;
  if (Array.isArray(weightData)) return join(weightData.map((part) => new Uint8Array(part)));
  throw new TypeError(
    'model source: the IOHandler gave no bytes; accepted: the file in weightData or in modelTopology',
  );
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

async function checkIntegrity(bytes: Uint8Array, integrity: string): Promise<void> {
  const found: string[] = [];
  for (const wanted of integrity.trim().split(/\s+/)) {
    const [name = '', hash = ''] = wanted.split(/-(.*)/s);
    if (!/^sha(256|384|512)$/.test(name))
      throw new TypeError(`integrity: "${wanted.slice(0, 64)}"; accepted: sha256-, sha384- or sha512- and base64`);
    const digest = new Uint8Array(
      await crypto.subtle.digest(name.replace('sha', 'SHA-'), bytes as Uint8Array<ArrayBuffer>),
    );
    const actual = btoa(String.fromCharCode(...digest));
    if (actual === hash) return;
    found.push(`${name}-${actual}`);
  }
  throw new ModelError('integrity', `the file is ${found.join(' ')}; accepted: ${integrity.slice(0, 256)}`);
}
