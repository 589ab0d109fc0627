import { describe, expect, it } from 'vitest';

import { bodyBytesOf, checkResponseHead } from '@relay/protocol';

import { UpstreamError } from '../upstream/upstream.errors.js';
import { innerError, upstreamResponseHead } from './upstream-response.js';

describe("the head of the upstream's response", () => {
  it('consists of the status and the end-to-end fields', () => {
    const raw = ['Set-Cookie', 'a', 'Connection', 'x-gone', 'X-Gone', '1', 'Set-Cookie', 'b'];
    expect(
      upstreamResponseHead(
        201,
        raw.map((text) => Buffer.from(text)),
        [],
      ),
    ).toEqual({
      status: 201,
      fields: ['set-cookie', 'a', 'set-cookie', 'b'],
    });
  });

  it('does not contain relay headers that the upstream sent', () => {
    const raw = ['x-mte-relay', '1', 'X-MTE-Client-Id', 'x'];
    expect(upstreamResponseHead(200, raw, []).fields).toEqual([]);
  });

  it('has the configured fields in place of those that the upstream sent', () => {
    const { fields } = upstreamResponseHead(200, ['x-a', '1', 'x-b', '2'], [['x-a', 'ours']]);
    expect(fields).toEqual(['x-b', '2', 'x-a', 'ours']);
  });

  it.each([200, 206, 304, 404])('keeps content-length with status %i', (status) => {
    expect(upstreamResponseHead(status, ['content-length', '5'], []).fields).toEqual([
      ...['content-length', '5'],
    ]);
  });

  it('has no content-length with status 204', () => {
    expect(upstreamResponseHead(204, ['content-length', '0', 'x-a', '1'], []).fields).toEqual([
      ...['x-a', '1'],
    ]);
  });
});

describe("a relay's own response in the upstream's place", () => {
  it('is JSON like every error of a relay, with a head that a message can carry', () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.1:80');
    const error = new UpstreamError('RELAY_UPSTREAM_UNREACHABLE', 'no', 'not there', { cause });
    const { code, head, body } = innerError(error, 'maybe', 'request-1');
    expect(code).toBe('RELAY_UPSTREAM_UNREACHABLE');
    expect(head.status).toBe(502);
    expect(JSON.parse(body.toString())).toEqual({
      error: { code, message: 'not there', forwarded: 'maybe', requestId: 'request-1' },
    });
    expect(bodyBytesOf(head, 'GET')).toBe(body.length);
    expect(() => {
      checkResponseHead(head);
    }).not.toThrow();
  });
});
