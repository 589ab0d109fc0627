import { describe, expect, it } from 'vitest';

import { errorOf, request, type ClientResponse } from '../../support/clients/client.js';
import { openPair } from '../../support/clients/web-socket-client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { samplesOf } from '../../support/relays/admin.js';
import { readDirectoriesNow } from '../../support/relays/directory-relay.js';
import { clientWith, directoryText, without } from '../../support/relays/mounted-directory.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import {
  headersOf,
  newSecret,
  startDirectoryTunnel,
  tokenOf,
  type TenantName,
} from '../../support/tunnels/directory-tunnel.js';
import { startUpstream } from '../../support/upstreams/upstream.js';
import { echo, startWebSocketServer } from '../../support/upstreams/web-socket-server.js';

const REPLACED = 'the directory was replaced';
const REFUSED = 'the new directory cannot be used: the previous one stays in use';
const CLIENTS = { alice: ['one'], bob: ['two'], carol: ['one', 'two'] } as const;

/** An API that says its name in every response. */
const startNamedApi = async (name: string) =>
  forThisTest(
    await startUpstream((_, response) => {
      response.end(name);
    }),
  );

const startTunnel = async () => {
  const [one, two] = [await startNamedApi('api one'), await startNamedApi('api two')];
  const tunnel = forThisTest(
    await startDirectoryTunnel({
      apis: { one: one.url, two: two.url },
      clients: CLIENTS,
      environment: { ADMIN_PORT: '0', TUNNEL_TRANSPORT: 'auto' },
      start: startRelay,
    }),
  );
  const send = (client: string, tenant: TenantName): Promise<ClientResponse> =>
    request(tunnel.outbound.url, { headers: headersOf(client, tenant) });
  return { ...tunnel, one, two, send };
};

/** Makes a change, and waits until the relay has reported it. */
const changed = async (
  { log }: Pick<TestRelay, 'log'>,
  message: string,
  change: () => void,
): Promise<void> => {
  const before = log.items.filter(({ msg }) => msg === message).length;
  change();
  await log.find(
    (line) =>
      line.msg === message && log.items.filter(({ msg }) => msg === message).length > before,
  );
};

const endOf = ({ status, body }: ClientResponse): string => `${status} ${body.toString()}`;

describe('a change of the directory file of a running relay', () => {
  it('adds a client, and moves a tenant to another API', async () => {
    const tunnel = await startTunnel();
    const { send, outbound, inbound, outboundContent, inboundContent, audiences } = tunnel;
    expect((await send('dave', 'one')).status).toBe(401);
    expect(endOf(await send('alice', 'one'))).toBe('200 api one');

    await Promise.all([
      changed(outbound, REPLACED, () => {
        const clients = { ...outboundContent.clients, dave: clientWith(tokenOf('dave'), 'one') };
        tunnel.outboundFile.write({ ...outboundContent, clients });
      }),
      changed(inbound, REPLACED, () => {
        const tenants = {
          ...inboundContent.tenants,
          [audiences.one]: { upstream: tunnel.two.url, peers: ['caller-one'] },
        };
        tunnel.inboundFile.swap({ ...inboundContent, tenants }, tunnel.secrets);
      }),
    ]);

    expect(endOf(await send('dave', 'one'))).toBe('200 api two');
    expect(endOf(await send('alice', 'one'))).toBe('200 api two');
  });

  it('revokes a client: its next request is refused, its WebSockets end, and those of others stay', async () => {
    const api = forThisTest(await startWebSocketServer(echo));
    const tunnel = forThisTest(
      await startDirectoryTunnel({
        apis: { one: api.url, two: api.url },
        clients: CLIENTS,
        environment: { TUNNEL_TRANSPORT: 'auto' },
        start: startRelay,
      }),
    );
    const way = (client: string) => ({
      url: tunnel.outbound.url,
      webSocketUrl: tunnel.outbound.url.replace('http', 'ws'),
      headers: headersOf(client, 'two'),
    });
    const bob = await openPair(api, way('bob'));
    const carol = await openPair(api, way('carol'));

    const clients = without(tunnel.outboundContent.clients, 'bob');
    tunnel.outboundFile.write({ ...tunnel.outboundContent, clients });

    expect((await bob.client.closed()).at(-1)?.[1]).toBe(1006);
    await bob.api.closed();
    const refused = await request(tunnel.outbound.url, { headers: headersOf('bob', 'two') });
    expect(refused.status).toBe(401);
    carol.client.socket.send('still here');
    expect(await carol.client.events.find()).toEqual(['text', 'still here']);
    expect(carol.client.socket.readyState).toBe(carol.client.socket.OPEN);
  });

  it('removes a tenant: its senders are told so, and those of the other one notice nothing', async () => {
    const tunnel = await startTunnel();
    const { send, inbound, inboundContent, audiences } = tunnel;
    for (const tenant of ['one', 'two'] as const) {
      expect((await send('carol', tenant)).status).toBe(200);
    }

    for (const [gone, left] of [
      ['one', 'two'],
      ['two', 'one'],
    ] as const) {
      await changed(inbound, REPLACED, () => {
        const tenants = without(inboundContent.tenants, audiences[gone]);
        tunnel.inboundFile.write({ ...inboundContent, tenants });
      });
      const hits = tunnel[gone].hits;
      const refused = await send('carol', gone);
      expect(errorOf(refused)).toMatchObject({ forwarded: 'no' });
      expect(tunnel[gone].hits).toBe(hits);
      expect(endOf(await send('carol', left))).toBe(`200 api ${left}`);
      await changed(inbound, REPLACED, () => {
        tunnel.inboundFile.write(inboundContent);
        readDirectoriesNow();
      });
    }
  });

  it('removes a peer: its sessions end, and those of the other one stay', async () => {
    const tunnel = await startTunnel();
    const { send, inbound, outbound } = tunnel;
    for (const tenant of ['one', 'two'] as const) {
      expect((await send('carol', tenant)).status).toBe(200);
    }

    await changed(inbound, REPLACED, () => {
      tunnel.inboundFile.writeNamed('one', newSecret());
    });

    // Without the secret, the refusal cannot be signed, so it proves nothing to relay A.
    const refused = await send('carol', 'one');
    expect(errorOf(refused)).toMatchObject({
      code: 'RELAY_PEER_ANSWER_INVALID',
      forwarded: 'maybe',
    });
    expect(tunnel.one.hits).toBe(1);
    expect(endOf(await send('carol', 'two'))).toBe('200 api two');
    const paired = outbound.log.items.filter(({ msg }) => msg === 'paired');
    expect(paired).toHaveLength(2);
  });
});

describe('a directory file that cannot be used', () => {
  it('changes nothing, and is reported with file, line and key, in a metric and in the details of readiness', async () => {
    const tunnel = await startTunnel();
    const { send, outbound, outboundContent, outboundFile } = tunnel;
    const readiness = async () => {
      const { status, body } = await request(outbound.url, { path: '/health/ready' });
      const { details } = JSON.parse(body.toString()) as { readonly details: object };
      return { status, details };
    };
    const secret = newSecret();
    const bad = {
      ...outboundContent,
      peers: { ...outboundContent.peers, third: { secret, orgins: [] } },
      clients: {},
    };

    await changed(outbound, REFUSED, () => {
      outboundFile.write(bad);
    });

    expect(endOf(await send('alice', 'one'))).toBe('200 api one');
    const lines = directoryText(bad).split('\n');
    const lineOf = (key: string) => lines.findIndex((line) => line.includes(key)) + 1;
    await expect
      .poll(() => outbound.log.items.filter(({ msg }) => msg === REFUSED))
      .toEqual([
        expect.objectContaining({
          level: 50,
          reason: `relay.yaml:${lineOf(secret)}: peers.third.secret must be { file: PATH } or { env: NAME }: a secret does not stand in this file itself`,
        }),
        expect.objectContaining({
          level: 50,
          reason: `relay.yaml:${lineOf('orgins')}: peers.third.orgins is no key: did you mean origins?`,
        }),
      ]);
    expect(await readiness()).toMatchObject({
      status: 200,
      details: { directory: { status: 'up', file: 'refused', peers: 2, clients: 3 } },
    });
    const samples = await samplesOf(outbound);
    expect(samples.get('mte_relay_directory_refused')).toBe(1);
    expect(samples.get('mte_relay_directory_reloads_total{result="refused"}')).toBe(1);

    await changed(outbound, REPLACED, () => {
      outboundFile.write(outboundContent);
    });
    expect(await readiness()).toMatchObject({ details: { directory: { file: 'in use' } } });
    const after = await samplesOf(outbound);
    expect(after.get('mte_relay_directory_refused')).toBe(0);
    expect(after.get('mte_relay_directory_reloads_total{result="ok"}')).toBe(1);

    const told = JSON.stringify(outbound.log.items) + JSON.stringify(tunnel.inbound.log.items);
    for (const hidden of [secret, ...Object.values(tunnel.secrets), tokenOf('alice')]) {
      expect(told).not.toContain(hidden);
    }
  });
});
