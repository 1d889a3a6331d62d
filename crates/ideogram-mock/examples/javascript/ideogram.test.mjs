// Run with: ideogram mock run -- node --test ideogram.test.mjs

import assert from 'node:assert/strict';
import { test } from 'node:test';

const baseUrl = process.env.IDEOGRAM_BASE_URL;
const headers = { 'Api-Key': process.env.IDEOGRAM_API_KEY };

/** Calls the API, and returns the response; a status of failure is an error. */
async function call(path, options = {}) {
  const response = await fetch(`${baseUrl}${path}`, { ...options, headers: { ...headers, ...options.headers } });
  if (!response.ok) throw Object.assign(new Error(`${path}: ${response.status}`), { response });
  return response.json();
}

/** The options of a call with a JSON body. */
const json = (body) => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

/** Generates an image with the 3.0 model. */
async function generate(prompt) {
  // fetch sets the Content-Type of a form, with its boundary.
  const form = new FormData();
  form.append('prompt', prompt);
  form.append('rendering_speed', 'TURBO');
  form.append('aspect_ratio', '16x9');
  const { data } = await call('/v1/ideogram-v3/generate', { method: 'POST', body: form });
  // The link expires, so the image is fetched at once.
  const image = await fetch(data[0].url);
  assert.equal(image.status, 200);
  return image.blob();
}

test('a dataset stores images and captions', async () => {
  const image = await generate('A paper lantern over a canal');

  const { dataset_id: id } = await call('/datasets', json({ name: 'Lanterns' }));
  const form = new FormData();
  form.append('files', image, 'lantern.png');
  form.append('files', new Blob(['a paper lantern'], { type: 'text/plain' }), 'lantern.txt');
  const uploaded = await call(`/datasets/${id}/upload_assets`, { method: 'POST', body: form });
  const stored = await call(`/datasets/${id}`);

  // Captions are stored, but the response counts images only.
  assert.deepEqual([uploaded.success_count, uploaded.failed_assets], [1, []]);
  assert.deepEqual(stored.files.map((file) => file.file_name), ['lantern.png', 'lantern.txt']);
});

test('a rate limit is an error', async () => {
  await call('/__mock/scenarios', json({ name: 'rate_limited_once', retry_after: 7 }));

  const error = await generate('A paper lantern over a canal').catch((caught) => caught);

  assert.equal(error.response.status, 429);
  assert.equal(error.response.headers.get('Retry-After'), '7');
});

test('the prompt is sent as it is', async () => {
  await generate('提灯, 7 €');

  const { requests } = await call('/__mock/state');
  const sent = requests.filter((request) => request.operation_id === 'post_generate_image_v3').at(-1);
  assert.equal(sent.body.parts[0].text, '提灯, 7 €');
});
