import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { Pool, buildConnector } from 'undici';
import { describe, expect, it } from 'vitest';

import { selfSignedCertificate } from '../../../test/support/certificates/self-signed-certificate.js';
import { ExchangeRecorder } from '../../../test/support/lifecycle/exchange-recorder.js';
import { forThisTest } from '../../../test/support/lifecycle/resources.js';
import { listen } from '../../../test/support/network/listen.js';
import { Exchange } from './exchange.js';
import { readingFirst } from './reading-first.js';

const LIMITS = { responseTimeoutMs: 60_000, idleTimeoutMs: 60_000 };
const PIECE = Buffer.alloc(65_536, 'x');
const BODY = 'too large';
const WITH_LENGTH = `HTTP/1.1 413 Content Too Large\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`;

/** Sends chunks for as long as they are taken. */
// eslint-disable-next-line @typescript-eslint/require-await
async function* endless(): AsyncGenerator<Buffer> {
  for (;;) {
    yield PIECE;
  }
}

/**
 * Responds to a request whose head has arrived, and closes the connection while unread bytes of the request are on it: the
 * system resets it.
 */
function respondAndClose(socket: Socket, response: string): void {
  socket.once('data', () => {
    socket.pause();
    socket.write(response, () => {
      socket.destroy();
    });
  });
}

function send(origin: string, options: buildConnector.BuildOptions = {}): ExchangeRecorder {
  const pool = new Pool(origin, { connect: readingFirst(buildConnector(options)) });
  forThisTest({ close: () => pool.destroy() });
  const seen = new ExchangeRecorder();
  const request = { origin, method: 'PUT', path: '/', headers: [] };
  new Exchange(LIMITS, seen).start(pool, { ...request, body: endless() });
  return seen;
}

async function serverThatSends(response: string): Promise<string> {
  const server = createServer((socket) => {
    respondAndClose(socket, response);
  });
  return forThisTest(await listen(server)).url;
}

describe('a response of a server that has closed the connection while the request was sent', () => {
  it('is read in 20 of 20 exchanges', async () => {
    const url = await serverThatSends(WITH_LENGTH);
    for (let count = 0; count < 20; count += 1) {
      const seen = send(url);
      expect(await seen.end).toBe('end');
      expect(seen.status).toBe(413);
      expect(seen.body.toString()).toBe(BODY);
    }
  });

  it('is read over TLS', async () => {
    const certificate = selfSignedCertificate();
    const server = createTlsServer(certificate, (socket) => {
      respondAndClose(socket, WITH_LENGTH);
    });
    const { port } = forThisTest(await listen(server));
    const seen = send(`https://127.0.0.1:${port}`, { ca: certificate.cert });
    expect(await seen.end).toBe('end');
    expect(seen.body.toString()).toBe(BODY);
  });

  it('is incomplete if it does not have its length', async () => {
    const url = await serverThatSends(WITH_LENGTH.slice(0, -1));
    expect(await send(url).end).toMatchObject({ kind: 'reset', hasHead: true });
  });

  it('is none if no octet of it has arrived', async () => {
    const url = await serverThatSends('');
    expect(await send(url).end).toMatchObject({ kind: 'reset', wasSent: true, hasHead: false });
  });
});

describe('#63 a connection that was reset', () => {
  /** A connection of which the other side has sent this much, less than the system takes unread, and then reset it. */
  async function failedAfter(bytes: number): Promise<Socket> {
    const server = createServer();
    const { port } = forThisTest(await listen(server));
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const connect = readingFirst(buildConnector({}));
    const socket = await new Promise<Socket>((resolve, reject) => {
      connect({ hostname: '127.0.0.1', protocol: 'http:', port: String(port) }, (error, opened) => {
        if (error === null) {
          resolve(opened);
        } else {
          reject(error);
        }
      });
    });
    forThisTest({ close: () => Promise.resolve(void socket.destroy()) });
    const [peer] = await accepted;
    await new Promise((resolve) => peer.write(Buffer.alloc(bytes, 'a'), resolve));
    peer.resetAndDestroy();
    return socket;
  }

  /** Reads slowly. @returns the number of bytes, and the error that ended the connection */
  async function readToEnd(socket: Socket): Promise<[bytes: number, error: unknown]> {
    let bytes = 0;
    const failed = new Promise((resolve) => socket.once('error', resolve));
    while (!socket.destroyed && !socket.readableEnded) {
      await nextTurn();
      bytes += (socket.read() as Buffer | null)?.length ?? 0;
    }
    expect(socket.readableEnded).toBe(false);
    return [bytes, await failed];
  }

  it('gives all that has arrived, however slowly it is read, and then the error of a write', async () => {
    const socket = await failedAfter(100_000);
    socket.write('x');
    expect(await readToEnd(socket)).toMatchObject([100_000, { syscall: 'write' }]);
  });

  it.each([1, 1_000, 100_000])(
    'does not end orderly if nothing was written, after %i bytes',
    async (bytes) => {
      const socket = await failedAfter(bytes);
      expect(await readToEnd(socket)).toMatchObject([bytes, { code: 'ECONNRESET' }]);
    },
  );
});
