// What limits our kernels: peaks of the device, the heaviest kernels against them, and whether cost grows linearly.
import { printTable } from '../scripts/terminal.mjs';

const NETWORKS = ['mobilenet_v2_1.0_224', 'resnet50'];
const HEAVIEST = 5;
/** Networks of fewer multiply-adds say more about fixed costs. */
const LARGE = 100e6;

/**
 * Prints the roofline of one kind of WebGL, and what runs of these models cost. `onPage(work)` gives a fresh page's
 * functions to `work`; `urlsOf` names files.
 */
export async function printRoofline(gl, models, rounds, onPage, urlsOf) {
  await onPage(async (bench) => {
    const before = await bench('roofline');
    const profiles = [];
    for (const name of NETWORKS) profiles.push([name, await bench('profile', urlsOf(name), rounds, 'work')]);
    const peaks = bestOf(before, await bench('roofline'));
    printPeaks(gl, peaks);
    for (const [name, kernels] of profiles) printKernels(name, kernels, peaks);
  });
  await printGrowth(models, rounds, onPage, urlsOf);
}

function printPeaks(gl, { multiplyAdds, fetches, fetch, writes, draw, readback }) {
  const giga = (rate) => `${(rate / 1e9).toFixed(2)} G/s`;
  console.log(`\n${gl}: peaks of the device, the better of two times`);
  printTable(
    ['of', 'at most'],
    [
      ['multiply-adds', giga(multiplyAdds)],
      [`fetches, ${fetch}()`, giga(fetches)],
      ...Object.entries(writes).map(([targets, rate]) => [`texels written, ${targets} targets`, giga(rate)]),
      ['a draw of one pixel', `${draw.all.toFixed(1)} us, ${draw.submit.toFixed(2)} of them on the main thread`],
      ...Object.entries(readback).map(([bytes, time]) => [`reading ${bytes} bytes`, `${time.toFixed(2)} ms`]),
    ],
  );
}

/** Draws that are the same work are one kernel here, named by the first. */
function printKernels(name, kernels, peaks) {
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  console.log(`\n${name}: the ${HEAVIEST} heaviest kernels of ${total.toFixed(1)} ms`);
  printTable(
    ['kernel', 'draws', 'M multiply-adds', 'M fetches', 'a fetch', 'ms', 'bound ms', 'by', 'efficiency'],
    kernels
      .sort((a, b) => b.milliseconds - a.milliseconds)
      .slice(0, HEAVIEST)
      .map(({ kernel, draws, multiplyAdds, fetches, milliseconds }) => {
        const [arithmetic, reading] = [(multiplyAdds / peaks.multiplyAdds) * 1e3, (fetches / peaks.fetches) * 1e3];
        const bound = Math.max(arithmetic, reading);
        return [
          kernel,
          draws,
          (multiplyAdds / 1e6).toFixed(1),
          (fetches / 1e6).toFixed(2),
          (multiplyAdds / fetches).toFixed(1),
          milliseconds.toFixed(2),
          bound.toFixed(2),
          arithmetic > reading ? 'multiply-adds' : 'fetches',
          `${((bound / milliseconds) * 100).toFixed(0)} %`,
        ];
      }),
  );
}

async function printGrowth(models, rounds, onPage, urlsOf) {
  const rows = [];
  for (const name of models) {
    const cost = await onPage((bench) => bench('runCost', urlsOf(name), rounds));
    rows.push({ name, ...cost, perMultiplyAdd: (cost.milliseconds / cost.multiplyAdds) * 1e6 });
  }
  console.log('\nWhat a run costs');
  printTable(
    ['model', 'M multiply-adds', 'ms', 'ns a multiply-add', 'draws', 'main thread, us a draw'],
    rows
      .sort((a, b) => a.multiplyAdds - b.multiplyAdds)
      .map(({ name, multiplyAdds, milliseconds, perMultiplyAdd, draws, submitMicroseconds }) => [
        name,
        (multiplyAdds / 1e6).toFixed(1),
        milliseconds.toFixed(1),
        perMultiplyAdd.toFixed(2),
        draws,
        submitMicroseconds.toFixed(1),
      ]),
  );
  const large = rows.filter(({ multiplyAdds }) => multiplyAdds > LARGE);
  if (large.length < 2) return;
  const [smallest, largest] = [large[0], large.at(-1)];
  console.log(
    `${largest.name} takes ${(largest.perMultiplyAdd / smallest.perMultiplyAdd).toFixed(2)} times as long a multiply-add as ${smallest.name}`,
  );
}

/** The higher peaks; fixed costs are those of the first time. */
function bestOf(a, b) {
  return { ...a, multiplyAdds: Math.max(a.multiplyAdds, b.multiplyAdds), fetches: Math.max(a.fetches, b.fetches) };
}
