import axios from 'axios';
import { beforeAll, describe, expect, it } from 'vitest';

import { KeyRing } from '@relay/protocol';

import { fieldValues } from '../../../test/support/clients/client.js';
import { sharedResources } from '../../../test/support/lifecycle/resources.js';
import {
  echoBody,
  startUpstream,
  type Upstream,
} from '../../../test/support/upstreams/upstream.js';
import { SenderSigner } from './sender-signer.js';
import { verifySender } from './sender-signature.js';
import { sentClientIdHeader, signPairingRequests } from './sign-pairing.js';

const shared = sharedResources();
let peer: Upstream;
let keyRing: KeyRing;

beforeAll(async () => {
  keyRing = await KeyRing.derive('a-secret-that-both-relays-hold-1');
  peer = shared(await startUpstream());
});

/** Returns a client as the outbound role configures it, with additional headers. */
function signingClient(headers: Record<string, string> = {}) {
  const client = axios.create({
    signer: new SenderSigner(keyRing.current, 'relay-a'),
    responseType: 'arraybuffer',
    proxy: false,
    headers: { 'content-type': 'application/octet-stream', ...headers },
  });
  signPairingRequests(client);
  return client;
}

describe('a request of a client that signs pairing requests', () => {
  it('is sent with its body unchanged, its content-length, and a signature over the body', async () => {
    const body = Buffer.from([0, 1, 13, 10, 0xff, 0xc3, 0x28]);
    const { data } = await signingClient().post<Buffer>(`${peer.url}/api/mte-pair`, body);
    expect(data).toEqual(body);
    const { rawHeaders } = peer.requests.items.at(-1)!;
    expect(fieldValues(rawHeaders, 'x-mte-relay')).toEqual(['1']);
    expect(fieldValues(rawHeaders, 'content-length')).toEqual([String(body.length)]);
    expect(fieldValues(rawHeaders, 'transfer-encoding')).toEqual([]);
    const [clientId, ...others] = fieldValues(rawHeaders, 'x-mte-client-id');
    expect(others).toEqual([]);
    expect(verifySender(keyRing, clientId!, '1', { purpose: 'pair', body }).identity).toBe(
      `${keyRing.current.kid}.relay-a`,
    );
  });

  it('yields the x-mte-client-id that was sent', async () => {
    const response = await signingClient().post(peer.url, Buffer.from('body'));
    const { rawHeaders } = peer.requests.items.at(-1)!;
    expect(sentClientIdHeader(response.config)).toBe(fieldValues(rawHeaders, 'x-mte-client-id')[0]);
  });

  it('is signed correctly despite fields whose value is the name of a relay header', async () => {
    const body = Buffer.from('body');
    const client = signingClient({ 'x-name': 'x-mte-relay', 'x-other': 'x-mte-client-id' });
    const response = await client.post(peer.url, body);
    const { rawHeaders } = peer.requests.items.at(-1)!;
    expect(fieldValues(rawHeaders, 'x-mte-relay')).toEqual(['1']);
    expect(() =>
      verifySender(keyRing, sentClientIdHeader(response.config), '1', { purpose: 'pair', body }),
    ).not.toThrow();
  });

  it('has its relay headers replaced if they were already set', async () => {
    const body = Buffer.from('body');
    const client = signingClient({ 'X-MTE-Relay': '2', 'X-MTE-Client-Id': 'forged' });
    await client.post(peer.url, body);
    const { rawHeaders } = peer.requests.items.at(-1)!;
    expect(fieldValues(rawHeaders, 'x-mte-relay')).toEqual(['1']);
    expect(fieldValues(rawHeaders, 'x-mte-client-id')).toHaveLength(1);
  });

  it('is not signed if it is a HEAD request', async () => {
    await signingClient().head(peer.url);
    const { method, rawHeaders } = peer.requests.items.at(-1)!;
    expect(method).toBe('HEAD');
    expect(fieldValues(rawHeaders, 'x-mte-client-id')).toEqual([]);
    expect(fieldValues(rawHeaders, 'x-mte-relay')).toEqual([]);
  });

  it('is signed over its own body when many requests are sent concurrently', async () => {
    peer.forget();
    peer.handle(async (request, response) => {
      const body = await request.body();
      const [clientId] = fieldValues(request.rawHeaders, 'x-mte-client-id');
      verifySender(keyRing, clientId!, '1', { purpose: 'pair', body });
      response.end();
    });
    const client = signingClient();
    const bodies = Array.from({ length: 20 }, (_, at) => Buffer.from(`body ${at}`));
    const responses = await Promise.all(bodies.map((body) => client.post(peer.url, body)));
    expect(responses.map(({ status }) => status)).toEqual(bodies.map(() => 200));
    peer.handle(echoBody);
  });
});
