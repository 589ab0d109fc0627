import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';

import { BodyAbortedError, ClientGoneError } from '@relay/http';

import {
  startRequestServer,
  type RequestServer,
} from '../../../../test/support/upstreams/request-server.js';
import { sharedResources } from '../../../../test/support/lifecycle/resources.js';
import { ReplayableBody } from './replayable-body.js';

const MIB = 1024 * 1024;

const shared = sharedResources();
let server: RequestServer;

beforeAll(async () => {
  server = shared(await startRequestServer());
});

/** The body of a request that states a length of `bytes`, of which the client has sent `sent`. */
async function bodyOf(bytes: number, sent: string | Buffer = '') {
  const head = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${bytes}\r\n\r\n`;
  const { client, message: request } = await server.receive(
    Buffer.concat([Buffer.from(head), Buffer.from(sent)]),
  );
  return { client, body: new ReplayableBody(request, 0) };
}

async function read(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const chunk of chunks) {
    read.push(chunk);
  }
  return Buffer.concat(read);
}

const random = (bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, at) => (at * 31 + (at >> 8)) % 251));

describe('a body that has arrived with its head', () => {
  it('is returned whole immediately', async () => {
    const { body } = await bodyOf(5, 'hello');
    expect((await body.wholeAtHand())?.toString()).toBe('hello');
    expect(body.isReplayable).toBe(true);
    expect(body.bytes).toBe(5);
  });

  it.each(['GET', 'POST'])('is returned whole if it is empty: %s', async (method) => {
    const { message: request } = await server.receive(`${method} / HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(await new ReplayableBody(request, 0).wholeAtHand()).toEqual(Buffer.alloc(0));
  });
});

describe('a body that is still arriving', () => {
  it('is not waited for, and none of it is lost', async () => {
    const { body, client } = await bodyOf(10, 'hello');
    expect(await body.wholeAtHand()).toBeUndefined();
    const whole = read(body.chunks());
    client.write('world');
    expect((await whole).toString()).toBe('helloworld');
    expect(body.bytes).toBe(10);
  });

  it('is not waited for if none of it has arrived', async () => {
    const { body, client } = await bodyOf(5);
    expect(await body.wholeAtHand()).toBeUndefined();
    client.write('hello');
    expect((await read(body.chunks())).toString()).toBe('hello');
  });
});

describe('a second attempt', () => {
  it('sends the same bytes as the first', async () => {
    const bytes = random(300_000);
    const { body } = await bodyOf(bytes.length, bytes);
    expect((await read(body.chunks())).equals(bytes)).toBe(true);
    expect((await read(body.chunks())).equals(bytes)).toBe(true);
    expect(body.bytes).toBe(bytes.length);
  });

  it('continues reading after the first has been given up', async () => {
    const { body, client } = await bodyOf(10, 'hello');
    const first = body.chunks();
    expect(await first.next()).toEqual({ done: false, value: Buffer.from('hello') });
    await first.return(undefined);
    const second = read(body.chunks());
    client.write('world');
    expect((await second).toString()).toBe('helloworld');
  });

  it('receives the chunk that the first was still waiting for', async () => {
    const { body, client } = await bodyOf(10, 'hello');
    const first = body.chunks();
    await first.next();
    const waiting = expect(first.next()).rejects.toThrow(Error);
    const second = read(body.chunks());
    await nextTurn();
    client.write('world');
    expect((await second).toString()).toBe('helloworld');
    await waiting;
  });

  it('has the whole body even if it outgrows the replay buffer while the first is still reading', async () => {
    const bytes = random(MIB + 100_000);
    const { body, client } = await bodyOf(bytes.length, bytes.subarray(0, MIB));
    const first = body.chunks();
    while (body.bytes < MIB) {
      await first.next();
    }
    const waiting = expect(first.next()).rejects.toThrow(Error);
    expect(body.isReplayable).toBe(true);
    const second = body.chunks();
    client.write(bytes.subarray(MIB));
    await waiting;
    expect((await read(second)).equals(bytes)).toBe(true);
    expect(body.isReplayable).toBe(false);
  });

  it('ends the first with an error, because a normal end would be sealed as the end of the body', async () => {
    const { body } = await bodyOf(10, 'helloworld');
    const first = body.chunks();
    const second = body.chunks();
    await expect(first.next()).rejects.toThrow(Error);
    expect((await read(second)).toString()).toBe('helloworld');
  });
});

describe('the replay buffer', () => {
  it('keeps a body of 1 MiB', async () => {
    const bytes = random(MIB);
    const { body } = await bodyOf(bytes.length, bytes);
    expect((await read(body.chunks())).equals(bytes)).toBe(true);
    expect(body.isReplayable).toBe(true);
    expect((await read(body.chunks())).equals(bytes)).toBe(true);
  });

  it('discards a larger body, which the first attempt still sends whole', async () => {
    const bytes = random(MIB + 1);
    const { body } = await bodyOf(bytes.length, bytes);
    expect((await read(body.chunks())).equals(bytes)).toBe(true);
    expect(body.isReplayable).toBe(false);
  });

  it('never sends a body whose beginning has been discarded', async () => {
    const bytes = random(3 * MIB);
    const { body } = await bodyOf(bytes.length, bytes);
    await read(body.chunks());
    await expect(read(body.chunks())).rejects.toThrow(Error);
    expect(await body.wholeAtHand()).toBeUndefined();
  });
});

describe('a body that ends early', () => {
  it('fails the current attempt and the next', async () => {
    const { body, client } = await bodyOf(10, 'hello');
    const first = read(body.chunks());
    client.socket.resetAndDestroy();
    await expect(first).rejects.toBeInstanceOf(BodyAbortedError);
    await expect(read(body.chunks())).rejects.toBeInstanceOf(BodyAbortedError);
  });

  it('fails with the reason for which it was cancelled', async () => {
    const reason = new ClientGoneError('gone');
    const { body } = await bodyOf(10, 'hello');
    const chunks = body.chunks();
    await chunks.next();
    const waiting = chunks.next();
    body.cancel(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(read(body.chunks())).rejects.toBe(reason);
  });
});
