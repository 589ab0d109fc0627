import { createServer, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { DirectoryService } from '../../../apps/relay/src/directory/directory.service.js';
import { PairingClient } from '../../../apps/relay/src/peers/pairing-client.js';
import type { Interception, WireResponse } from '../../support/attackers/man-in-the-middle.js';
import {
  errorOf,
  fieldValues,
  request,
  type ClientResponse,
} from '../../support/clients/client.js';
import { section } from '../../support/assertions/troubleshooting.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import {
  hasCompressing,
  startCompressing,
  type CompressingProgram,
} from '../../support/network/compressing-intermediary.js';
import { listen } from '../../support/network/listen.js';
import { startRelay } from '../../support/relays/relay.js';
import { startAttackedTunnel } from '../../support/tunnels/attacked-tunnel.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';
import { tunnelClient, type TunnelClient } from '../../support/tunnels/tunnel-client.js';
import { echoBody } from '../../support/upstreams/upstream.js';

/** A tunnel whose relay A reaches relay B through the program. */
async function startThrough(name: CompressingProgram): Promise<Tunnel & TunnelClient> {
  const tunnel = forThisTest(await startTunnel());
  const between = forThisTest(await startCompressing(name, tunnel.inbound.port));
  return { ...tunnel, ...tunnelClient(tunnel.outbound.url, between.url) };
}

describe.each(['haproxy with compression algo gzip', 'nginx with gzip for all types'] as const)(
  'a tunnel through %s',
  (name) => {
    it.skipIf(!hasCompressing(name))(
      'carries requests and responses, also those whose clients accept gzip',
      async () => {
        const tunnel = await startThrough(name);
        const headers = { 'accept-encoding': 'gzip', 'x-mte-encode-headers': 'false' };

        for (const body of ['', 'a', 'text '.repeat(100_000)]) {
          const response = await tunnel.send({ method: 'POST', path: '/echo', body, headers });

          expect(response.status).toBe(200);
          expect(response.body.toString()).toBe(body);
          expect(response.headers['content-encoding']).toBeUndefined();
        }
        expect(tunnel.upstream.requests.items[0]?.headers).toMatchObject({
          'accept-encoding': 'gzip',
        });
      },
    );
  },
);

const HEADING = '502 RELAY_PEER_ANSWER_INVALID';

/** What relay A says of a response that is not as relay B sent it. */
const expectCoded = (response: ClientResponse, forwarded: 'no' | 'maybe'): void => {
  expect(response.status).toBe(502);
  expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_ANSWER_INVALID', forwarded });
  const { message } = errorOf(response);
  expect(section(HEADING)).toContain(message.slice(0, message.indexOf(' (')));
};

describe('a response between relays that was compressed all the same', () => {
  it.skipIf(!hasCompressing('apache with force-gzip'))(
    'ends in an error that says so: apache with force-gzip',
    async () => {
      const tunnel = await startThrough('apache with force-gzip');

      expectCoded(await tunnel.send({ method: 'POST', path: '/x', body: 'a' }), 'no');
      expect(tunnel.upstream.requests.items).toEqual([]);
    },
  );

  const gzip: Interception = async (message, deliver) => {
    const response = await deliver(message);
    const rawHeaders = [...response.rawHeaders, 'Content-Encoding', 'gzip'];
    return { ...response, rawHeaders, body: gzipSync(response.body) };
  };

  it.each([
    ['a pairing', 'interceptPairing', 'no'],
    ['a check', 'interceptChecks', 'no'],
    ['a request', 'interceptTunnel', 'maybe'],
  ] as const)('ends in an error that says so, for %s', async (what, intercept, forwarded) => {
    const tunnel = forThisTest(await startAttackedTunnel({ handler: echoBody }));
    if (what !== 'a pairing') {
      expect((await tunnel.send()).status).toBe(200);
      // Longer than a session is taken to be alive without a check.
      tunnel.advance(6_000);
    }
    tunnel.attacker[intercept](gzip);

    expectCoded(await tunnel.send({ method: 'POST', body: 'a' }), forwarded);
  });

  it('is as good as any other if its coding is identity', async () => {
    const tunnel = forThisTest(await startAttackedTunnel({ handler: echoBody }));
    const identity: Interception = async (message, deliver) => {
      const response = await deliver(message);
      return { ...response, rawHeaders: [...response.rawHeaders, 'content-encoding', 'Identity'] };
    };
    tunnel.attacker.interceptPairing(identity);
    tunnel.attacker.interceptTunnel(identity);

    expect((await tunnel.send()).status).toBe(200);
  });
});

describe('between relays', () => {
  const fieldOf = (rawHeaders: readonly string[], name: string): readonly string[] =>
    fieldValues([...rawHeaders], name);

  it('every request asks for no coding, and every response forbids to transform it', async () => {
    const tunnel = forThisTest(await startAttackedTunnel({ handler: echoBody }));
    const responses: WireResponse[] = [];
    const watch: Interception = async (message, deliver) => {
      const response = await deliver(message);
      responses.push(response);
      return response;
    };
    tunnel.attacker.interceptPairing(watch);
    tunnel.attacker.interceptChecks(watch);
    tunnel.attacker.interceptTunnel(watch);
    const headers = { 'accept-encoding': 'gzip, br', 'x-mte-encode-headers': 'false' };
    await tunnel.send({ headers });
    tunnel.advance(6_000);
    await tunnel.send({ method: 'POST', body: 'a', headers });
    // A replay, which is a signed error; a message of nobody; a probe; and a target that no relay reads.
    const [message] = tunnel.attacker.tunnelRequests();
    responses.push(await tunnel.attacker.deliver(message!));
    responses.push(
      await tunnel.attacker.deliver({ ...message!, rawHeaders: ['x-mte-relay', 'x'] }),
    );
    const probe = { method: 'HEAD', path: '/api/mte-relay', rawHeaders: [], body: Buffer.alloc(0) };
    responses.push(await tunnel.attacker.deliver(probe));
    responses.push(
      await tunnel.attacker.deliver({
        ...message!,
        rawHeaders: [...message!.rawHeaders, 'expect', 'x'],
      }),
    );

    const { items } = tunnel.attacker.requests;
    expect(items.map(({ path }) => path)).toContain('/api/mte-pair');
    expect(items.length).toBeGreaterThanOrEqual(4);
    for (const { rawHeaders } of items) {
      expect(fieldOf(rawHeaders, 'accept-encoding')).toEqual(['identity']);
    }
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 565, 569, 200, 417]);
    for (const { rawHeaders } of responses) {
      expect(fieldOf(rawHeaders, 'cache-control')).toEqual(['no-store, no-transform']);
    }
  });

  it('a probe asks for no coding', async () => {
    const requests: IncomingMessage[] = [];
    const server = createServer((message, response) => {
      requests.push(message);
      response.end();
    });
    const { port } = forThisTest(await listen(server));
    const relay = forThisTest(await startRelay());

    const [known] = relay.app.get(DirectoryService).current.peers;
    const address = { origin: `http://127.0.0.1:${port}`, known: known! };
    expect(await relay.app.get(PairingClient).probe(address)).toBe(true);
    expect(requests[0]?.headers['accept-encoding']).toBe('identity');
  });

  it('what a relay says to clients is as it was: it is not stored', async () => {
    const relay = forThisTest(await startRelay());

    const response = await request(relay.url, { path: '/x' });

    expect(response.status).toBe(401);
    expect(response.headers['cache-control']).toBe('no-store');
  });
});
