import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, request } from '../../support/clients/client.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { valueOf } from '../../support/network/raw-http.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';

const shared = sharedResources();
let tunnel: RawTunnel;
let passing: TestRelay;
let head: string;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
  passing = shared(await startRelay({ UPSTREAM: tunnel.upstream.url, PASS_THROUGH_ROUTES: '/*' }));
});

beforeEach(() => {
  tunnel.upstream.follow(async ({ whole, write }) => {
    await whole;
    await write(Buffer.from(head, 'latin1'));
  });
});

const rest = 'content-length: 2\r\n\r\nok';
const send = () => tunnel.exchange('GET', tunnel.head('GET / HTTP/1.1', ['Connection', 'close']));

describe('a response of the API that servers and proxies read differently', () => {
  it.each([
    ['lines that end in LF', 'HTTP/1.1 200 OK\nx-a: 1\ncontent-length: 2\n\nok'],
    ['one field that ends in LF', `HTTP/1.1 200 OK\r\nx-a: 1\nx-b: 2\r\n${rest}`],
    ['a folded field', `HTTP/1.1 200 OK\r\nx-a: 1\r\n 2\r\n${rest}`],
    ['a space before the colon', `HTTP/1.1 200 OK\r\nx-a : 1\r\n${rest}`],
    ['a CR in a value', `HTTP/1.1 200 OK\r\nx-a: 1\r2\r\n${rest}`],
    ['a NUL in a value', `HTTP/1.1 200 OK\r\nx-a: 1\x002\r\n${rest}`],
    ['a control character in a value', `HTTP/1.1 200 OK\r\nx-a: 1\x012\r\n${rest}`],
    ['a DEL in a value', `HTTP/1.1 200 OK\r\nx-a: 1\x7f2\r\n${rest}`],
  ])('is a 502, in the tunnel and on pass-through routes: %s', async (_what, bytes) => {
    head = bytes;

    const inTunnel = await send();
    const passed = await request(passing.url);

    for (const error of [
      JSON.parse(inTunnel.body.toString()),
      JSON.parse(passed.body.toString()),
    ]) {
      expect(error).toMatchObject({
        error: { code: 'RELAY_UPSTREAM_FAILED', forwarded: 'maybe' },
      });
    }
    expect(inTunnel.head?.startLine).toContain(' 502 ');
    expect(passed.status).toBe(502);
  });

  it('is none if a value has a tab', async () => {
    head = `HTTP/1.1 200 OK\r\nx-a: 1\t2\r\n${rest}`;

    const response = await send();

    expect(response.body.toString()).toBe('ok');
    expect(valueOf(response.head!.fields, 'x-a')).toBe('1\t2');
  });
});

describe('the message of an echo', () => {
  it('may have 100 characters', async () => {
    const response = await request(passing.url, { path: `/api/mte-echo/${'a'.repeat(100)}` });

    expect(JSON.parse(response.body.toString())).toMatchObject({ echo: 'a'.repeat(100) });
  });

  it.each([101, 10_000])('is refused if it has %i', async (length) => {
    const response = await request(passing.url, { path: `/api/mte-echo/${'a'.repeat(length)}` });

    expect(response.status).toBe(400);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_REQUEST_INVALID', forwarded: 'no' });
    expect(errorOf(response).message).toContain('100 characters');
  });
});
