import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import { errorOf } from '../support/clients/client.js';
import { closedPort } from '../support/network/listen.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startTap } from '../support/attackers/tap.js';
import { startTunnel } from '../support/tunnels/tunnel.js';

describe('two relays with different secrets', () => {
  it('refuse to pair: the client gets a 502, nothing is forwarded and both logs name the reason', async () => {
    const otherSecret = randomBytes(32).toString('base64url');
    const tunnel = forThisTest(await startTunnel({ inbound: { CLIENT_ID_SECRET: otherSecret } }));

    const response = await tunnel.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(errorOf(response).message).toContain('the same secret');
    expect(tunnel.upstream.hits).toBe(0);
    await tunnel.outbound.log.find(
      ({ code, peer }) => code === 'RELAY_PAIR_REFUSED' && peer === tunnel.inbound.url,
    );
    const refused = await tunnel.inbound.log.find(({ code }) => code === 'RELAY_SENDER_INVALID');
    expect(JSON.stringify(refused)).toContain('a secret that is not known here');
  });

  it('reject the next request immediately with retry-after, without another pairing attempt', async () => {
    const otherSecret = randomBytes(32).toString('base64url');
    const tunnel = forThisTest(await startTunnel({ inbound: { CLIENT_ID_SECRET: otherSecret } }));
    await tunnel.send();
    const pairings = (): number =>
      tunnel.inbound.log.items.filter(({ code }) => code === 'RELAY_SENDER_INVALID').length;
    const before = pairings();

    const response = await tunnel.send();

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(response.headers['retry-after']).toBe('1');
    expect(pairings()).toBe(before);
  });

  it('pair if the inbound relay accepts the secret as CLIENT_ID_SECRET_ALT', async () => {
    const outboundSecret = randomBytes(32).toString('base64url');
    const tunnel = forThisTest(
      await startTunnel({
        outbound: { CLIENT_ID_SECRET: outboundSecret },
        inbound: { CLIENT_ID_SECRET_ALT: outboundSecret },
      }),
    );

    expect(await tunnel.send({ method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
  });
});

describe('RELAY_AUDIENCE', () => {
  it('rejects a pairing request made for another address, and the refusal is logged', async () => {
    const tunnel = forThisTest(
      await startTunnel({ inbound: { RELAY_AUDIENCE: 'https://relay.example' } }),
    );

    const response = await tunnel.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(0);
    await tunnel.inbound.log.find(({ code }) => code === 'RELAY_AUDIENCE_REFUSED');
  });

  it('accepts every address that it lists', async () => {
    // The port of the relay is unknown until it listens, so a tap on a port chosen in advance provides its address.
    const port = await closedPort(createServer());
    const tunnel = forThisTest(
      await startTunnel({
        inbound: { RELAY_AUDIENCE: `https://relay.example,http://127.0.0.1:${port}` },
      }),
    );
    const tap = forThisTest(await startTap(tunnel.inbound.port, { port }));

    const response = await tunnel.send({ headers: { 'x-mte-upstream': tap.url } });

    expect(response.status).toBe(200);
  });
});
