import { setImmediate as nextTurn, setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { RawSocket } from '../../../test/support/network/raw-socket.js';
import {
  startRequestServer,
  type RequestServer,
} from '../../../test/support/upstreams/request-server.js';
import { sharedResources } from '../../../test/support/lifecycle/resources.js';
import { BodyReader } from './body-reader.js';
import { hasRequestBody } from './request-framing.js';
import { endRequestEarly, sendWholeResponse } from './early-response.js';

const MIB = 1024 * 1024;
const BODY = '{"error":"refused"}';

const shared = sharedResources();
let server: RequestServer;

beforeAll(async () => {
  server = shared(await startRequestServer());
});

afterEach(() => {
  vi.useRealTimers();
});

const head = (method: string, ...lines: string[]): string =>
  [`${method} / HTTP/1.1`, 'host: b', ...lines, '\r\n'].join('\r\n');

/** Splits the bytes of one response. */
function parsed(bytes: Buffer): { statusLine: string; lines: string[]; body: string } {
  const [headText = '', ...rest] = bytes.toString('latin1').split('\r\n\r\n');
  const [statusLine = '', ...lines] = headText.split('\r\n');
  return {
    statusLine,
    lines: lines.map((line) => line.toLowerCase()),
    body: rest.join('\r\n\r\n'),
  };
}

async function responseOn(client: RawSocket): Promise<ReturnType<typeof parsed>> {
  return parsed(await client.until(BODY));
}

describe('a response to a request that was read to its end', () => {
  it('has its length, its headers and its body, and leaves the connection open', async () => {
    const { message, response, client } = await server.receive(head('GET'));
    sendWholeResponse(message, response, 404, { 'content-type': 'application/json' }, BODY);
    const { statusLine, lines, body } = await responseOn(client);
    expect(statusLine).toBe('HTTP/1.1 404 Not Found');
    expect(lines).toContain('content-type: application/json');
    expect(lines).toContain(`content-length: ${BODY.length}`);
    expect(lines).toContain('connection: keep-alive');
    expect(body).toBe(BODY);
    expect(response.writableEnded).toBe(true);
  });

  it('counts octets, not characters', async () => {
    const { message, response, client } = await server.receive(head('GET'));
    sendWholeResponse(message, response, 400, {}, `\u00e9${BODY}`);
    expect((await responseOn(client)).lines).toContain(`content-length: ${BODY.length + 2}`);
  });

  it('may have an empty body', async () => {
    const { message, response, client } = await server.receive(head('GET'));
    sendWholeResponse(message, response, 560, { 'x-mte-relay': 'signed' }, '');
    const { lines } = parsed(await client.until('\r\n\r\n'));
    expect(lines).toContain('content-length: 0');
    expect(lines).toContain('x-mte-relay: signed');
  });

  it('has the length of the omitted body if the method is HEAD', async () => {
    const { message, response, client } = await server.receive(head('HEAD', 'connection: close'));
    sendWholeResponse(message, response, 404, {}, BODY);
    const { lines, body } = parsed(await client.all());
    expect(lines).toContain(`content-length: ${BODY.length}`);
    expect(body).toBe('');
  });
});

describe('an early response with a body of its own', () => {
  it('closes the connection after the rest of the request has been discarded', async () => {
    const { message, response, client } = await server.receive(head('POST', 'content-length: 10'));
    sendWholeResponse(message, response, 403, {}, BODY);
    const { lines, body } = await responseOn(client);
    expect(lines).toContain('connection: close');
    expect(body).toBe(BODY);
    expect(response.writableEnded).toBe(false);
    client.write('0123456789');
    expect(await client.ended).toBe('end');
  });

  it('is sent whole and immediately, before the rest of the request arrives', async () => {
    for (const framing of ['content-length: 10', 'transfer-encoding: chunked']) {
      const { message, response, client } = await server.receive(head('POST', framing));
      sendWholeResponse(message, response, 403, {}, BODY);
      expect((await responseOn(client)).lines).toContain(`content-length: ${BODY.length}`);
    }
  });

  it('preserves the octets of its fields', async () => {
    const { message, response, client } = await server.receive(head('POST', 'content-length: 10'));
    sendWholeResponse(message, response, 403, { 'x-name': 'caf\xe9' }, BODY);
    expect((await responseOn(client)).lines).toContain('x-name: caf\xe9');
  });

  it('reaches a client that is sending 64 MiB, in 20 of 20 attempts', async () => {
    const upload = Buffer.alloc(64 * MIB);
    for (let count = 0; count < 20; count += 1) {
      const { message, response, client } = await server.receive(
        head('POST', `content-length: ${upload.length}`),
      );
      client.socket.write(upload);
      sendWholeResponse(message, response, 403, {}, BODY);
      expect(await responseOn(client)).toMatchObject({
        statusLine: 'HTTP/1.1 403 Forbidden',
        body: BODY,
      });
      await client.close();
    }
  });

  it('reaches a client that starts to read one second into an upload of 64 MiB', async () => {
    const { message, response, client } = await server.receive(
      head('POST', `content-length: ${64 * MIB}`),
    );
    client.socket.pause();
    client.socket.write(Buffer.alloc(64 * MIB));
    sendWholeResponse(message, response, 403, {}, BODY);
    await after(1_000);
    client.socket.resume();
    expect(await responseOn(client)).toMatchObject({ body: BODY });
  });

  it('is followed by at most a little more than 4 MiB of discarded request body', async () => {
    const { message, response, client } = await server.receive(
      head('POST', `content-length: ${64 * MIB}`),
    );
    sendWholeResponse(message, response, 403, {}, BODY);
    let drained = 0;
    message.on('data', (chunk: Buffer) => {
      drained += chunk.length;
      if (drained <= 4 * MIB) {
        expect(response.writableEnded).toBe(false);
      }
    });
    client.socket.write(Buffer.alloc(64 * MIB));
    await new Promise((resolve) => response.once('close', resolve));
    expect(drained).toBeGreaterThan(4 * MIB);
    expect(drained).toBeLessThan(8 * MIB);
  });

  it('closes the connection after 2 s if the client stops sending', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { message, response, client } = await server.receive(head('POST', 'content-length: 10'));
    sendWholeResponse(message, response, 403, {}, BODY);
    vi.advanceTimersByTime(1_999);
    await nextTurn();
    expect(response.writableEnded).toBe(false);
    vi.advanceTimersByTime(1);
    expect(response.writableEnded).toBe(true);
    vi.useRealTimers();
    expect(parsed(await client.all()).body).toBe(BODY);
  });

  it('ends when the client goes away, and leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { message, response, client } = await server.receive(head('POST', 'content-length: 10'));
    const timers = vi.getTimerCount();
    sendWholeResponse(message, response, 403, {}, BODY);
    expect(vi.getTimerCount()).toBe(timers + 1);
    const closed = new Promise((resolve) => message.once('close', resolve));
    client.socket.resetAndDestroy();
    await closed;
    expect(vi.getTimerCount()).toBe(timers);
    expect(response.writableEnded).toBe(true);
  });

  it('discards the rest even if a cancelled reader has read part of it', async () => {
    const { message, response, client } = await server.receive(head('POST', 'content-length: 10'));
    const reader = new BodyReader(message, 0);
    const read = reader.next();
    reader.cancel(new Error('refused'));
    await expect(read).rejects.toThrow();
    sendWholeResponse(message, response, 403, {}, BODY);
    await responseOn(client);
    client.write('0123456789');
    expect(await client.ended).toBe('end');
  });
});

describe('a request whose streamed response is complete before it', () => {
  const respondedTo = async (bytes: number, sent: string) => {
    const received = await server.receive(head('POST', `content-length: ${bytes}`) + sent);
    // Node.js discards the rest itself unless something has started to read the body.
    await new BodyReader(received.message, 0).next();
    received.response.end('early');
    await received.client.until('early');
    return received;
  };

  it('is discarded, and its connection stays open if its end arrives in time', async () => {
    const { message, response, client } = await respondedTo(10, '0');
    endRequestEarly(message, response);
    client.write('123456789');
    await new Promise((resolve) => message.once('end', resolve));
    expect(message.complete).toBe(true);
    expect(client.socket.destroyed).toBe(false);
  });

  it('is left alone if it has been read', async () => {
    const { message, response } = await respondedTo(5, 'hello');
    await nextTurn();
    expect(message.complete).toBe(true);
    const listeners = message.listenerCount('data');
    endRequestEarly(message, response);
    expect(message.listenerCount('data')).toBe(listeners);
  });

  it('loses its connection after 2 s if the client stops sending', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { message, response, client } = await respondedTo(10, '0');
    endRequestEarly(message, response);
    vi.advanceTimersByTime(1_999);
    expect(message.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(message.destroyed).toBe(true);
    vi.useRealTimers();
    await client.ended;
  });

  it('loses its connection if more than 4 MiB remain', async () => {
    const { message, response, client } = await respondedTo(64 * MIB, '0');
    endRequestEarly(message, response);
    client.socket.write(Buffer.alloc(64 * MIB));
    await client.ended;
    expect(message.complete).toBe(false);
  });
});

describe('a streamed response that its client has not read yet', () => {
  it('is not cut off by the limits for draining its request', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { message, response, client } = await server.receive(head('POST', 'content-length: 10'));
    const content = Buffer.alloc(32 * MIB, 'a');
    client.socket.pause();
    response.writeHead(200, { 'content-length': content.length });
    response.end(content);
    endRequestEarly(message, response);
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    expect(message.destroyed).toBe(false);
    client.socket.resume();
    await client.ended;
    expect(client.socket.bytesRead).toBeGreaterThan(content.length);
  });
});

describe('whether a request has a body', () => {
  it.each<[lines: string[], expected: boolean]>([
    [[], false],
    [['content-length: 0'], false],
    [['content-length: 1'], true],
    [['transfer-encoding: chunked'], true],
  ])('follows from its framing: %j', async (lines, expected) => {
    for (const method of ['GET', 'POST']) {
      const { message } = await server.receive(head(method, ...lines));
      expect(hasRequestBody(message)).toBe(expected);
    }
  });
});
