// Finds a browser with WebGL2 and starts it: CHROME_BIN, an installed one, else the one that @sparticuz/chromium carries.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import puppeteer from 'puppeteer-core';
import { cacheFolder } from './paths.mjs';

const quiet = [
  '--disable-quic',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
];

/** Command-line flags for each kind of WebGL: the machine's own, or one of the two software rasterisers. */
export const glFlags = {
  hardware: ['--ignore-gpu-blocklist', '--enable-unsafe-swiftshader'],
  swiftshader: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  llvmpipe: ['--use-gl=angle', '--use-angle=gl-egl', '--ignore-gpu-blocklist'],
};

/** All flags for a browser on this kind of WebGL; root needs the sandbox off. */
export function browserFlags(gl) {
  if (!glFlags[gl]) throw new Error(`--gl: found "${gl}"; accepted are ${Object.keys(glFlags).join(', ')}`);
  return [...quiet, ...glFlags[gl], ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
}

/** The browser to use: `{ path, env, headless }`. Throws with the command that installs one. */
export async function findBrowser() {
  const named = process.env.CHROME_BIN;
  if (named && !existsSync(named)) throw new Error(`CHROME_BIN: there is no file ${named}`);
  const installed = named ?? candidates().find((file) => existsSync(file));
  if (installed) return { path: installed, env: {}, headless: true };
  const carried = await unpackCarried().catch((error) => ({ error }));
  if (carried?.path) return carried;
  const why = carried?.error ? ` (the packaged one could not be unpacked: ${carried.error.message})` : '';
  throw new Error(`No Chrome, Chromium or Edge was found${why}. Install one with: ${installCommand()}`);
}

/** Starts a headless browser. `gl: 'hardware'` falls back to SwiftShader where that gives no WebGL2. */
export async function launch({ gl = 'swiftshader', env = {}, flags = [] } = {}) {
  const found = await findBrowser();
  const start = (kind) => {
    const profile = mkdtempSync(path.join(os.tmpdir(), 'tflite-gpu-'));
    const remove = () => rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
    return puppeteer
      .launch({
        executablePath: found.path,
        headless: found.headless,
        args: [...browserFlags(kind), ...flags],
        env: { ...process.env, ...found.env, ...env },
        userDataDir: profile,
        protocolTimeout: 0,
      })
      .then((browser) => browser.once('disconnected', () => setTimeout(remove, 500).unref()));
  };
  const browser = await start(gl);
  if (gl !== 'hardware' || (await hasWebGL2(browser))) return browser;
  await browser.close();
  return start('swiftshader');
}

/** Ends a browser even when its page hangs. */
export async function kill(browser) {
  const child = browser.process();
  const closed = browser.close().catch(() => {});
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 3000))]);
  if (child && child.exitCode === null) child.kill('SIGKILL');
}

/** The name the page's WebGL gives its renderer. */
export function rendererOf(page) {
  return page.evaluate(() => {
    const gl = document.createElement('canvas').getContext('webgl2');
    const info = gl?.getExtension('WEBGL_debug_renderer_info');
    return gl ? String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : 'no WebGL2';
  });
}

async function hasWebGL2(browser) {
  const page = await browser.newPage();
  const renderer = await rendererOf(page);
  await page.close();
  return renderer !== 'no WebGL2';
}

function candidates() {
  const names = { darwin: macFiles, win32: windowsFiles }[process.platform] ?? linuxFiles;
  return names();
}

function linuxFiles() {
  const commands = [
    'google-chrome-stable',
    'google-chrome',
    'chromium',
    'chromium-browser',
    'microsoft-edge-stable',
    'microsoft-edge',
  ];
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return commands.flatMap((command) => folders.map((folder) => path.join(folder, command)));
}

function macFiles() {
  const apps = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
  const roots = ['/Applications', path.join(os.homedir(), 'Applications')];
  return apps.flatMap((app) => roots.map((folder) => `${folder}/${app}.app/Contents/MacOS/${app}`));
}

function windowsFiles() {
  const roots = [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA].filter(Boolean);
  const files = [
    'Google/Chrome/Application/chrome.exe',
    'Chromium/Application/chrome.exe',
    'Microsoft/Edge/Application/msedge.exe',
  ];
  return files.flatMap((file) => roots.map((folder) => path.join(folder, file)));
}

function installCommand() {
  if (process.platform === 'darwin') return 'brew install --cask google-chrome';
  if (process.platform === 'win32') return 'winget install Google.Chrome';
  return 'sudo apt-get install -y chromium';
}

/** Unpacks the packaged browser with the libraries it brings, which a bare machine lacks; Linux on x64 only. */
async function unpackCarried() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const folder = cacheFolder('chromium');
  const complete = path.join(folder, 'complete');
  const libraries = path.join(folder, 'al2023/lib');
  if (!existsSync(complete)) {
    console.log('Unpacking the packaged Chromium (once)...');
    rmSync(path.join(folder, 'chromium'), { force: true });
    await withEnvironment({ TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' }, async () => {
      const { default: chromium } = await import('@sparticuz/chromium');
      await chromium.executablePath();
    });
    writeFileSync(complete, '');
  }
  return {
    path: path.join(folder, 'chromium'),
    headless: 'shell',
    env: {
      LD_LIBRARY_PATH: [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
      FONTCONFIG_PATH: path.join(folder, 'fonts'),
    },
  };
}

/** Runs `body` with these variables set; they are what makes the package unpack its libraries too, and where. */
async function withEnvironment(variables, body) {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    await body();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
