// What `npm start` prints: a progress bar, tables and a digit.

/** A progress bar on one line, with a note behind it; where the output is no terminal, a line at the end only. */
export function progressBar(label) {
  const width = 30;
  const started = performance.now();
  return {
    set(done, total, note = '') {
      if (!process.stdout.isTTY) return;
      const filled = Math.round((width * done) / total);
      const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
      process.stdout.write(`\r${label}  ${bar}  ${done}/${total}  ${note}\x1b[K`);
    },
    /** Replaces the bar by a text and the time since it was made. */
    end(text) {
      const time = `${((performance.now() - started) / 1000).toFixed(1)} s`;
      process.stdout.write(
        `${process.stdout.isTTY ? '\r\x1b[2K' : ''}${label}  ${text.padEnd(64)}  ${time.padStart(8)}\n`,
      );
    },
  };
}

/** Rows under a heading, numbers to the right. */
export function printTable(heading, rows) {
  const cells = [heading, ...rows].map((row) => row.map(String));
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  for (const [index, row] of cells.entries()) {
    console.log(
      row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  '),
    );
    if (index === 0) console.log(widths.map((width) => '─'.repeat(width)).join('  '));
  }
}

/** Draws 28 x 28 grey bytes, two characters for a pixel; empty rows are left out. */
export function drawDigit(pixels) {
  const shades = ' ░▒▓█';
  const rows = Array.from({ length: 28 }, (_, y) => [...pixels.subarray(28 * y, 28 * y + 28)]);
  const lines = rows.map((row) =>
    row
      .map((byte) => shades[Math.min(4, Math.ceil(byte / 64))].repeat(2))
      .join('')
      .trimEnd(),
  );
  console.log(lines.filter(Boolean).join('\n'));
}

/** `1234567` as `1.2 MB`. */
export function bytesText(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `[A, A, B]` as `A x2, B`. */
export function countedText(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} x${count}` : name)).join(', ') || 'none';
}

/** `0.9681` as `96.81 %`. */
export function percentText(share) {
  return `${(100 * share).toFixed(2)} %`;
}

/** `84500` as `84,500`. */
export function numberText(number) {
  return number.toLocaleString('en');
}
