// Prints what a conformance run found: a line for every op or network, its first failures, and the totals.

/** One line of figures; the first one is preceded by the heading. */
export function printRow(row, first, show) {
  if (first) console.log(line('', ['passed', 'failed', 'skipped', 'on GPU', 'on CPU', 'worst error']));
  const { name, passed, failed, skipped, gpu, cpu, worst, outcomes } = row;
  const time = outcomes.length === 1 && outcomes[0].milliseconds ? `  ${outcomes[0].milliseconds.toFixed(0)} ms` : '';
  console.log(line(name, [passed, failed, skipped, gpu, cpu, passed ? worst.toExponential(1) : '-']) + time);
  for (const [full, error] of row.failures.slice(0, show)) console.log(`    ${full}: ${error}`);
  if (row.failures.length > show) console.log(`    and ${row.failures.length - show} more`);
  for (const reason of row.reasons.slice(0, show)) console.log(`    on the CPU or skipped: ${reason}`);
}

/** The closing totals; listed cases that pass are named so that the list shrinks. */
export function printTotals({ passed, failed, skipped, notRun, newlyPassing, rows }) {
  const nodes = rows.reduce((sum, row) => ({ gpu: sum.gpu + row.gpu, cpu: sum.cpu + row.cpu }), { gpu: 0, cpu: 0 });
  const whole = rows
    .flatMap((row) => row.outcomes)
    .filter((outcome) => !outcome.error && !outcome.skipped && !outcome.cpu);
  console.log(`Nodes on the GPU ${nodes.gpu}, on the CPU ${nodes.cpu}; ${whole.length} cases wholly on the GPU.`);
  if (notRun) console.log(`${notRun} cases were not run: the time limit was reached.`);
  if (newlyPassing.length) {
    console.log(`${newlyPassing.length} cases pass that expectations.json lists as not supported; take them out:`);
    for (const name of newlyPassing.slice(0, 50)) console.log(`    ${name}`);
  }
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}

function line(name, figures) {
  const widths = [8, 8, 9, 8, 8, 13];
  return name.slice(0, 44).padEnd(44) + figures.map((figure, i) => String(figure).padStart(widths[i])).join('');
}
