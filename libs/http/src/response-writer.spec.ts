import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  startRequestServer,
  type ReceivedRequest,
  type RequestServer,
} from '../../../test/support/request-server.js';
import { sharedResources } from '../../../test/support/resources.js';
import { ResponseWriter } from './response-writer.js';

const STALL_LIMIT_MS = 60_000;
const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 7);
/** More than the system keeps for a receiver that does not read. */
const LARGE = Buffer.alloc(48 * MIB, 7);

const GET = 'GET / HTTP/1.1\r\nhost: b\r\n\r\n';

const shared = sharedResources();
let server: RequestServer;

beforeAll(async () => {
  server = shared(await startRequestServer());
});

afterEach(() => {
  vi.useRealTimers();
});

interface Sunk extends ReceivedRequest {
  readonly sink: ResponseWriter;
  readonly onDrain: ReturnType<typeof vi.fn>;
}

async function sunk(stallTimeoutMs = STALL_LIMIT_MS, request = GET): Promise<Sunk> {
  const received = await server.receive(request);
  const onDrain = vi.fn();
  return {
    ...received,
    onDrain,
    sink: new ResponseWriter(received.response, stallTimeoutMs, onDrain),
  };
}

/** Writes more than the receiver, which does not read, will take. */
function fill({ sink, client }: Sunk): void {
  client.socket.pause();
  sink.start(200, ['connection', 'close']);
  expect(sink.write(LARGE)).toBe(false);
}

function closed({ response }: Sunk): Promise<void> {
  return new Promise((resolve) => response.once('close', resolve));
}

describe('an answer', () => {
  it('has its fields in order, with repeats, and none of this server', async () => {
    const { sink, client } = await sunk();
    expect(sink.isStarted).toBe(false);
    const fields = ['set-cookie', 'a=1', 'x-name', 'caf\xe9', 'set-cookie', 'b=2'];
    sink.start(201, [...fields, 'content-length', '5']);
    expect(sink.isStarted).toBe(true);
    sink.end(Buffer.from('hello'));
    const text = (await client.until('hello')).toString('latin1');
    const [head = ''] = text.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 201 Created',
      'set-cookie: a=1',
      'x-name: caf\xe9',
      'set-cookie: b=2',
      'content-length: 5',
      'Connection: keep-alive',
      expect.stringMatching(/^Keep-Alive: /),
    ]);
  });

  it('sends its head before there is a body, where that is asked for', async () => {
    const { sink, client } = await sunk();
    sink.start(200, ['content-type', 'text/event-stream', 'x-name', 'caf\xe9']);
    sink.flushHead();
    const head = (await client.until('\r\n\r\n')).toString('latin1');
    expect(head).toContain('\r\ncontent-type: text/event-stream\r\nx-name: caf\xe9\r\n');
    sink.write(Buffer.from('data: 1\n\n'));
    await client.until('data: 1\n\n');
    sink.end();
    await client.until('0\r\n\r\n');
  });

  it('may end without a body', async () => {
    const { sink, client } = await sunk();
    sink.start(204, []);
    sink.end();
    expect((await client.until('\r\n\r\n')).toString()).toMatch(/^HTTP\/1.1 204 /);
  });

  it('waits for a receiver that does not read, and goes on when it does', async () => {
    const answer = await sunk();
    fill(answer);
    expect(answer.sink.write(CHUNK)).toBe(false);
    expect(answer.onDrain).not.toHaveBeenCalled();
    const drained = new Promise((resolve) => answer.onDrain.mockImplementationOnce(resolve));
    answer.client.socket.resume();
    await drained;
    answer.sink.end();
    const received = await answer.client.all();
    expect(received.length).toBeGreaterThan(LARGE.length + CHUNK.length);
    expect(received.subarray(-5).toString()).toBe('0\r\n\r\n');
    expect(answer.sink.bytes).toBe(LARGE.length + CHUNK.length);
  });

  it('goes out beside fields that were set before, with its own repeats', async () => {
    const { sink, client, response } = await sunk();
    response.setHeader('vary', 'origin');
    sink.start(200, ['set-cookie', 'a=1', 'vary', 'accept', 'set-cookie', 'b=2']);
    sink.end();
    const lines = (await client.until('\r\n\r\n')).toString('latin1').split('\r\n');
    expect(lines.filter((line) => /^(vary|set-cookie):/i.test(line))).toEqual([
      'vary: origin',
      'vary: accept',
      'set-cookie: a=1',
      'set-cookie: b=2',
    ]);
  });
});

describe('an answer to a client that closes its connection, before the end of the request', () => {
  const unfinished = (method: string): string =>
    `${method} / HTTP/1.1\r\nhost: b\r\nconnection: close\r\ncontent-length: 10\r\n\r\n0`;

  it.each([
    ['POST', 204],
    ['POST', 304],
    ['HEAD', 200],
  ])('comes at once, also where it has no body: %s, %i', async (method, status) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { sink, client, response } = await sunk(STALL_LIMIT_MS, unfinished(method));
    sink.start(status, ['x-name', 'caf\xe9']);
    sink.end();
    const head = (await client.until('\r\n\r\n')).toString('latin1');
    expect(head).toContain('\r\nx-name: caf\xe9\r\n');
    expect(response.writableEnded).toBe(false);
    client.write('123456789');
    expect(await client.ended).toBe('end');
  });

  it('is whole also where the limit is shorter than what the rest of the request may take', async () => {
    const { sink, client } = await sunk(100, unfinished('POST'));
    sink.start(200, []);
    sink.end(Buffer.from('hello'));
    await client.until('hello');
    await after(200);
    client.write('123456789');
    expect((await client.all()).subarray(-5).toString()).toBe('0\r\n\r\n');
  });

  it('leaves no timer where the client goes away', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = await sunk(STALL_LIMIT_MS, unfinished('POST'));
    answer.sink.start(200, []);
    answer.sink.end(Buffer.from('hello'));
    const gone = new Promise((resolve) => answer.message.once('close', resolve));
    answer.client.socket.resetAndDestroy();
    await gone;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an answer that is given up', () => {
  it('resets its connection', async () => {
    const { sink, client } = await sunk();
    sink.start(200, []);
    sink.write(Buffer.from('part'));
    await client.until('part');
    sink.reset();
    expect(await client.ended).toBe('reset');
  });

  it('leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = await sunk();
    fill(answer);
    answer.sink.reset();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a receiver that does not read', () => {
  it('is reset after the limit, not before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = await sunk();
    fill(answer);
    vi.advanceTimersByTime(STALL_LIMIT_MS - 1);
    expect(answer.response.destroyed).toBe(false);
    const gone = closed(answer);
    vi.advanceTimersByTime(1);
    await gone;
    vi.useRealTimers();
    answer.client.socket.resume();
    await answer.client.ended;
    expect(answer.client.socket.bytesRead).toBeLessThan(LARGE.length);
  });

  it('is waited for without end where the limit is 0', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = await sunk(0);
    fill(answer);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is reset also where the whole answer was written', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = await sunk();
    fill(answer);
    answer.sink.end();
    expect(vi.getTimerCount()).toBe(1);
    const gone = closed(answer);
    vi.advanceTimersByTime(STALL_LIMIT_MS);
    await gone;
  });

  it('has its whole time again after it has caught up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = await sunk();
    fill(answer);
    vi.advanceTimersByTime(STALL_LIMIT_MS - 1);
    const drained = new Promise((resolve) => answer.onDrain.mockImplementationOnce(resolve));
    answer.client.socket.resume();
    await drained;
    expect(vi.getTimerCount()).toBe(0);

    answer.client.socket.pause();
    answer.sink.write(LARGE);
    vi.advanceTimersByTime(STALL_LIMIT_MS - 1);
    await nextTurn();
    expect(answer.response.destroyed).toBe(false);
  });
});

describe('a receiver that reads slowly', () => {
  it('is not reset while it goes on reading, also the end of a large answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = await sunk();
    const { client, sink } = answer;
    client.socket.pause();
    const body = Buffer.alloc(128 * MIB);
    sink.start(200, ['content-length', String(body.length)]);
    const gone = closed(answer);
    sink.end(body);
    for (const bytes of [16 * MIB, 32 * MIB]) {
      await readUpTo(client.socket, bytes);
      vi.advanceTimersByTime(STALL_LIMIT_MS - 1);
      await nextTurn();
    }
    client.socket.resume();
    await gone;
    await readUpTo(client.socket, body.length);
    expect(client.socket.bytesRead).toBeGreaterThan(body.length);
  });
});

/** Lets a receiver that was paused read on until it has so many bytes in all. */
function readUpTo(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    const onData = (): void => {
      if (socket.bytesRead >= bytes) {
        socket.off('data', onData).pause();
        resolve();
      }
    };
    socket.on('data', onData).once('close', resolve).resume();
  });
}

describe('an answer that was read to its end', () => {
  it('leaves no timer, also on a connection that stays open', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = await sunk();
    answer.sink.start(200, ['content-length', String(LARGE.length)]);
    const gone = closed(answer);
    answer.sink.end(LARGE);
    expect(vi.getTimerCount()).toBe(1);
    await gone;
    expect(vi.getTimerCount()).toBe(0);
    expect(answer.client.socket.destroyed).toBe(false);
  });
});
