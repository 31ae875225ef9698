// A static server on a free local port. Routes map a URL or a URL prefix (ending in /) to text, bytes, a folder or a function.
import { createReadStream, existsSync, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.css': 'text/css; charset=utf-8',
  '.png': 'image/png',
};

/** Starts the server; the result has its `url` (no trailing slash) and `close()`. */
export async function serve(routes, { port = 0 } = {}) {
  const server = http.createServer(async (request, response) => {
    const url = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const prefix =
      url in routes ? url : Object.keys(routes).find((key) => key.endsWith('/') && key !== '/' && url.startsWith(key));
    if (prefix === undefined) return response.writeHead(404).end();
    const route =
      typeof routes[prefix] === 'function' ? await routes[prefix](url.slice(prefix.length)) : routes[prefix];
    if (prefix === url || typeof route !== 'string') return send(response, url, route);
    sendFile(response, route, url.slice(prefix.length));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** A page that loads one script; `head` is HTML before it. */
export function pageWith(script, head = '') {
  return `<!doctype html><meta charset="utf-8"><title>tflite-gpu</title><link rel="icon" href="data:,">${head}<script src="${script}" defer></script>`;
}

function send(response, url, body) {
  const type = types[path.extname(url)] ?? (typeof body === 'string' ? types['.html'] : 'application/octet-stream');
  if (body === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}

function sendFile(response, folder, name) {
  const file = path.join(folder, path.normalize(`/${name}`));
  if (!existsSync(file) || statSync(file).isDirectory()) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}
