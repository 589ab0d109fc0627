import { createServer } from 'node:http';

import { beforeEach, describe, expect, it } from 'vitest';

import { Recorder } from '../support/lifecycle/recorder.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { listen } from '../support/network/listen.js';
import { hasChromium, startChromium } from '../support/programs/chromium.js';
import { startRelay } from '../support/relays/relay.js';
import { startPlainClientTunnel } from '../support/tunnels/plain-client-tunnel.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const BROWSER_LIMIT_MS = 90_000;

/** The last two are names of an attacker that lead to this machine, of which the second is no name to the parser of URLs. */
const NAMES = ['evil.example', 'rebound.example', 'xn--a.evil.example'];

/** A page that calls a listener in every way that a page can, under several names, and then says how often it got a response. */
const pageFor = (port: string): string => `<!doctype html><script>
  let responses = 0;
  const settled = async (attempt) => { try { await attempt(); responses += 1; } catch {} };
  const loaded = (element, key, url) => new Promise((resolve, reject) => {
    Object.assign(element, { onload: resolve, onerror: reject, [key]: url });
    document.head.append(element);
  });
  const opened = (url) => new Promise((resolve, reject) => {
    Object.assign(new WebSocket(url), { onopen: resolve, onerror: reject });
  });
  (async () => {
    for (const host of ['localhost', '127.0.0.1', ...${JSON.stringify(NAMES.slice(1))}]) {
      const url = 'http://' + host + ':${port}/';
      await settled(() => fetch(url + 'post', { method: 'POST', mode: 'no-cors', body: 'amount=1' }));
      await settled(() => fetch(url + 'get', { mode: 'no-cors' }));
      await settled(async () => (await fetch(url + 'cors')).text());
      await settled(() => fetch(url + 'put', { method: 'PUT' }));
      await settled(() => loaded(document.createElement('script'), 'src', url + 'script'));
      await settled(() => opened(url.replace('http', 'ws')));
    }
    await fetch('/end');
  })();
</script>`;

let api: Upstream;

beforeEach(async () => {
  api = forThisTest(await startUpstream());
  api.handle((_request, response) => {
    response.writeHead(200, {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': '*',
      'content-type': 'text/javascript',
    });
    response.end();
  });
});

/** Opens the page under a name, and waits until it has called the listener in all ways. */
async function visit(name: string): Promise<void> {
  const tunnel = forThisTest(
    await startPlainClientTunnel({ upstream: api.url, start: startRelay }),
  );
  const ends = new Recorder<true>();
  const page = pageFor(new URL(tunnel.listener).port);
  const site = forThisTest(
    await listen(
      createServer(({ url }, response) => {
        response.setHeader('content-type', 'text/html');
        response.end(page);
        if (url === '/end') {
          ends.add(true);
        }
      }),
    ),
  );
  forThisTest(startChromium(`http://${name}:${site.port}/`, await temporaryFolder(), NAMES));
  await ends.count(1);
}

describe.skipIf(!hasChromium())('#109 in Chromium, beside a listener of loopback,', () => {
  it(
    'a page of another site reaches nothing, by no request and under no name',
    async () => {
      await visit('evil.example');
      expect(api.requests.items.map(({ method, url }) => `${method} ${url}`)).toEqual([]);
    },
    BROWSER_LIMIT_MS,
  );

  it(
    'a page of this machine reaches the API, under the names of this machine',
    async () => {
      await visit('localhost');
      const asked = api.requests.items.map(({ method, url }) => `${method} ${url}`);
      expect(asked).toEqual(
        expect.arrayContaining(['POST /post', 'GET /get', 'GET /cors', 'PUT /put', 'GET /script']),
      );
    },
    BROWSER_LIMIT_MS,
  );
});
