import { Interpreter } from 'tflite-gpu';
import type { Input, Peer } from '../peers.js';

/** This project, in float32 or with half-float textures. */
export function ours(precisionLossAllowed: 0 | 1): Peer {
  return {
    ...(precisionLossAllowed && { tolerance: 0.05 }),
    async load(bytes) {
      const interpreter = await Interpreter.create(bytes, {
        delegate: 'gpu',
        gpu: { compileOptions: { precisionLossAllowed } },
      });
      await interpreter.allocateTensors();
      const positions = interpreter.getInputDetails().map(({ index }) => index);
      const outputs = interpreter.getOutputDetails().map(({ index }) => index);
      const set = (inputs: readonly Input[]) => {
        for (const [k, { data }] of inputs.entries()) interpreter.setTensor(positions[k]!, data);
      };
      return {
        async run(inputs) {
          set(inputs);
          await interpreter.invokeAsync();
          return (await Promise.all(outputs.map((index) => interpreter.getTensorAsync(index)))) as Float32Array[];
        },
        runSync(inputs) {
          set(inputs);
          interpreter.invoke();
          return outputs.map((index) => interpreter.getTensor(index) as Float32Array);
        },
        submit(inputs) {
          set(inputs);
          interpreter.invoke();
        },
        overlap(inputs, count) {
          set(inputs);
          return Promise.all(Array.from({ length: count }, () => interpreter.invokeAsync()));
        },
        figures() {
          const { nodes, precision, memory } = interpreter.report();
          const onCpu = nodes.filter(({ runsOn }) => runsOn === 'cpu').length;
          return { precision, onGpu: nodes.length - onCpu, onCpu, ...memory };
        },
        dispose: () => interpreter.dispose(),
      };
    },
  };
}
