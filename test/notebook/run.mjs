// node test/notebook/run.mjs [--screenshot FILE] [--digits N]: builds the notebook and runs all its cells in a headless
// browser with few digits; fails where a cell fails or something outside is asked for.
import { parseArgs } from 'node:util';
import { kill, launch } from '../../scripts/browser.mjs';
import { buildNotebooks } from '../../scripts/notebook.mjs';
import { serve } from '../../scripts/serve.mjs';

const { values: args } = parseArgs({
  options: { screenshot: { type: 'string' }, digits: { type: 'string', default: '320' } },
});
/** Milliseconds that all cells may take. */
const timeout = 180e3;
const server = await serve({ '/notebooks/': buildNotebooks() });
const browser = await launch();
try {
  const page = await browser.newPage();
  const failures = [];
  page.on('pageerror', (error) => failures.push(error.message));
  page.on('request', (request) => {
    if (/^http/.test(request.url()) && !request.url().startsWith(server.url))
      failures.push(`asks for ${request.url()}`);
  });
  await page.setViewport({ width: 900, height: 1000 });
  await page.goto(`${server.url}/notebooks/post_training_float16_quant.html?digits=${args.digits}`);
  const isThere = (text) =>
    page.waitForFunction((part) => document.querySelector('main').textContent.includes(part), { timeout }, text);
  const failed = page.waitForSelector('.observablehq--error', { timeout }).catch(() => {});
  await Promise.race([isThere('images a second').then(() => readOwnDigit(page)), failed]).catch((error) =>
    failures.push(error.message),
  );
  for (const text of await page.$$eval('.observablehq--error', (errors) => errors.map((error) => error.textContent)))
    failures.push(text);
  if (args.screenshot) await page.screenshot({ path: args.screenshot, fullPage: true });
  for (const failure of new Set(failures)) console.log(failure);
  process.exitCode = failures.length ? 1 : 0;
} finally {
  server.close();
  await kill(browser);
}

/** Draws a stroke on the pad and waits for what the model makes of it. */
async function readOwnDigit(page) {
  const pad = await page.waitForSelector('canvas[width="280"]');
  await pad.scrollIntoView();
  const { x, y, width, height } = await pad.boundingBox();
  await page.mouse.move(x + width / 2, y + height / 4);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + (3 * height) / 4, { steps: 5 });
  await page.mouse.up();
  await page.waitForFunction(() => document.querySelectorAll('[aria-label=bar] rect').length > 10, { timeout });
}
