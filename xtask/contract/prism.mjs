// A server that answers with the examples of an OpenAPI document, and has Prism judge every request.
//
//   node prism.mjs DOCUMENT      prints the address, serves until it is stopped
//
// Prism by itself understands too little of multipart: it keeps one of several parts of a name, and takes JSON in a
// part for text. So forms are read here, by Node's own reader, and Prism judges them as the JSON objects that they
// stand for: types, bounds, patterns, enums, exclusions. What does not fit is answered with 400 and named.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

// The packages are installed below the working directory, not beside this file.
const require = createRequire(`${process.cwd()}/`);
const { getHttpOperationsFromSpec } = require('@stoplight/prism-http');
const { createClientFromOperations } = require('@stoplight/prism-http/dist/client');
const { parse } = require('yaml');

const document = parse(readFileSync(process.argv[2], 'utf8'));

const resolved = schema => {
  if (schema?.$ref) return resolved(document.components.schemas[schema.$ref.split('/').pop()]);
  return schema?.allOf?.length === 1 ? resolved(schema.allOf[0]) : (schema ?? {});
};

const isObject = schema => schema.type === 'object' || schema.properties !== undefined || schema.oneOf !== undefined;

/** What a part stands for: a value, or the reason why it is none. */
function read(name, part, schema, isJson) {
  if (schema.format === 'binary') {
    if (typeof part === 'string') throw `part \`${name}\` is a file and has no file name`;
    if (part.size === 0 || !part.type) throw `part \`${name}\` is empty or has no media type`;
    return part.name;
  }
  if (typeof part !== 'string') throw `part \`${name}\` has a file name and is no file`;
  if (isJson || isObject(schema)) {
    try {
      return JSON.parse(part);
    } catch (error) {
      throw `part \`${name}\` is not JSON: ${error.message}`;
    }
  }
  // What does not read as a number stays text, for Prism to complain about.
  if (schema.type === 'integer' && /^-?\d+$/.test(part)) return Number(part);
  if (schema.type === 'number' && /^-?\d+(\.\d+)?$/.test(part)) return Number(part);
  if (schema.type === 'boolean' && /^(true|false)$/.test(part)) return part === 'true';
  return part;
}

/** A form as the object that it stands for. */
async function form(content, headers, body) {
  const fields = await new Response(body, { headers: { 'content-type': headers['content-type'] } }).formData();
  const properties = resolved(content.schema).properties;
  const members = {};
  for (const name of new Set(fields.keys())) {
    if (!(name in properties)) throw `no part is called \`${name}\`, only ${Object.keys(properties).join(', ')}`;
    const schema = resolved(properties[name]);
    const isJson = content.encoding?.[name]?.contentType === 'application/json';
    const isRepeated = schema.type === 'array' && !isJson && !isObject(resolved(schema.items));
    const parts = fields.getAll(name);
    if (!isRepeated && parts.length > 1) throw `part \`${name}\` is given twice`;
    const values = parts.map(part => read(name, part, isRepeated ? resolved(schema.items) : schema, isJson));
    members[name] = isRepeated ? values : values[0];
  }
  return members;
}

/** The forms of the document, by method and path. */
const forms = [];
for (const [path, item] of Object.entries(document.paths)) {
  const pattern = new RegExp(`^${path.replace(/\{[^}]*\}/g, '[^/]+')}$`);
  for (const [method, operation] of Object.entries(item)) {
    const content = operation.requestBody?.content;
    const multipart = content?.['multipart/form-data'];
    if (multipart) {
      forms.push({ method: method.toUpperCase(), pattern, content: multipart });
      // `encoding` is about forms only.
      operation.requestBody.content = { 'application/json': { schema: multipart.schema } };
    }
  }
}

const silence = { child: () => silence };
for (const level of ['trace', 'debug', 'info', 'success', 'warn', 'error', 'fatal']) silence[level] = () => {};

const prism = createClientFromOperations(await getHttpOperationsFromSpec(structuredClone(document)), {
  mock: { dynamic: false },
  isProxy: false,
  validateRequest: true,
  validateResponse: true,
  checkSecurity: true,
  errors: false,
  logger: silence,
});

async function judged(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let body = Buffer.concat(chunks);
  const headers = { ...request.headers };
  const { pathname } = new URL(request.url, 'http://localhost');
  const known = forms.find(form => form.method === request.method && form.pattern.test(pathname));
  if (known) {
    if (!headers['content-type']?.startsWith('multipart/form-data')) throw 'the body must be multipart/form-data';
    body = Buffer.from(JSON.stringify(await form(known.content, headers, body)));
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(body.length);
  }
  const input = { method: request.method.toLowerCase(), headers };
  // Prism takes bodies of JSON as values.
  if (body.length > 0) input.body = JSON.parse(body);
  const { status, data, violations } = await prism.request(request.url, input);
  const complaints = [...violations.input, ...violations.output];
  if (complaints.length > 0) throw complaints.map(({ path, message }) => `${path?.join('.')}: ${message}`).join('; ');
  return { status, data };
}

const server = createServer(async (request, response) => {
  let status, data;
  try {
    ({ status, data } = await judged(request));
  } catch (complaint) {
    const detail = complaint?.detail ?? complaint?.message ?? complaint;
    [status, data] = [400, { type: 'about:blank', title: 'Bad Request', detail: String(detail), status: 400 }];
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof data === 'string' ? data : JSON.stringify(data));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
