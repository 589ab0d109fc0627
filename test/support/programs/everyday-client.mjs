/**
 * Calls the everyday API at URL with a library of Node.js, and prints as JSON what it got.
 * everyday-client.mjs fetch|http.request|undici|axios URL: the first two are what Node.js has itself.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import process from 'node:process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

const [library, origin] = process.argv.slice(2);
const LARGE = Buffer.alloc(3_000_000, 'many octets. ');
const LOGIN = `Basic ${Buffer.from('ada:secret').toString('base64')}`;

const fetchWith = (fetch) => async (method, url, headers, body) => {
  const response = await fetch(url, { method, headers, body, duplex: 'half' });
  const stream = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
  return { status: response.status, etag: response.headers.get('etag'), body: stream };
};

/** Each sends a request, and resolves with a response whose body is a stream. */
const CLIENTS = {
  fetch: () => fetchWith(globalThis.fetch),
  'http.request': () => (method, url, headers, body) =>
    new Promise((resolve, reject) => {
      const request = httpRequest(url, { method, headers }, (response) => {
        resolve({ status: response.statusCode, etag: response.headers.etag, body: response });
      });
      request.once('error', reject);
      if (body instanceof Readable) {
        body.pipe(request);
      } else {
        request.end(body);
      }
    }),
  undici: async () => {
    const { EnvHttpProxyAgent, fetch, setGlobalDispatcher } = await import('undici');
    setGlobalDispatcher(new EnvHttpProxyAgent({ proxyTunnel: false }));
    return fetchWith(fetch);
  },
  axios: async () => {
    const { default: axios } = await import('axios');
    const common = { responseType: 'stream', validateStatus: () => true };
    return async (method, url, headers, data) => {
      const response = await axios.request({ ...common, method, url, headers, data });
      return { status: response.status, etag: response.headers.etag, body: response.data };
    };
  },
};

const send = await CLIENTS[library]();
const seen = [];

async function saw(what, method, path, { headers = {}, body } = {}) {
  const response = await send(method, origin + path, headers, body);
  const content = await buffer(response.body);
  const digest = createHash('sha256').update(content).digest('hex');
  const shown = content.toString().replaceAll(origin, '<origin>');
  seen.push([what, response.status, response.etag, shown.length < 1_000 ? shown : digest]);
}

await saw('get', 'GET', '/json?a=1&b=%2F');
await saw('login', 'GET', '/json', { headers: { authorization: LOGIN } });
await saw('head', 'HEAD', '/json');
await saw('upload', 'PUT', '/digest', { body: LARGE });
await saw('chunks', 'POST', '/digest', {
  body: Readable.from([LARGE.subarray(0, 10), LARGE.subarray(10)], { objectMode: false }),
});
await saw('delete', 'DELETE', '/digest');
await saw('missing', 'GET', '/missing');
await saw('moved', 'GET', '/moved');
const events = await send('GET', `${origin}/events`, {});
for await (const event of events.body) {
  seen.push(['event', event.toString()]);
  // The next one is sent only after this.
  await saw('next', 'GET', '/next');
}
process.stdout.write(JSON.stringify(seen));
