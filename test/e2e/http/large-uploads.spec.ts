import { describe, expect, it } from 'vitest';

import { curl, hasCurl } from '../../support/clients/curl.js';
import { hasPythonRequests, uploadWithRequests } from '../../support/clients/python-requests.js';
import { hasWget, uploadWithWget } from '../../support/clients/wget.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { TOKEN, startRelay } from '../../support/relays/relay.js';
import { startClosingServer } from '../../support/upstreams/closing-server.js';
import { hasGunicorn, startGunicorn } from '../../support/upstreams/gunicorn.js';
import { hasNginx, startNginx } from '../../support/upstreams/nginx.js';
import { IS_OVER_CHANNELS } from '../../support/tunnels/transport.js';

const MIB = 1024 * 1024;
const TOO_LARGE =
  'HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large';

type Headers = Readonly<Record<string, string>>;
/** Uploads this many zeros. @returns the status of the response, or another text */
type Upload = (url: string, bytes: number, headers: Headers) => Promise<string>;

const uploadWithCurl: Upload = async (url, bytes, headers) => {
  const fields = Object.entries({ ...headers, expect: '' }).flatMap(([name, value]) => [
    '--header',
    `${name}: ${value}`,
  ]);
  const { stdout, stderr } = await curl(
    ['--upload-file', '-', '--output', '/dev/null', '--write-out', '%{http_code}', ...fields, url],
    Buffer.alloc(bytes),
  );
  return stderr === '' ? stdout.toString() : stderr;
};

const uploadWithFetch: Upload = async (url, bytes, headers) => {
  const response = await fetch(url, { method: 'PUT', headers, body: Buffer.alloc(bytes) });
  await response.arrayBuffer();
  return String(response.status);
};

const CLIENTS: readonly [name: string, has: () => boolean, upload: Upload][] = [
  [
    'requests of Python',
    hasPythonRequests,
    (url, bytes, headers) => uploadWithRequests('PUT', url, bytes, headers),
  ],
  ['wget', hasWget, uploadWithWget],
  ['curl', () => hasCurl, uploadWithCurl],
  ['fetch of Node.js', () => true, uploadWithFetch],
];

interface Way {
  readonly name: string;
  readonly url: string;
  readonly headers: Headers;
}

/** The same path directly, through two relays, and on a pass-through route. */
async function waysTo(upstream: string, path: string): Promise<Way[]> {
  const [inbound, outbound] = await Promise.all([
    startRelay({ UPSTREAM: upstream, PASS_THROUGH_ROUTES: '/*' }),
    startRelay(),
  ]);
  forThisTest(inbound);
  forThisTest(outbound);
  const headers = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url };
  return [
    { name: 'directly', url: upstream + path, headers: {} },
    { name: 'through the tunnel', url: outbound.url + path, headers },
    { name: 'on a pass-through route', url: inbound.url + path, headers: {} },
  ];
}

async function outcomes(count: number, upload: () => Promise<string>): Promise<string[]> {
  const results: string[] = [];
  for (let run = 0; run < count; run += 1) {
    results.push(await upload());
  }
  return results;
}

describe.each(CLIENTS)('an upload of 16 MiB by %s', (_, has, upload) => {
  it.skipIf(!hasNginx() || !has())(
    'gets the 413 of an nginx that takes less, 5 of 5 times on each way',
    { timeout: 300_000 },
    async () => {
      const nginx = forThisTest(await startNginx());
      for (const { name, url, headers } of await waysTo(nginx.url, '/small/file')) {
        const results = await outcomes(5, () => upload(url, 16 * MIB, headers));
        expect({ [name]: results }).toEqual({ [name]: Array(5).fill('413') });
      }
    },
  );

  it.skipIf(!has() || IS_OVER_CHANNELS)(
    'gets the 413 and the 401 of a relay, 5 of 5 times each',
    { timeout: 300_000 },
    async () => {
      const [, tunnel] = await waysTo('http://127.0.0.1:9', '/');
      const { url, headers } = tunnel!;
      const buffered = { ...headers, 'x-mte-encode-type': 'MTE' };
      expect(await outcomes(5, () => upload(url, 16 * MIB, buffered))).toEqual(
        Array(5).fill('413'),
      );
      const wrong = { ...headers, 'x-mte-outbound-token': 'wrong' };
      expect(await outcomes(5, () => upload(url, 16 * MIB, wrong))).toEqual(Array(5).fill('401'));
    },
  );
});

describe('an API that responds and closes its connection during the upload', () => {
  it.skipIf(!hasCurl)(
    'has its 413 to 5 MiB received by curl, 20 of 20 times',
    { timeout: 300_000 },
    async () => {
      const upstream = forThisTest(await startClosingServer(TOO_LARGE));
      const [, ...ways] = await waysTo(upstream.url, '/');
      for (const { name, url, headers } of ways) {
        const results = await outcomes(20, () => uploadWithCurl(url, 5 * MIB, headers));
        expect({ [name]: results }).toEqual({ [name]: Array(20).fill('413') });
      }
    },
  );

  it.skipIf(!hasCurl || !hasGunicorn())(
    'has its 401 to 300 kB received by curl if it is gunicorn, 20 of 20 times',
    { timeout: 300_000 },
    async () => {
      const gunicorn = forThisTest(await startGunicorn());
      const [, ...ways] = await waysTo(gunicorn.url, '/');
      for (const { name, url, headers } of ways) {
        const results = await outcomes(20, () => uploadWithCurl(url, 300_000, headers));
        expect({ [name]: results }).toEqual({ [name]: Array(20).fill('401') });
      }
    },
  );
});
