// A server that validates every request with Prism and responds with the examples of an OpenAPI document.
//
//   node prism.mjs DOCUMENT      prints its URL, serves until it is stopped
//
// The multipart support of Prism is incomplete: it drops repeated parts, and reads JSON in a part as text. So forms are
// decoded here, by Node's own decoder, and Prism validates them as JSON objects: types, bounds, patterns, enums,
// exclusions. An invalid request gets 400 with the reason.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

// The packages are installed below the working directory, not next to this file.
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

/** Returns the value of a part, or throws the reason why it is invalid. */
function read(name, part, schema, isJson) {
  if (schema.format === 'binary') {
    if (typeof part === 'string') throw `part \`${name}\` is a file and has no file name`;
    if (part.size === 0 || !part.type) throw `part \`${name}\` is empty or has no media type`;
    return part.name;
  }
  if (typeof part !== 'string') throw `part \`${name}\` has a file name but is not a file`;
  if (isJson || isObject(schema)) {
    try {
      return JSON.parse(part);
    } catch (error) {
      throw `part \`${name}\` is not JSON: ${error.message}`;
    }
  }
  // Text that is not a number stays text, and Prism reports it.
  if (schema.type === 'integer' && /^-?\d+$/.test(part)) return Number(part);
  if (schema.type === 'number' && /^-?\d+(\.\d+)?$/.test(part)) return Number(part);
  if (schema.type === 'boolean' && /^(true|false)$/.test(part)) return part === 'true';
  return part;
}

/** Returns a form as an object. */
async function form(content, headers, body) {
  const fields = await new Response(body, { headers: { 'content-type': headers['content-type'] } }).formData();
  const properties = resolved(content.schema).properties;
  const object = {};
  for (const name of new Set(fields.keys())) {
    if (!(name in properties)) throw `unknown part \`${name}\`, expected one of ${Object.keys(properties).join(', ')}`;
    const schema = resolved(properties[name]);
    const isJson = content.encoding?.[name]?.contentType === 'application/json';
    const isRepeated = schema.type === 'array' && !isJson && !isObject(resolved(schema.items));
    const parts = fields.getAll(name);
    if (!isRepeated && parts.length > 1) throw `part \`${name}\` is repeated`;
    const values = parts.map(part => read(name, part, isRepeated ? resolved(schema.items) : schema, isJson));
    object[name] = isRepeated ? values : values[0];
  }
  return object;
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
      // `encoding` applies to forms only.
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

async function validate(request) {
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
  // Prism takes JSON bodies as values.
  if (body.length > 0) input.body = JSON.parse(body);
  const { status, data, violations } = await prism.request(request.url, input);
  const violationList = [...violations.input, ...violations.output];
  if (violationList.length > 0) throw violationList.map(({ path, message }) => `${path?.join('.')}: ${message}`).join('; ');
  return { status, data };
}

const server = createServer(async (request, response) => {
  let status, data;
  try {
    ({ status, data } = await validate(request));
  } catch (error) {
    const detail = error?.detail ?? error?.message ?? error;
    [status, data] = [400, { type: 'about:blank', title: 'Bad Request', detail: String(detail), status: 400 }];
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof data === 'string' ? data : JSON.stringify(data));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
