import { createServer, type IncomingMessage } from 'node:http';

import { expect, it, vi } from 'vitest';

import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import { listen } from '../../../../test/support/network/listen.js';
import { openSocket } from '../../../../test/support/network/raw-socket.js';
import { passRequestsInTurn } from './requests-in-turn.js';

const NEXT = 'GET /next HTTP/1.1\r\nhost: a\r\n\r\n';

it('#67 a connection that ends behind an offer to upgrade is not read as requests any more', async () => {
  const emitted: IncomingMessage[] = [];
  const server = createServer((_request, response) => {
    response.end('answered');
  });
  passRequestsInTurn(server);
  server.on('request', (request) => {
    emitted.push(request);
  });
  const client = forThisTest(openSocket(forThisTest(await listen(server)).port));
  client.socket.removeAllListeners('end');
  client.write(
    'POST /offer HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 1\r\n\r\n',
  );
  // The response has ended before its request.
  await client.until('answered');
  const { socket } = emitted[0]!;
  client.write(`x${NEXT}`);
  await vi.waitUntil(() => socket.writableEnded, 20_000);

  const before = socket.bytesRead;
  client.write(NEXT.repeat(10));
  await vi.waitUntil(() => socket.bytesRead >= before + 10 * NEXT.length, 20_000);

  expect(emitted).toHaveLength(1);
  expect(client.received.toString().match(/HTTP\/1\.1/g)).toHaveLength(1);
});
