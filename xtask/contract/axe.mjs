// Runs axe-core on a page in a headless browser:
//
//   node axe.mjs BROWSER PAGE      prints each violation, and fails if there is any
//
// axe-core runs in a copy of the page without the content security policy, which forbids all scripts.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The packages are installed below the working directory, not next to this file.
const require = createRequire(`${process.cwd()}/`);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const [browser, file] = process.argv.slice(2);
const policy = /<meta http-equiv="Content-Security-Policy"[^>]*>/i;
const page = readFileSync(file, 'utf8');
if (!policy.test(page)) throw new Error(`${file} has no content security policy`);
const report = `axe.run({ resultTypes: ['violations'] }).then(
  (result) => result.violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => ({ id, help, html }))),
  (error) => [{ id: 'axe', help: String(error), html: '' }],
).then((violations) => document.documentElement.setAttribute('data-violations', JSON.stringify(violations)));`;

const folder = mkdtempSync(join(tmpdir(), 'axe-'));
let violations = 0;
try {
  const copy = join(folder, 'page.html');
  writeFileSync(copy, page.replace(policy, '').replace('</body>', () => `<script>${axe}</script><script>${report}</script></body>`));
  for (const scheme of ['light', 'dark']) {
    const browsed = spawnSync(browser, [
      '--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=60000', '--window-size=900,1400', '--dump-dom',
      `--user-data-dir=${join(folder, scheme)}`, `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
      pathToFileURL(copy).href,
    ], { encoding: 'utf8', maxBuffer: 1 << 28 });
    const found = browsed.stdout?.match(/<html[^>]* data-violations="([^"]*)"/);
    if (!found) throw new Error(`the browser ended without a report: ${browsed.error ?? browsed.stderr}`);
    const text = found[1].replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
    for (const { id, help, html } of JSON.parse(text)) {
      violations += 1;
      console.log(`${scheme}: ${id}: ${help}: ${html.slice(0, 300)}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`axe-core: ${violations} violations`);
process.exitCode = violations > 0 ? 1 : 0;
