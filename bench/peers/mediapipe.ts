import type { Peer } from '../peers.js';

const folder = '/peers/@mediapipe/tasks-vision';

/** What is used of `@mediapipe/tasks-vision`. */
interface Library {
  FilesetResolver: { forVisionTasks(wasm: string): Promise<unknown> };
  ImageSegmenter: { createFromOptions(files: unknown, options: object): Promise<Segmenter> };
}

interface Segmenter {
  segment(picture: HTMLCanvasElement): {
    readonly confidenceMasks: readonly { getAsFloat32Array(): Float32Array }[];
    close(): void;
  };
  close(): void;
}

let library: Library | undefined;
let files: unknown;

/** MediaPipe's own WebGL engine, which only its Tasks reach: here the image segmenter, picture in, masks out. */
export const mediapipe: Peer = {
  tolerance: 0.05,
  async start() {
    const script: string = `${folder}/vision_bundle.mjs`;
    library = (await import(script)) as Library;
    files = await library.FilesetResolver.forVisionTasks(`${folder}/wasm`);
  },
  async load(bytes) {
    const segmenter = await library!.ImageSegmenter.createFromOptions(files, {
      baseOptions: { modelAssetBuffer: bytes, delegate: 'GPU' },
      runningMode: 'IMAGE',
      outputConfidenceMasks: true,
      outputCategoryMask: false,
    });
    return {
      async run([input]) {
        if (!input?.picture) throw new Error('the segmenter takes a picture');
        const result = segmenter.segment(input.picture);
        const masks = result.confidenceMasks.map((mask) => mask.getAsFloat32Array().slice());
        result.close();
        return masks;
      },
      dispose: () => segmenter.close(),
    };
  },
};
