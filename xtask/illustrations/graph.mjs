// Draws a graph as an SVG: node graph.mjs FILE < GRAPH
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';

// The packages are where the tool is run, not where it is.
const { instance } = createRequire(process.cwd() + '/')('@viz-js/viz');

const viz = await instance();
writeFileSync(process.argv[2], viz.renderString(readFileSync(0, 'utf8'), { format: 'svg' }));
