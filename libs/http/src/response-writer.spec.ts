import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  startRequestServer,
  type ReceivedRequest,
  type RequestServer,
} from '../../../test/support/upstreams/request-server.js';
import { sharedResources } from '../../../test/support/lifecycle/resources.js';
import { ResponseWriter } from './response-writer.js';

const STALL_LIMIT_MS = 60_000;
const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 7);
/** More than the system buffers for a receiver that does not read. */
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

interface Setup extends ReceivedRequest {
  readonly writer: ResponseWriter;
  readonly onDrain: ReturnType<typeof vi.fn>;
}

async function setUp(stallTimeoutMs = STALL_LIMIT_MS, request = GET): Promise<Setup> {
  const received = await server.receive(request);
  const onDrain = vi.fn();
  return {
    ...received,
    onDrain,
    writer: new ResponseWriter(received.response, stallTimeoutMs, onDrain),
  };
}

/** Writes more than the receiver, which does not read, will take. */
function fill({ writer, client }: Setup): void {
  client.socket.pause();
  writer.start(200, ['connection', 'close']);
  expect(writer.write(LARGE)).toBe(false);
}

function closed({ response }: Setup): Promise<void> {
  return new Promise((resolve) => response.once('close', resolve));
}

describe('a response', () => {
  it('has its fields in order, with repeats, and no date added by Node.js', async () => {
    const { writer, client } = await setUp();
    expect(writer.isStarted).toBe(false);
    const fields = ['set-cookie', 'a=1', 'x-name', 'caf\xe9', 'set-cookie', 'b=2'];
    writer.start(201, [...fields, 'content-length', '5']);
    expect(writer.isStarted).toBe(true);
    writer.end(Buffer.from('hello'));
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

  it('sends its head before there is a body if that is requested', async () => {
    const { writer, client } = await setUp();
    writer.start(200, ['content-type', 'text/event-stream', 'x-name', 'caf\xe9']);
    writer.flushHead();
    const head = (await client.until('\r\n\r\n')).toString('latin1');
    expect(head).toContain('\r\ncontent-type: text/event-stream\r\nx-name: caf\xe9\r\n');
    writer.write(Buffer.from('data: 1\n\n'));
    await client.until('data: 1\n\n');
    writer.end();
    await client.until('0\r\n\r\n');
  });

  it('may end without a body', async () => {
    const { writer, client } = await setUp();
    writer.start(204, []);
    writer.end();
    expect((await client.until('\r\n\r\n')).toString()).toMatch(/^HTTP\/1.1 204 /);
  });

  it('waits for a receiver that does not read, and continues when it does', async () => {
    const setup = await setUp();
    fill(setup);
    expect(setup.writer.write(CHUNK)).toBe(false);
    expect(setup.onDrain).not.toHaveBeenCalled();
    const drained = new Promise((resolve) => setup.onDrain.mockImplementationOnce(resolve));
    setup.client.socket.resume();
    await drained;
    setup.writer.end();
    const received = await setup.client.all();
    expect(received.length).toBeGreaterThan(LARGE.length + CHUNK.length);
    expect(received.subarray(-5).toString()).toBe('0\r\n\r\n');
    expect(setup.writer.bytes).toBe(LARGE.length + CHUNK.length);
  });

  it('is sent along with fields that were set earlier, with its own repeats', async () => {
    const { writer, client, response } = await setUp();
    response.setHeader('vary', 'origin');
    writer.start(200, ['set-cookie', 'a=1', 'vary', 'accept', 'set-cookie', 'b=2']);
    writer.end();
    const lines = (await client.until('\r\n\r\n')).toString('latin1').split('\r\n');
    expect(lines.filter((line) => /^(vary|set-cookie):/i.test(line))).toEqual([
      'vary: origin',
      'vary: accept',
      'set-cookie: a=1',
      'set-cookie: b=2',
    ]);
  });
});

describe('an early response', () => {
  const incomplete = (method: string): string =>
    `${method} / HTTP/1.1\r\nhost: b\r\ncontent-length: 10\r\n\r\n0`;

  it.each([
    ['POST', 204],
    ['POST', 304],
    ['HEAD', 200],
    ['PUT', 413],
  ])(
    'announces that its connection closes, and is whole at once: %s, %i',
    async (method, status) => {
      const { writer, client } = await setUp(STALL_LIMIT_MS, incomplete(method));
      writer.start(status, ['x-name', 'caf\xe9']);
      writer.end();
      const text = (await client.all()).toString('latin1');
      expect(text).toContain('\r\nx-name: caf\xe9\r\n');
      expect(text.toLowerCase()).toContain('\r\nconnection: close\r\n');
    },
  );

  it('announces it also if the head is sent, and the request may yet end', async () => {
    const { writer, client, message } = await setUp(STALL_LIMIT_MS, incomplete('POST'));
    writer.start(200, []);
    writer.flushHead();
    await client.until('\r\n\r\n');
    client.write('123456789');
    message.resume();
    await once(message, 'end');
    writer.end(Buffer.from('hello'));
    const text = (await client.all()).toString('latin1');
    expect(text.toLowerCase()).toContain('\r\nconnection: close\r\n');
    expect(text).toMatch(/hello\r\n0\r\n\r\n$/);
  });

  it('leaves no timer if the client goes away', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const setup = await setUp(STALL_LIMIT_MS, incomplete('POST'));
    setup.writer.start(200, []);
    setup.writer.end(Buffer.from('hello'));
    const gone = new Promise((resolve) => setup.message.socket.once('close', resolve));
    setup.client.socket.destroy();
    await gone;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a response that is given up', () => {
  it('resets its connection', async () => {
    const { writer, client } = await setUp();
    writer.start(200, []);
    writer.write(Buffer.from('part'));
    await client.until('part');
    writer.reset();
    expect(await client.ended).toBe('reset');
  });

  it('leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const setup = await setUp();
    fill(setup);
    setup.writer.reset();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a receiver that does not read', () => {
  it('is reset after the limit, and not before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const setup = await setUp();
    fill(setup);
    vi.advanceTimersByTime(STALL_LIMIT_MS - 1);
    expect(setup.response.destroyed).toBe(false);
    const gone = closed(setup);
    vi.advanceTimersByTime(1);
    await gone;
    vi.useRealTimers();
    setup.client.socket.resume();
    await setup.client.ended;
    expect(setup.client.socket.bytesRead).toBeLessThan(LARGE.length);
  });

  it('is waited for indefinitely if the limit is 0', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const setup = await setUp(0);
    fill(setup);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is reset even if the whole response has been written', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const setup = await setUp();
    fill(setup);
    setup.writer.end();
    expect(vi.getTimerCount()).toBe(1);
    const gone = closed(setup);
    vi.advanceTimersByTime(STALL_LIMIT_MS);
    await gone;
  });

  it('has the whole limit again once it has caught up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const setup = await setUp();
    fill(setup);
    vi.advanceTimersByTime(STALL_LIMIT_MS - 1);
    const drained = new Promise((resolve) => setup.onDrain.mockImplementationOnce(resolve));
    setup.client.socket.resume();
    await drained;
    expect(vi.getTimerCount()).toBe(0);

    setup.client.socket.pause();
    setup.writer.write(LARGE);
    vi.advanceTimersByTime(STALL_LIMIT_MS - 1);
    await nextTurn();
    expect(setup.response.destroyed).toBe(false);
  });
});

describe('a receiver that reads slowly', () => {
  it('is not reset while it keeps reading, even at the end of a large response', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const setup = await setUp();
    const { client, writer } = setup;
    client.socket.pause();
    const body = Buffer.alloc(128 * MIB);
    writer.start(200, ['content-length', String(body.length)]);
    const gone = closed(setup);
    writer.end(body);
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

/** Lets a paused receiver read until it has `bytes` bytes in all. */
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

describe('a response that was read to its end', () => {
  it('leaves no timer, even on a connection that stays open', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const setup = await setUp();
    setup.writer.start(200, ['content-length', String(LARGE.length)]);
    const gone = closed(setup);
    setup.writer.end(LARGE);
    expect(vi.getTimerCount()).toBe(1);
    await gone;
    expect(vi.getTimerCount()).toBe(0);
    expect(setup.client.socket.destroyed).toBe(false);
  });
});
