// Runs Spectral on one document with the unchanged rule set `spectral:oas`:
//
//   node spectral.mjs DOCUMENT      prints each finding, and fails if there is any

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The packages are installed below the working directory, not next to this file.
const require = createRequire(`${process.cwd()}/`);
const { Document, Spectral } = require('@stoplight/spectral-core');
const { Yaml } = require('@stoplight/spectral-parsers');
const { oas } = require('@stoplight/spectral-rulesets');

const file = process.argv[2];
const spectral = new Spectral();
spectral.setRuleset({ extends: [[oas, 'recommended']] });
const findings = await spectral.run(new Document(readFileSync(file, 'utf8'), Yaml, file));
for (const { range, code, message, path } of findings) {
  console.log(`${file}:${range.start.line + 1}: ${code}: ${message} (${path.join('.')})`);
}
console.log(`Spectral: ${findings.length} findings`);
process.exitCode = findings.length > 0 ? 1 : 0;
