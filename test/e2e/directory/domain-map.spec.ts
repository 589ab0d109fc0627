import { createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import { errorOf, request } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { closedPort } from '../../support/network/listen.js';
import { TOKEN, startRelay } from '../../support/relays/relay.js';
import { newSecret } from '../../support/tunnels/directory-tunnel.js';
import { startUpstream } from '../../support/upstreams/upstream.js';

const HOSTS = ['a.example', 'b.example'] as const;
type Host = (typeof HOSTS)[number];

const SECRETS = { 'a.example': newSecret(), 'b.example': newSecret() };
const TOKENS = { 'a.example': newSecret(), 'b.example': newSecret() };

const startNamedApi = async (name: string) =>
  forThisTest(
    await startUpstream((_, response) => {
      response.end(name);
    }),
  );

/** A DOMAIN_MAP as users of the commercial relay have it. */
const domainMap = (upstreams: Readonly<Record<string, string>>): Record<string, string> => ({
  UPSTREAM: '',
  DOMAIN_MAP: JSON.stringify(
    Object.fromEntries(
      HOSTS.map((host) => [
        host,
        {
          upstream: upstreams[host],
          client_id_secret: SECRETS[host],
          outbound_token: TOKENS[host],
          pass_through_routes: ['/open/*'],
        },
      ]),
    ),
  ),
});

describe('DOMAIN_MAP', () => {
  it('makes the token of each host sign with the secret of that host, and no other', async () => {
    const sender = forThisTest(
      await startRelay(
        domainMap({ 'a.example': 'http://127.0.0.1:9', 'b.example': 'http://127.0.0.1:9' }),
      ),
    );
    const receivers = {
      'a.example': await startReceiver('a.example'),
      'b.example': await startReceiver('b.example'),
    };
    for (const host of HOSTS) {
      for (const other of HOSTS) {
        const response = await request(sender.url, {
          headers: { 'x-mte-outbound-token': TOKENS[host], 'x-mte-upstream': receivers[other].url },
        });
        if (other === host) {
          expect(response.body.toString()).toBe(`api of ${host}`);
        } else {
          expect(errorOf(response).code).toBe('RELAY_PAIR_REFUSED');
        }
      }
    }
  });

  it('leads each host to its own API, on the pass-through routes too', async () => {
    const apis = {
      'a.example': (await startNamedApi('api of a')).url,
      'b.example': (await startNamedApi('api of b')).url,
    };
    const relay = forThisTest(await startRelay(domainMap(apis)));
    const open = async (host: string): Promise<string> => {
      const { status, body } = await request(relay.url, { path: '/open/1', headers: { host } });
      return `${status} ${body.toString()}`;
    };
    expect(await open('a.example')).toBe('200 api of a');
    expect(await open('B.Example:80')).toBe('200 api of b');
    expect(await open('c.example')).toMatch(/^401 /);
  });

  it('gives peers the API of the host that they have paired for, and refuses those of another host', async () => {
    const apis = {
      'a.example': (await startNamedApi('api of a')).url,
      'b.example': (await startNamedApi('api of b')).url,
    };
    const port = await closedPort(createServer());
    const map = JSON.parse(domainMap(apis)['DOMAIN_MAP'] ?? '') as Record<string, object>;
    // Both names lead to the one relay here.
    const named = {
      [`127.0.0.1:${port}`]: map['a.example'],
      [`localhost:${port}`]: map['b.example'],
    };
    forThisTest(
      await startRelay({ UPSTREAM: '', DOMAIN_MAP: JSON.stringify(named), PORT: String(port) }),
    );
    const send = async (secret: Host, host: string) => {
      const sender = forThisTest(await startRelay({ CLIENT_ID_SECRET: SECRETS[secret] }));
      const response = await request(sender.url, {
        headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': `http://${host}:${port}` },
      });
      return response.status === 200 ? response.body.toString() : errorOf(response).code;
    };
    expect(await send('a.example', '127.0.0.1')).toBe('api of a');
    expect(await send('b.example', 'localhost')).toBe('api of b');
    expect(await send('a.example', 'localhost')).toBe('RELAY_PAIR_REFUSED');
    expect(await send('b.example', '127.0.0.1')).toBe('RELAY_PAIR_REFUSED');
  });
});

/** A relay that holds the secret of one host. */
async function startReceiver(host: Host) {
  const api = await startNamedApi(`api of ${host}`);
  return forThisTest(await startRelay({ UPSTREAM: api.url, CLIENT_ID_SECRET: SECRETS[host] }));
}
