import { createServer } from 'node:http';

import { describe, expect, it } from 'vitest';

import { startLoad } from '../../support/clients/steady-load.js';
import { openPair } from '../../support/clients/web-socket-client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { closedPort } from '../../support/network/listen.js';
import { readDirectoriesNow } from '../../support/relays/directory-relay.js';
import { clientWith, createDirectoryFile } from '../../support/relays/mounted-directory.js';
import { startRelay } from '../../support/relays/relay.js';
import { newSecret, tokenOf } from '../../support/tunnels/directory-tunnel.js';
import { startCountingUpstream } from '../../support/upstreams/counting-upstream.js';
import { echo, startWebSocketServer } from '../../support/upstreams/web-socket-server.js';

const REPLACED = 'the directory was replaced';
const PER_SECOND = 20;
const REQUESTS = 10;

/** Where a relay has the secrets that it shares with the other one: names of files. */
interface Secrets {
  readonly secret: string;
  readonly secretAlt?: string;
}

/** A relay that both calls the other one and is called by it. */
const startSide = async (
  api: string,
  { port, otherPort }: { readonly port: number; readonly otherPort: number },
  secrets: Readonly<Record<string, string>>,
) => {
  const content = ({ secret, secretAlt }: Secrets) => ({
    peers: {
      other: {
        origins: [`http://127.0.0.1:${otherPort}`],
        secret: { file: secret },
        ...(secretAlt !== undefined && { secretAlt: { file: secretAlt } }),
      },
    },
    clients: { app: clientWith(tokenOf('app'), 'other') },
    tenants: { [`http://127.0.0.1:${port}`]: { upstream: api, peers: ['other'] } },
  });
  const file = forThisTest(await createDirectoryFile(content({ secret: 'old' }), secrets));
  const relay = forThisTest(
    await startRelay({
      UPSTREAM: '',
      CLIENT_ID_SECRET: '',
      OUTBOUND_TOKEN: '',
      TUNNEL_TRANSPORT: 'auto',
      RELAY_CONFIG_FILE: file.path,
      PORT: String(port),
    }),
  );
  let changes = 0;
  return {
    ...relay,
    /** Writes where the secrets are now, and waits until the relay has taken it over. */
    change: async (to: Secrets): Promise<void> => {
      changes += 1;
      file.swap(content(to), secrets);
      readDirectoriesNow();
      await expect
        .poll(() => relay.log.items.filter(({ msg }) => msg === REPLACED).length, {
          timeout: 20_000,
        })
        .toBe(changes);
    },
  };
};

/** Relays A and B, each before an API of its own. */
const startBothWays = async (api: { readonly url: string }) => {
  const secrets = { old: newSecret(), new: newSecret() };
  const [portA, portB] = [await closedPort(createServer()), await closedPort(createServer())];
  const [a, b] = await Promise.all([
    startSide(api.url, { port: portA, otherPort: portB }, secrets),
    startSide(api.url, { port: portB, otherPort: portA }, secrets),
  ]);
  return { a, b, secrets };
};

const headers = { 'x-mte-outbound-token': tokenOf('app'), 'x-mte-upstream': 'other' };

describe('the secret of a peer', () => {
  it('is rotated in four steps without a failed request in either direction', async () => {
    const api = forThisTest(await startCountingUpstream());
    const { a, b, secrets } = await startBothWays(api);
    const loads = [a, b].map(({ url }) =>
      forThisTest(startLoad({ origin: url, headers, perSecond: PER_SECOND })),
    );
    const pass = () => Promise.all(loads.map((load) => load.pass(REQUESTS)));
    await pass();

    // 1. One relay accepts the new secret as well.
    await b.change({ secret: 'old', secretAlt: 'new' });
    await pass();
    // 2. The other one signs with the new secret, and accepts the old one still.
    await a.change({ secret: 'new', secretAlt: 'old' });
    await pass();
    // 3. The first one signs with the new secret. The old one is of no use to it any more.
    await b.change({ secret: 'new' });
    await pass();
    // 4. The second one accepts the new secret only.
    await a.change({ secret: 'new' });
    await pass();

    const outcomes = (await Promise.all(loads.map((load) => load.stop()))).flat();
    expect(outcomes.filter(({ end }) => end !== 'completed')).toEqual([]);
    expect(outcomes.map(({ id }) => api.executions(id))).toEqual(outcomes.map(() => 1));
    const told = JSON.stringify([a.log.items, b.log.items]);
    expect(told).not.toContain(secrets.old);
    expect(told).not.toContain(secrets.new);
  });

  it('ends the WebSockets that were opened with it when it is removed, and no other', async () => {
    const api = forThisTest(await startWebSocketServer(echo));
    const { a, b } = await startBothWays(api);
    const way = { url: a.url, webSocketUrl: a.url.replace('http', 'ws'), headers };
    const before = await openPair(api, way);
    await b.change({ secret: 'old', secretAlt: 'new' });
    await a.change({ secret: 'new', secretAlt: 'old' });
    const between = await openPair(api, way);
    before.client.socket.send('until the secret is removed');
    expect(await before.client.events.find()).toEqual(['text', 'until the secret is removed']);

    await b.change({ secret: 'new' });
    await a.change({ secret: 'new' });

    expect((await before.client.closed()).at(-1)?.[1]).toBe(1006);
    between.client.socket.send('still here');
    expect(await between.client.events.find()).toEqual(['text', 'still here']);
  });
});
