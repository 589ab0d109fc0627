import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  startRequestServer,
  type RequestServer,
} from '../../../test/support/upstreams/request-server.js';
import { sharedResources } from '../../../test/support/lifecycle/resources.js';
import { BodyReader } from './body-reader.js';
import { BodyAbortedError, BodyIdleError, ClientGoneError } from './http.errors.js';

const NO_LIMIT = 0;
const IDLE_LIMIT_MS = 60_000;

const shared = sharedResources();
let server: RequestServer;

beforeAll(async () => {
  server = shared(await startRequestServer());
});

afterEach(() => {
  vi.useRealTimers();
});

/** A request that announces a body of `bytes` bytes and has sent `sent` of it. */
async function requestOf(bytes: number, sent = '', idleTimeoutMs = NO_LIMIT) {
  const head = `POST / HTTP/1.1\r\nhost: b\r\ncontent-length: ${bytes}\r\n\r\n`;
  const received = await server.receive(head + sent);
  return { ...received, reader: new BodyReader(received.message, idleTimeoutMs) };
}

/** Resolves in the turn after the bytes have arrived, when Node.js also knows whether they were the last ones. */
async function arrived(message: IncomingMessage): Promise<void> {
  await once(message, 'readable');
  await nextTurn();
}

/** Not `events.once`, which would reject because an aborted message also emits an error. */
function closed(message: IncomingMessage): Promise<void> {
  return new Promise((resolve) => message.once('close', resolve));
}

async function readAll(reader: BodyReader): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of reader) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

describe('a body', () => {
  it('is read chunk by chunk, then ends, and remains at its end', async () => {
    const { reader, client } = await requestOf(10);
    const first = reader.next();
    client.write('hello');
    expect((await first)?.toString()).toBe('hello');
    expect(reader.isAtEnd).toBe(false);
    const second = reader.next();
    client.write('world');
    expect((await second)?.toString()).toBe('world');
    expect(await reader.next()).toBeUndefined();
    expect(reader.isAtEnd).toBe(true);
    expect(await reader.next()).toBeUndefined();
  });

  it('is read to its end if it is chunked', async () => {
    const { message, client } = await server.receive(
      'POST / HTTP/1.1\r\nhost: b\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
    );
    const body = readAll(new BodyReader(message, NO_LIMIT));
    client.write('6\r\n world\r\n0\r\n\r\n');
    expect(await body).toBe('hello world');
  });

  it.each(['content-length: 0\r\n', 'transfer-encoding: chunked\r\n', ''])(
    'has nothing to read if it is empty: %j',
    async (framing) => {
      const end = framing.startsWith('t') ? '0\r\n\r\n' : '';
      const { message } = await server.receive(
        `POST / HTTP/1.1\r\nhost: b\r\n${framing}\r\n${end}`,
      );
      const reader = new BodyReader(message, NO_LIMIT);
      expect(await reader.next()).toBeUndefined();
      expect(reader.isAtEnd).toBe(true);
    },
  );

  it('is available immediately if it has arrived, and undefined if it has not', async () => {
    const { reader, client, message } = await requestOf(5);
    expect(reader.readNow()).toBeUndefined();
    client.write('hello');
    await arrived(message);
    expect(reader.readNow()?.toString()).toBe('hello');
    expect(reader.readNow()).toBeUndefined();
    expect(reader.isAtEnd).toBe(true);
    expect(await reader.next()).toBeUndefined();
  });

  it('is not at its end while some of its bytes are unread', async () => {
    const { reader, message } = await requestOf(5, 'hello');
    await arrived(message);
    expect(message.complete).toBe(true);
    expect(reader.isAtEnd).toBe(false);
  });

  it('stays with its sender while it is not read', async () => {
    const bytes = 32 * 1024 * 1024;
    const { reader, client, message } = await requestOf(bytes);
    let isSent = false;
    const sent = new Promise<void>((resolve) => {
      client.socket.write(Buffer.alloc(bytes), () => {
        isSent = true;
        resolve();
      });
    });
    let received = (await reader.next())?.length ?? 0;
    for (let turn = 0; turn < 50; turn += 1) {
      await nextTurn();
      expect(message.readableLength).toBeLessThanOrEqual(256 * 1024);
    }
    expect(isSent).toBe(false);
    for await (const chunk of reader) {
      received += chunk.length;
    }
    await sent;
    expect(received).toBe(bytes);
  });
});

describe('a body whose connection is lost', () => {
  it.each(['reset', 'end'] as const)('fails a waiting read: %s', async (how) => {
    const { reader, client } = await requestOf(10, 'hello');
    expect((await reader.next())?.toString()).toBe('hello');
    const read = reader.next();
    if (how === 'reset') {
      client.socket.resetAndDestroy();
    } else {
      client.socket.end();
    }
    await expect(read).rejects.toBeInstanceOf(BodyAbortedError);
    await expect(reader.next()).rejects.toBeInstanceOf(BodyAbortedError);
  });

  it('fails a later read', async () => {
    const { reader, client, message } = await requestOf(10, 'hello');
    client.socket.resetAndDestroy();
    await closed(message);
    await expect(reader.next()).rejects.toBeInstanceOf(BodyAbortedError);
  });

  it('fails a reader that is created afterwards', async () => {
    const { message, client } = await server.receive(
      'POST / HTTP/1.1\r\nhost: b\r\ncontent-length: 10\r\n\r\nhello',
    );
    client.socket.resetAndDestroy();
    await closed(message);
    await expect(readAll(new BodyReader(message, NO_LIMIT))).rejects.toBeInstanceOf(
      BodyAbortedError,
    );
  });

  it('causes no uncaught error if nothing reads it', async () => {
    const { client, message } = await requestOf(10, 'hello');
    client.socket.resetAndDestroy();
    await closed(message);
  });
});

describe('the idle limit of a body', () => {
  it('fails a read that waits too long and all later reads, but a response can still be sent', async () => {
    const { reader, client, message, response } = await requestOf(10, '', IDLE_LIMIT_MS);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const read = reader.next();
    const failure = expect(read).rejects.toBeInstanceOf(BodyIdleError);
    vi.advanceTimersByTime(IDLE_LIMIT_MS);
    await failure;
    await expect(reader.next()).rejects.toBeInstanceOf(BodyIdleError);
    vi.useRealTimers();

    expect(message.destroyed).toBe(false);
    response.writeHead(408, { connection: 'close' }).end();
    expect((await client.all()).toString()).toMatch(/^HTTP\/1.1 408 /);
  });

  it('restarts with every byte', async () => {
    const { reader, client } = await requestOf(10, '', IDLE_LIMIT_MS);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    for (let count = 0; count < 5; count += 1) {
      const read = reader.next();
      vi.advanceTimersByTime(IDLE_LIMIT_MS - 1);
      client.write('x');
      expect((await read)?.toString()).toBe('x');
    }
  });

  it('applies only while a read is waiting', async () => {
    const { reader, client } = await requestOf(6, 'x', IDLE_LIMIT_MS);
    expect((await reader.next())?.toString()).toBe('x');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.advanceTimersByTime(10 * IDLE_LIMIT_MS);
    expect(vi.getTimerCount()).toBe(0);
    client.write('hello');
    expect(await readAll(reader)).toBe('hello');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is disabled if it is 0', async () => {
    const { reader, client } = await requestOf(5, '', NO_LIMIT);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const body = readAll(reader);
    vi.advanceTimersByTime(24 * 60 * 60 * 1000);
    client.write('hello');
    expect(await body).toBe('hello');
  });
});

describe('a cancelled reader', () => {
  const reason = new ClientGoneError('the rest is not needed');

  it('fails the waiting read and all later reads with the reason', async () => {
    const { reader, message } = await requestOf(10);
    const read = reader.next();
    reader.cancel(reason);
    await expect(read).rejects.toBe(reason);
    await expect(reader.next()).rejects.toBe(reason);
    expect(message.destroyed).toBe(false);
  });

  it('fails the next read if none is waiting, whatever has arrived', async () => {
    const { reader, message } = await requestOf(10, 'hello');
    await arrived(message);
    reader.cancel(reason);
    await expect(reader.next()).rejects.toBe(reason);
  });

  it('keeps the first reason', async () => {
    const { reader, client, message } = await requestOf(10);
    reader.cancel(reason);
    reader.cancel(new Error('another'));
    client.socket.resetAndDestroy();
    await closed(message);
    await expect(reader.next()).rejects.toBe(reason);
  });
});
