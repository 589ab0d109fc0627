import { expect, it } from 'vitest';

import { makeAuthority } from '../support/certificates/certificates.js';
import { request } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startRelayProcess } from '../support/processes/relay-process.js';
import { TOKEN } from '../support/relays/relay.js';
import { startUpstream } from '../support/upstreams/upstream.js';

/** Log lines pass through a pipe. */
const LOG = { timeout: 10_000 };

it('a channel to a relay with a TLS listener carries requests, and is opened to no other name', async () => {
  const authority = forThisTest(makeAuthority());
  const { cert, key } = authority.issue('relay', 'IP:127.0.0.1');
  const upstream = forThisTest(await startUpstream());
  const inbound = forThisTest(
    await startRelayProcess({
      TUNNEL_TRANSPORT: 'channel',
      UPSTREAM: upstream.url,
      TLS_CERT_FILE: cert,
      TLS_KEY_FILE: key,
    }),
  );
  const outbound = forThisTest(
    await startRelayProcess({ TUNNEL_TRANSPORT: 'channel', NODE_EXTRA_CA_CERTS: authority.ca }),
  );
  const send = (peer: string) =>
    request(outbound.url, {
      method: 'POST',
      path: '/x',
      headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': peer },
      body: 'x'.repeat(300_000),
    });

  const bodies = await Promise.all(Array.from({ length: 20 }, () => send(inbound.url)));
  expect(bodies.map(({ status, body }) => `${status} ${body.length}`)).toEqual(
    Array(20).fill('200 300000'),
  );
  const streams = () => inbound.log.items.filter(({ exchange }) => /\.\d+$/.test(String(exchange)));
  await expect.poll(() => streams().length, LOG).toBe(20);

  const { status } = await send(inbound.url.replace('127.0.0.1', 'localhost'));
  expect(status).toBe(502);
  expect(upstream.hits).toBe(20);
});
