// One browser page that runs cases; a page that dies or hangs is replaced, and only the case it was in has failed.
import { readFileSync } from 'node:fs';
import { kill, launch, rendererOf } from '../../scripts/browser.mjs';
import { bundlePage } from '../../scripts/bundle.mjs';
import { pageWith, serve } from '../../scripts/serve.mjs';

/** Serves the corpus and starts the page. */
export async function openSession({ folder, gl, device, target, module }) {
  const script = await bundlePage('test/conformance/page.ts', { module });
  const routes = { '/': pageWith('/page.js'), '/page.js': script, '/corpus/': folder };
  const server = await serve(routes);
  const session = { gl, device, target, server, told: undefined };
  await restart(session);
  return session;
}

/** Runs `work(page)`, at most `seconds` between signs of life; on a crash or a hang resolves to `{ died }` with a fresh page. */
export async function guarded(session, seconds, work) {
  let timer;
  const hung = new Promise((resolve) => {
    session.alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => resolve({ died: `no answer in ${seconds} s` }), seconds * 1000);
    };
  });
  session.alive();
  const crashed = new Promise((resolve) => {
    session.page.once('error', (error) => resolve({ died: error.message }));
    session.browser.once('disconnected', () => resolve({ died: 'the browser ended' }));
  });
  const finished = work(session.page).catch((error) => ({ died: error.message }));
  const result = await Promise.race([finished, hung, crashed]);
  clearTimeout(timer);
  if (result?.died) await restart(session);
  return result;
}

/** Ends the page and the server. */
export async function closeSession(session) {
  session.server.close();
  await kill(session.browser);
}

async function restart(session) {
  if (session.browser) await kill(session.browser);
  session.browser = await launch({ gl: session.gl });
  session.page = await session.browser.newPage();
  if (process.env.VERBOSE) session.page.on('console', (message) => console.log('   ', message.text().slice(0, 400)));
  session.page.on('pageerror', (error) => console.log(`page: ${error.message.slice(0, 400)}`));
  await session.page.exposeFunction('tellCase', (index, outcome) => {
    session.alive();
    session.told?.(index, outcome);
  });
  if (session.device === 'unknown') {
    const hide = readFileSync(new URL('../support/unknown-device.js', import.meta.url), 'utf8');
    await session.page.evaluateOnNewDocument(hide);
  }
  await session.page.goto(`${session.server.url}/`);
  if (session.target) await session.page.evaluate((target) => window.conformance.force(target), session.target);
  session.renderer ??= await rendererOf(session.page);
}
