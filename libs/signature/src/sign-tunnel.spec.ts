import { Agent } from 'undici';
import { beforeAll, describe, expect, it } from 'vitest';

import { KeyRing } from '@relay/protocol';

import { fieldValues } from '../../../test/support/client.js';
import { sharedResources } from '../../../test/support/resources.js';
import { startUpstream, type Upstream } from '../../../test/support/upstream.js';
import { SenderSigner } from './sender-signer.js';
import { verifySender } from './sender-signature.js';
import { signTunnelRequests, signedClientIdHeader } from './sign-tunnel.js';

const RELAY_HEADER = '1.E2uOwaOy1rJ0iSmtbBjUiw.1.mke.AQEBAQEBAQEBAQEBAQEBAQ';

const shared = sharedResources();
let peer: Upstream;
let keyRing: KeyRing;
let agent: Agent;

beforeAll(async () => {
  keyRing = await KeyRing.derive('a-secret-that-both-relays-hold-1');
  peer = shared(await startUpstream());
  agent = new Agent();
  shared({ close: () => agent.destroy() });
});

/** Sends a signed request, and returns the header lines that the peer received. */
async function send(headers: string[]): Promise<readonly string[]> {
  const signer = new SenderSigner(keyRing.current, 'relay-a');
  const dispatcher = agent.compose(signTunnelRequests(signer));
  const { body } = await dispatcher.request({
    origin: peer.url,
    path: '/api/mte-tunnel',
    method: 'POST',
    headers,
  });
  await body.dump();
  return peer.requests.items.at(-1)!.rawHeaders;
}

describe('a request that the interceptor signs', () => {
  it('goes out with one x-mte-client-id, made of its x-mte-relay', async () => {
    const headers = ['x-mte-relay', RELAY_HEADER, 'content-type', 'application/octet-stream'];
    const received = await send(headers);
    expect(fieldValues(received, 'x-mte-relay')).toEqual([RELAY_HEADER]);
    const [clientId, ...others] = fieldValues(received, 'x-mte-client-id');
    expect(others).toEqual([]);
    expect(verifySender(keyRing, clientId!, RELAY_HEADER, { purpose: 'tunnel' }).identity).toBe(
      `${keyRing.current.kid}.relay-a`,
    );
  });

  it('tells its sender what was signed', async () => {
    const headers = ['x-mte-relay', RELAY_HEADER];
    const received = await send(headers);
    expect(signedClientIdHeader(headers)).toBe(fieldValues(received, 'x-mte-client-id')[0]);
  });

  it('is signed over its first field, whatever the values of clear copies say', async () => {
    const headers = [
      ['x-mte-relay', RELAY_HEADER],
      ['x-name', 'x-mte-relay'],
      ['x-value', '1.forged'],
      ['x-name', 'x-mte-client-id'],
      ['x-value', 'forged'],
      ['x-name', 'x-mte-relay'],
    ].flat();
    const received = await send(headers);
    const [clientId] = fieldValues(received, 'x-mte-client-id');
    expect(signedClientIdHeader(headers)).toBe(clientId);
    expect(() =>
      verifySender(keyRing, clientId!, RELAY_HEADER, { purpose: 'tunnel' }),
    ).not.toThrow();
    expect(fieldValues(received, 'x-name')).toEqual([
      'x-mte-relay',
      'x-mte-client-id',
      'x-mte-relay',
    ]);
  });

  it('is signed anew for every message', async () => {
    const first = ['x-mte-relay', RELAY_HEADER];
    const second = ['x-mte-relay', RELAY_HEADER.replace('.1.mke', '.2.mke')];
    await send(first);
    await send(second);
    expect(signedClientIdHeader(first)).not.toBe(signedClientIdHeader(second));
  });
});

describe('a request that was never signed', () => {
  it('has no signature to tell', () => {
    expect(signedClientIdHeader([])).toBe('');
  });
});
