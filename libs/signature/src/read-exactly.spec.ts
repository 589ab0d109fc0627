import { createServer, type IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';

import { PairMessageMalformedError } from '@relay/protocol';

import { listen, type Listening } from '../../../test/support/network/listen.js';
import { openSocket, type RawSocket } from '../../../test/support/network/raw-socket.js';
import { Recorder } from '../../../test/support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import { readExactly } from './read-exactly.js';

/** Longer than any of these tests. */
const LONG_MS = 60_000;

const shared = sharedResources();
let requests: Recorder<IncomingMessage>;
let server: Listening;

beforeAll(async () => {
  requests = new Recorder();
  server = shared(
    await listen(
      createServer((message) => {
        requests.add(message);
      }),
    ),
  );
});

/** A request of which the head and `sent` have arrived. */
async function receive(
  bytes: number,
  sent: string,
): Promise<{ message: IncomingMessage; client: RawSocket }> {
  const received = requests.items.length;
  const client = forThisTest(openSocket(server.port));
  client.write(`POST / HTTP/1.1\r\nhost: b\r\ncontent-length: ${bytes}\r\n\r\n${sent}`);
  const messages = await requests.count(received + 1);
  return { message: messages.at(-1)!, client };
}

describe('a body of stated length', () => {
  it('is read to its last byte', async () => {
    const { message, client } = await receive(10, 'hello');
    const body = readExactly(message, 10, LONG_MS);
    client.write('world');
    expect((await body).toString()).toBe('helloworld');
  });

  it('that is slower than the limit is refused, and no listener is left', async () => {
    const { message } = await receive(10, 'hello');
    const listeners = ['data', 'end', 'close'].map((event) => message.listenerCount(event));
    const body = readExactly(message, 10, 20);
    await expect(body).rejects.toBeInstanceOf(PairMessageMalformedError);
    expect(['data', 'end', 'close'].map((event) => message.listenerCount(event))).toEqual(
      listeners,
    );
    expect(message.destroyed).toBe(false);
  });

  it('that is cut short is refused immediately', async () => {
    const { message, client } = await receive(10, 'hello');
    const body = readExactly(message, 10, LONG_MS);
    client.socket.resetAndDestroy();
    await expect(body).rejects.toBeInstanceOf(PairMessageMalformedError);
  });
});
