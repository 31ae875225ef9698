// The tables of the benchmark.
import { printTable } from '../scripts/terminal.mjs';

/** The results of one kind of WebGL, a column for each peer. */
export function printResults(rows, peers) {
  const figure = (time) => (time > 0 ? time.toFixed(1) : '-');
  const others = peers.filter((peer) => peer !== 'ours');
  const ratios = (pick) =>
    others.map((peer) => geometricMean(rows.map((row) => pick(row, peer) / pick(row, 'ours')).filter((r) => r > 0)));
  const warmOf = ({ warm }, peer) => warm[peer]?.median;
  const coldOf = ({ cold }, peer) => cold[peer] && cold[peer].engine + cold[peer].model;
  const freshOf = ({ cold }, peer) => cold[peer] && cold[peer].browser + cold[peer].engine + cold[peer].model;
  const blockingOf = ({ warm }, peer) => warm[peer]?.blocking?.median;
  for (const [title, pick] of [
    ['medians in ms', warmOf],
    ['medians in ms of runs that block the page', blockingOf],
    ...(rows.some(({ cold }) => cold.ours)
      ? [
          ['cold start in ms, from the file to the first outputs', coldOf],
          ['the same in a browser whose GPU process has yet to start', freshOf],
        ]
      : []),
  ]) {
    console.log(`\n${rows[0].gl}, ${rows[0].renderer}: ${title}`);
    printTable(
      ['model', ...peers],
      [
        ...rows.map((row) => [row.model, ...peers.map((peer) => figure(pick(row, peer)))]),
        ['/ ours, geometric mean', '', ...ratios(pick).map((mean) => (mean ? `${mean.toFixed(2)}x` : '-'))],
      ],
    );
  }
  printWork(rows);
  for (const { model, warm } of rows)
    for (const [peer, { error }] of Object.entries(warm)) if (error) console.log(`${model}, ${peer}: ${error}`);
}

/** What each peer asks of the page and the GPU. */
function printWork(rows) {
  console.log(
    '\nA run and what loading takes; the longest task of a cold start, and the longest gap between turns of a timer',
  );
  printTable(
    [
      'model',
      'peer',
      'draws',
      'calls',
      'programs',
      'shader kB',
      'activation MB',
      'submit ms',
      'in flight ms',
      'task ms',
    ],
    rows.flatMap(({ model, warm, cold }) =>
      Object.entries(warm)
        .filter(([, { api }]) => api?.draws)
        .map(([peer, { api, submit, overlapped, figures }]) => [
          model,
          peer,
          api.draws,
          api.calls,
          api.programs,
          (api.shaderBytes / 1e3).toFixed(1),
          figures.activationBytes ? (figures.activationBytes / 1e6).toFixed(2) : '-',
          submit ? submit.median.toFixed(2) : '-',
          overlapped ? overlapped.median.toFixed(1) : '-',
          cold[peer] ? `${cold[peer].longestTask.toFixed(0)} (${cold[peer].longestGap.toFixed(0)})` : '-',
        ]),
    ),
  );
  console.log('\nOur work');
  printTable(
    ['model', 'M multiply-adds', 'M fetches', 'multiply-adds a fetch'],
    rows
      .filter(({ work }) => work)
      .map(({ model, work: { multiplyAdds, fetches } }) => [
        model,
        (multiplyAdds / 1e6).toFixed(1),
        (fetches / 1e6).toFixed(2),
        (multiplyAdds / fetches).toFixed(1),
      ]),
  );
}

/** Where the time of a run goes, heaviest kernel first. */
export function printProfile(title, rows) {
  const total = rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  console.log(`\n${title}: ${total.toFixed(1)} ms`);
  printTable(
    ['kernel', 'draws', 'ms', 'share', 'M multiply-adds', 'G/s', 'a fetch'],
    rows
      .sort((a, b) => b.milliseconds - a.milliseconds)
      .slice(0, 30)
      .map(({ kernel, draws, milliseconds, multiplyAdds, fetches }) => [
        kernel,
        draws,
        milliseconds.toFixed(2),
        `${((milliseconds / total) * 100).toFixed(0)} %`,
        (multiplyAdds / 1e6).toFixed(1),
        (multiplyAdds / milliseconds / 1e6).toFixed(2),
        fetches ? (multiplyAdds / fetches).toFixed(1) : '-',
      ]),
  );
}

function geometricMean(values) {
  return values.length ? Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length) : undefined;
}
