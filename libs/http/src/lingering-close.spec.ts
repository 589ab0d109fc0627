import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { selfSignedCertificate } from '../../../test/support/certificates/self-signed-certificate.js';
import { upload } from '../../../test/support/clients/upload.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import { listen } from '../../../test/support/network/listen.js';
import { openSocket, type RawSocket } from '../../../test/support/network/raw-socket.js';
import { startRequestServer } from '../../../test/support/upstreams/request-server.js';
import type {
  ReceivedRequest,
  RequestServer,
} from '../../../test/support/upstreams/request-server.js';
import { sendWholeResponse } from './early-response.js';
import { onBytesReceived } from './received-bytes.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const BODY = 'refused';
const HEAD = `PUT / HTTP/1.1\r\nhost: b\r\ncontent-length: ${2 * GIB}\r\n\r\n`;

const shared = sharedResources();
let server: RequestServer;

beforeAll(async () => {
  server = shared(await startRequestServer());
});

const opened: Socket[] = [];

afterEach(async () => {
  vi.useRealTimers();
  // A connection that lingers would count in the next test.
  const open = opened.splice(0).filter(({ closed }) => !closed);
  await Promise.all(open.map((socket) => closed(socket.destroy())));
});

/** The server has responded early, and its connection lingers. */
async function lingering(head = HEAD): Promise<ReceivedRequest & { readonly socket: Socket }> {
  const received = await server.receive(head);
  const { socket } = received.message;
  opened.push(socket);
  sendWholeResponse(received.message, received.response, 413, {}, BODY);
  await received.client.until(BODY);
  return { ...received, socket };
}

/** A client that neither closes its side nor notices that the server has. */
function keepOpen({ socket }: RawSocket): void {
  socket.removeAllListeners('end');
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
}

describe('the connection of an early response', () => {
  it('is closed for writing at once, so that a client without a length knows the end', async () => {
    const { client, socket } = await lingering();
    expect(await client.ended).toBe('end');
    await closed(socket);
  });

  it('takes 64 MiB that are still sent, and ends when the client ends it', async () => {
    const { client, socket } = await lingering();
    keepOpen(client);
    expect(await upload(client.socket, 64 * MIB).done).toBe(64 * MIB);
    await vi.waitUntil(() => socket.bytesRead === 64 * MIB + HEAD.length, 20_000);
    expect(socket.destroyed).toBe(false);
    client.socket.end();
    await closed(socket);
  });

  it('takes what is still sent even if nobody has read the request, so that reading had stopped', async () => {
    const { message, response, client } = await server.receive(HEAD);
    opened.push(message.socket);
    keepOpen(client);
    const sending = upload(client.socket, 64 * MIB);
    await vi.waitUntil(() => message.socket.isPaused(), 20_000);
    sendWholeResponse(message, response, 413, {}, BODY);
    expect(await sending.done).toBe(64 * MIB);
    await vi.waitUntil(() => message.socket.bytesRead === 64 * MIB + HEAD.length, 20_000);
  });

  it('reports what it discards, like everything that is received', async () => {
    let received = 0;
    onBytesReceived((bytes) => {
      received += bytes;
    });
    const { client } = await lingering();
    keepOpen(client);
    client.write(Buffer.alloc(100_000));
    await vi.waitUntil(() => received === 100_000, 20_000);
  });

  it('passes on no request that follows', async () => {
    let requests = 0;
    const listening = forThisTest(
      await listen(
        createHttpServer((request, response) => {
          requests += 1;
          sendWholeResponse(request, response, 413, {}, BODY);
        }),
      ),
    );
    const client = forThisTest(openSocket(listening.port));
    client.write('PUT / HTTP/1.1\r\nhost: b\r\ncontent-length: 4\r\n\r\n');
    await client.until(BODY);
    client.write('bodyGET /next HTTP/1.1\r\nhost: b\r\n\r\n');
    await client.ended;
    expect(requests).toBe(1);
    expect(client.received.toString().match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('loses nothing of a response that is still being read', async () => {
    const received = await server.receive(HEAD);
    received.client.socket.pause();
    const body = 'x'.repeat(32 * MIB);
    sendWholeResponse(received.message, received.response, 413, {}, body);
    expect(await upload(received.client.socket, 8 * MIB).done).toBe(8 * MIB);
    received.client.socket.resume();
    expect((await received.client.all()).subarray(-body.length).toString()).toBe(body);
  });

  it('is not an error if the client gives up its upload', async () => {
    const listening = createHttpServer((request, response) => {
      sendWholeResponse(request, response, 413, {}, BODY);
    });
    const errors: Error[] = [];
    listening.on('clientError', (error) => errors.push(error));
    const { port } = forThisTest(await listen(listening));
    const accepted = once(listening, 'connection') as Promise<[Socket]>;
    const client = forThisTest(openSocket(port));
    const [socket] = await accepted;
    client.write(HEAD);
    await client.until(BODY);
    client.socket.end();
    await closed(socket);
    expect(errors).toEqual([]);
  });

  it('takes what is still sent over TLS, too, and ends with close_notify', async () => {
    const certificate = selfSignedCertificate();
    const tls = createHttpsServer(certificate, (request, response) => {
      sendWholeResponse(request, response, 413, {}, BODY);
    });
    const { port } = forThisTest(await listen(tls));
    const accepted = once(tls, 'secureConnection') as Promise<[Socket]>;
    const tcp = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const client = connectTls({ socket: tcp, ca: certificate.cert, servername: 'localhost' });
    const [socket] = await accepted;
    client.write(HEAD);
    let text = '';
    client.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await once(client, 'end');
    expect(text).toContain(BODY);
    expect(await upload(client, 16 * MIB).done).toBe(16 * MIB);
    await vi.waitUntil(() => socket.bytesRead > 16 * MIB, 20_000);
    client.end();
    await closed(socket);
  });
});

describe('#61 a connection that lingers', () => {
  it('ends after 30 s, however steadily its client sends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, socket } = await lingering();
    keepOpen(client);
    for (let second = 1; second < 30; second += 1) {
      vi.advanceTimersByTime(1_000);
      const before = socket.bytesRead;
      client.write('x');
      while (socket.bytesRead === before) {
        await nextTurn();
      }
      // One more turn, in which the byte reaches its listener.
      await nextTurn();
      expect(socket.destroyed).toBe(false);
    }
    vi.advanceTimersByTime(1_000);
    expect(socket.destroyed).toBe(true);
  });

  it('ends after 5 s of silence', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, socket } = await lingering();
    keepOpen(client);
    vi.advanceTimersByTime(4_999);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(socket.destroyed).toBe(true);
  });

  it('ends after 1 GiB', { timeout: 120_000 }, async () => {
    const { client, socket } = await lingering();
    keepOpen(client);
    const sending = upload(client.socket, 2 * GIB);
    await closed(socket);
    expect(socket.bytesRead).toBeGreaterThan(GIB);
    expect(socket.bytesRead).toBeLessThan(GIB + 16 * MIB);
    await sending.done;
  });

  it('is one of at most 1,000: the oldest ends for a new one', { timeout: 120_000 }, async () => {
    // No connection ends for being silent while the others are opened.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const sockets: Socket[] = [];
    for (let count = 0; count < 1_000; count += 1) {
      const { client, socket } = await lingering();
      keepOpen(client);
      sockets.push(socket);
    }
    expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]);
    await lingering();
    expect(sockets.flatMap(({ destroyed }, index) => (destroyed ? [index] : []))).toEqual([0]);
  });

  it('leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const timers = vi.getTimerCount();
    const { client, socket } = await lingering();
    expect(vi.getTimerCount()).toBe(timers + 2);
    client.socket.resetAndDestroy();
    await closed(socket);
    expect(vi.getTimerCount()).toBe(timers);
  });
});
