import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { deriveSecretKeys } from '@relay/protocol';

import {
  attachPairHeaders,
  attachSender,
  checkedPairHeaders,
  verifiedRequest,
  verifiedRequestFor,
} from './verified-request.js';

const secretKeys = await deriveSecretKeys('a-secret-that-both-relays-hold-1');
const sender = { clientIdHeader: 'header', identity: 'identity', secretKeys };

describe('the verified request', () => {
  it('is found through the request that it was attached to', () => {
    const request = new IncomingMessage(new Socket());
    const verified = { purpose: 'pair', sender, body: Buffer.alloc(0) } as const;
    attachSender(request, verified);
    expect(verifiedRequestFor(request, 'pair')).toBe(verified);
    expect(verifiedRequest(request)).toBe(verified);
    expect(Object.keys(request)).not.toContain('sender');
  });

  it('is missing before the interceptor has run', () => {
    const request = new IncomingMessage(new Socket());
    expect(verifiedRequest(request)).toBeUndefined();
    expect(() => verifiedRequestFor(request, 'tunnel')).toThrow(Error);
  });

  it('is not available to a route of the other purpose', () => {
    const request = new IncomingMessage(new Socket());
    attachSender(request, { purpose: 'pair', sender, body: Buffer.alloc(0) });
    expect(() => verifiedRequestFor(request, 'tunnel')).toThrow(Error);
  });
});

describe('the headers of a pairing request', () => {
  it('are those that the interceptor has checked, and verify nothing', () => {
    const request = new IncomingMessage(new Socket());
    const headers = { clientIdHeader: 'header', relayHeader: '1', bodyBytes: 3 };
    attachPairHeaders(request, headers);
    expect(checkedPairHeaders(request)).toBe(headers);
    expect(verifiedRequest(request)).toBeUndefined();
  });

  it('are not available on a route without the interceptor', () => {
    const request = new IncomingMessage(new Socket());
    request.headers = { 'x-mte-client-id': 'header', 'x-mte-relay': '1', 'content-length': '3' };
    expect(() => checkedPairHeaders(request)).toThrow(Error);
  });
});
