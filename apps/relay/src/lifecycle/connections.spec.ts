import { createServer, type Server, type ServerResponse } from 'node:http';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { listen } from '../../../../test/support/listen.js';
import { openSocket, type RawSocket } from '../../../../test/support/raw-socket.js';
import { Recorder } from '../../../../test/support/recorder.js';
import { forThisTest } from '../../../../test/support/resources.js';
import { Connections } from './connections.js';

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

let server: Server;
let connections: Connections;
let responses: Recorder<ServerResponse>;
let client: RawSocket;

beforeEach(async () => {
  responses = new Recorder();
  server = createServer((_request, response) => {
    responses.add(response);
  });
  connections = new Connections(server);
  const { port } = forThisTest(await listen(server));
  client = forThisTest(openSocket(port));
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Sends a request, and resolves with the response that is owed for it. */
const ask = async (): Promise<ServerResponse> => {
  const before = responses.items.length;
  client.write(GET);
  const [response] = (await responses.count(before + 1)).slice(-1);
  return response!;
};

const answer = async (response: ServerResponse, body: string): Promise<void> => {
  response.end(body);
  await client.until(body);
  await expect.poll(() => connections.owed).toBe(0);
};

const laterBy = (ms: number): void => {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + ms);
};

describe('a connection whose answer had begun when the end was announced', () => {
  it('is still there for the next request, whose answer closes it', async () => {
    const begun = await ask();
    begun.write('a part, ');
    connections.announceEnd();
    await answer(begun, 'the rest');

    server.close();
    connections.closeIdle();
    await answer(await ask(), 'the last one');

    expect((await client.all()).toString()).toMatch(/connection: close\r\n.*the last one$/is);
  });
});

describe('an idle connection', () => {
  beforeEach(async () => {
    await answer(await ask(), 'done');
    connections.announceEnd();
  });

  it('is there for as long as another relay may use it', async () => {
    laterBy(4_000);
    connections.closeIdle();

    await answer(await ask(), 'in time');
  });

  it('is closed once another relay has let go of it', async () => {
    laterBy(4_500);
    connections.closeIdle();

    expect(await client.ended).toBe('end');
  });
});

describe('a connection that owes an answer', () => {
  it('is not idle, however long it takes', async () => {
    const slow = await ask();
    connections.announceEnd();
    expect(connections.owed).toBe(1);

    laterBy(60_000);
    connections.closeIdle();
    await answer(slow, 'at last');

    expect((await client.all()).toString()).toMatch(/connection: close\r\n.*at last$/is);
  });
});

describe('a connection that is older than its last answer', () => {
  it('is idle since that one', async () => {
    await answer(await ask(), 'the first');
    laterBy(60_000);
    await answer(await ask(), 'the second');

    laterBy(4_000);
    connections.closeIdle();

    await answer(await ask(), 'the third');
  });
});
