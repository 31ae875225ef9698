// Real models of TensorFlow.js that npm carries: nsfwjs's, which are files, and face-api's, which are code.
import * as tf from '@tensorflow/tfjs';
import * as faceapi from '@vladmandic/face-api/dist/face-api.esm-nobundle.js';
import { TFLiteConverter } from 'tflite-gpu';

/** A model as its package runs it. */
export interface Original {
  /** Of the one input, with a batch of 1. */
  readonly shape: readonly number[];
  /** The largest value of the input; the least is 0. */
  readonly brightest: number;
  /** Makes all outputs of one input. */
  run(x: tf.Tensor): tf.Tensor[];
  converter(): TFLiteConverter;
  /** True where outputs are scores, the largest of which is the answer. */
  readonly hasAnswer: boolean;
}

async function nsfw(name: string, size: number, isGraph: boolean): Promise<Original> {
  const url = `/nsfwjs/${name}/model.json`;
  const common = { shape: [1, size, size, 3], brightest: 1, hasAnswer: true };
  if (isGraph) {
    const model = await tf.loadGraphModel(url);
    const run = (x: tf.Tensor) => [model.predict(x)].flat() as tf.Tensor[];
    return { ...common, run, converter: () => TFLiteConverter.fromGraphModel(model as never) };
  }
  const model = await tf.loadLayersModel(url);
  const run = (x: tf.Tensor) => [model.predict(x)].flat();
  return { ...common, run, converter: () => TFLiteConverter.fromLayersModel(model) };
}

/** What is used of face-api's nets: some place what they find in the picture that they were given, and are called before that. */
interface Net {
  loadFromUri(uri: string): Promise<void>;
  forwardInput?(input: object, size?: number): unknown;
  runNet?(input: object): unknown;
}

/** A net of face-api is a function of images that it scales itself: it is given images of its size. */
async function face(
  net: Net,
  size: number,
  hasAnswer: boolean,
  call: 'forwardInput' | 'runNet' = 'forwardInput',
): Promise<Original> {
  await net.loadFromUri('/face-api/');
  const run = (x: tf.Tensor) => {
    const input = Object.create(faceapi.NetInput.prototype, { toBatchTensor: { value: () => x } });
    return tensorsIn(net[call]!(input, size));
  };
  const shape = [1, size, size, 3];
  return {
    shape,
    brightest: 255,
    hasAnswer,
    run,
    converter: () => TFLiteConverter.fromFunction(run as never, [{ shape }]),
  };
}

/** Scores come first: the largest of them is the answer. */
function tensorsIn(result: unknown): tf.Tensor[] {
  if (result instanceof tf.Tensor) return [result];
  const { scores, ...others } = result as Record<string, unknown>;
  return [...(scores ? [scores] : []), ...Object.values(others)].flatMap(tensorsIn);
}

/** How to load each model. */
export const originals: Readonly<Record<string, () => Promise<Original>>> = {
  'nsfwjs MobileNet v2': () => nsfw('mobilenet_v2', 224, false),
  'nsfwjs MobileNet v2 mid': () => nsfw('mobilenet_v2_mid', 224, true),
  'nsfwjs Inception v3': () => nsfw('inception_v3', 299, false),
  'face-api tiny detector': () => face(new faceapi.TinyFaceDetector(), 224, true),
  'face-api SSD MobileNet v1': () => face(new faceapi.SsdMobilenetv1(), 512, true),
  'face-api landmarks': () => face(new faceapi.FaceLandmark68Net(), 112, false, 'runNet'),
  'face-api tiny landmarks': () => face(new faceapi.FaceLandmark68TinyNet(), 112, false, 'runNet'),
  'face-api recognition': () => face(new faceapi.FaceRecognitionNet(), 150, false),
  'face-api expressions': () => face(new faceapi.FaceExpressionNet(), 112, true),
  'face-api age and gender': () => face(new faceapi.AgeGenderNet(), 112, false),
};
