// Runs axe-core on the inspector of a mock server in a headless browser:
//
//   node inspector.mjs BROWSER URL KEY      prints each violation, and fails if there is any
//
// The browser is controlled with the DevTools protocol over pipes, because the page is checked as the server sends it, with
// its content security policy.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The packages are installed below the working directory, not next to this file.
const require = createRequire(`${process.cwd()}/`);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const [browser, url, key] = process.argv.slice(2);

/** Calls of all kinds, so that every section of the page has entries. */
async function fill() {
  const post = (path, body) => fetch(`${url}${path}`, {
    method: 'POST', headers: { 'Api-Key': key, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  await post('/datasets', { name: 'Lanterns' });
  await post('/v2/image/generate/ideogram-4', { prompt: 'A hanging lantern', async: true });
  await post('/v2/image/generate/ideogram-4', { prompt: 'A lantern', webhook_url: `${url}/webhook` });
  await post('/v2/image/generate/ideogram-4', { prompt: 'Something forbidden' });
  await post('/__mock/scenarios', { name: 'rate_limited_once', retry_after: 7 });
}

const profile = mkdtempSync(join(tmpdir(), 'inspector-'));
const chromium = spawn(browser, [
  '--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${profile}`,
], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const waiting = new Map();
let session, calls = 0, rest = '';
chromium.stdio[4].setEncoding('utf8').on('data', (data) => {
  const messages = (rest + data).split('\0');
  rest = messages.pop();
  for (const { id, result, error } of messages.map((message) => JSON.parse(message))) {
    const { resolve, reject } = waiting.get(id) ?? {};
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  }
});
chromium.on('exit', () => waiting.forEach(({ reject }) => reject(new Error('the browser has ended'))));

function call(method, params = {}) {
  calls += 1;
  chromium.stdio[3].write(`${JSON.stringify({ id: calls, method, params, sessionId: session })}\0`);
  return new Promise((resolve, reject) => waiting.set(calls, { resolve, reject }));
}
async function value(expression) {
  const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

let violations = 0;
try {
  await fill();
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  session = (await call('Target.attachToTarget', { targetId, flatten: true })).sessionId;
  await call('Page.enable');
  await call('Page.navigate', { url: `${url}/__mock` });
  for (let polls = 0; await value("document.querySelectorAll('#requests > li').length") < 4; polls += 1) {
    if (polls === 300) throw new Error('the page does not show the requests');
    await new Promise((done) => setTimeout(done, 100));
  }
  await value("document.querySelectorAll('details').forEach((box) => { box.open = true; })");
  await value(`${axe}; undefined`);
  for (const [scheme, width] of [['light', 1280], ['dark', 1280], ['light', 360], ['dark', 360]]) {
    await call('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
    await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    const report = await value("axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)");
    for (const { id, help, nodes } of report) {
      for (const { html } of nodes) {
        violations += 1;
        console.log(`${scheme}, ${width} px: ${id}: ${help}: ${html.slice(0, 300)}`);
      }
    }
  }
} finally {
  chromium.removeAllListeners('exit');
  const ended = new Promise((done) => chromium.once('exit', done));
  chromium.kill('SIGKILL');
  await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`axe-core: ${violations} violations`);
process.exitCode = violations > 0 ? 1 : 0;
