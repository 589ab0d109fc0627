import { createServer } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';

import { listen } from '../../../test/support/network/listen.js';
import { openSocket, type RawSocket } from '../../../test/support/network/raw-socket.js';
import {
  startRequestServer,
  type RequestServer,
} from '../../../test/support/upstreams/request-server.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import { BodyReader } from './body-reader.js';
import { hasRequestBody } from './request-framing.js';
import { sendWholeResponse } from './early-response.js';

const MIB = 1024 * 1024;
const BODY = '{"error":"refused"}';

const shared = sharedResources();
let server: RequestServer;

beforeAll(async () => {
  server = shared(await startRequestServer());
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
  it('is sent whole and immediately, and closes the connection', async () => {
    for (const framing of ['content-length: 10', 'transfer-encoding: chunked']) {
      const { message, response, client } = await server.receive(head('POST', framing));
      sendWholeResponse(message, response, 403, {}, BODY);
      const { lines, body } = await responseOn(client);
      expect(lines).toContain('connection: close');
      expect(lines).toContain(`content-length: ${BODY.length}`);
      expect(body).toBe(BODY);
      expect(await client.ended).toBe('end');
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

  it('reaches a client that starts to read only after an upload of 64 MiB', async () => {
    const { message, response, client } = await server.receive(
      head('POST', `content-length: ${64 * MIB}`),
    );
    client.socket.pause();
    sendWholeResponse(message, response, 403, {}, BODY);
    await new Promise((resolve) => client.socket.write(Buffer.alloc(64 * MIB), resolve));
    client.socket.resume();
    expect(await responseOn(client)).toMatchObject({ body: BODY });
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

describe('a response to a request that has arrived, but was read in part only', () => {
  it('leaves a connection on which the next request is read', async () => {
    const content = Buffer.alloc(100_000, 'x');
    const answered = createServer((message, response) => {
      void (async () => {
        if (message.method === 'POST') {
          await new BodyReader(message, 0).next();
          while (!message.complete) {
            await nextTurn();
          }
        }
        sendWholeResponse(message, response, 403, {}, `${BODY}${message.method}`);
      })();
    });
    const { port } = forThisTest(await listen(answered));
    const client = forThisTest(openSocket(port));
    client.write(head('POST', `content-length: ${content.length}`));
    client.write(content);
    expect(parsed(await client.until('POST')).lines).toContain('connection: keep-alive');
    client.write(head('GET'));
    await client.until(`${BODY}GET`);
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
