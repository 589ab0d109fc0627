import { createServer, type Server, type ServerResponse } from 'node:http';

import { sendWholeResponse } from '@relay/http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { listen } from '../../../../test/support/network/listen.js';
import { openSocket, type RawSocket } from '../../../../test/support/network/raw-socket.js';
import { Recorder } from '../../../../test/support/lifecycle/recorder.js';
import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
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
  connections = new Connections();
  connections.watch(server);
  const { port } = forThisTest(await listen(server));
  client = forThisTest(openSocket(port));
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Sends a request, and resolves with its pending response on the server. */
const sendRequest = async (): Promise<ServerResponse> => {
  const before = responses.items.length;
  client.write(GET);
  const [response] = (await responses.count(before + 1)).slice(-1);
  return response!;
};

const respond = async (response: ServerResponse, body: string): Promise<void> => {
  response.end(body);
  await client.until(body);
  await expect.poll(() => connections.pendingResponses).toBe(0);
};

const laterBy = (ms: number): void => {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + ms);
};

describe('a connection whose response had begun when the end was announced', () => {
  it('stays open for the next request, whose response closes it', async () => {
    const begun = await sendRequest();
    begun.write('a part, ');
    connections.announceEnd();
    await respond(begun, 'the rest');

    server.close();
    connections.closeIdle();
    await respond(await sendRequest(), 'the last one');

    expect((await client.all()).toString()).toMatch(/connection: close\r\n.*the last one$/is);
  });
});

describe('an idle connection', () => {
  beforeEach(async () => {
    await respond(await sendRequest(), 'done');
    connections.announceEnd();
  });

  it('stays open for as long as another relay may use it', async () => {
    laterBy(4_000);
    connections.closeIdle();

    await respond(await sendRequest(), 'in time');
  });

  it('is closed once no other relay uses it any more', async () => {
    laterBy(4_500);
    connections.closeIdle();

    expect(await client.ended).toBe('end');
  });
});

describe('a connection with a pending response', () => {
  it('is not idle, however long the response takes', async () => {
    const slow = await sendRequest();
    connections.announceEnd();
    expect(connections.pendingResponses).toBe(1);

    laterBy(60_000);
    connections.closeIdle();
    await respond(slow, 'at last');

    expect((await client.all()).toString()).toMatch(/connection: close\r\n.*at last$/is);
  });
});

describe('#61 a connection that lingers after an early response', () => {
  it('is idle, however steadily its client goes on sending', async () => {
    client.write('PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n');
    const [response] = await responses.count(1);
    sendWholeResponse(response!.req, response!, 413, {}, 'too large');
    await client.until('too large');
    await expect.poll(() => connections.pendingResponses).toBe(0);
    connections.announceEnd();
    const { socket } = response!.req;

    client.write('still sending');
    laterBy(4_500);
    connections.closeIdle();

    expect(socket.destroyed).toBe(true);
  });
});

describe('a connection that has served several requests', () => {
  it('is idle since its last response', async () => {
    await respond(await sendRequest(), 'the first');
    laterBy(60_000);
    await respond(await sendRequest(), 'the second');

    laterBy(4_000);
    connections.closeIdle();

    await respond(await sendRequest(), 'the third');
  });
});
