import { beforeAll, describe, expect, it } from 'vitest';

import { errorOf } from '../support/clients/client.js';
import { openSocket, startRawServer, type RawServer } from '../support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { IS_OVER_CHANNELS } from '../support/tunnels/transport.js';

/** Responses that end too early, keyed by how they delimit their body. */
const CUT_OFF = {
  'a length': 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart of it',
  chunks: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\npart of it\r\n',
};

const shared = sharedResources();
let upstream: RawServer;
let tunnel: Tunnel;
let responseBytes: string;

beforeAll(async () => {
  upstream = shared(
    await startRawServer((connection) => {
      void connection.until('\r\n\r\n').then(() => {
        connection.write(responseBytes);
      });
    }),
  );
  tunnel = shared(await startTunnel({ inbound: { UPSTREAM: upstream.url } }));
});

const fields = (): string =>
  Object.entries(tunnel.clientHeaders)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

/**
 * Sends a raw request, ends the upstream connection once part of the response has arrived, and returns how the
 * client's connection ended and what the client received.
 */
async function cutOff(version: string, type: string, how: 'reset' | 'end') {
  const before = upstream.connections.items.length;
  const socket = forThisTest(openSocket(tunnel.outbound.port));
  socket.write(
    `GET /broken HTTP/${version}\r\nhost: a\r\n${fields()}x-mte-encode-type: ${type}\r\n\r\n`,
  );
  if (type === 'MKE') {
    await socket.until('part of it');
  }
  const connections = await upstream.connections.count(before + 1);
  const connection = connections[before]!;
  await connection.until('\r\n\r\n');
  if (how === 'reset') {
    connection.socket.resetAndDestroy();
  } else {
    connection.socket.end();
  }
  return { ended: await socket.ended, text: socket.received.toString('latin1') };
}

describe.each(['reset', 'end'] as const)('an upstream that cuts its response off (%s)', (how) => {
  describe.each(['1.1', '1.0'])('resets the connection of an HTTP/%s client', (version) => {
    it.each(['a length', 'chunks'] as const)('if the response has %s', async (framing) => {
      responseBytes = CUT_OFF[framing];

      const { ended, text } = await cutOff(version, 'MKE', how);

      expect(text).toMatch(/^HTTP\/1.1 200 /);
      expect(text).toContain('part of it');
      expect(text).not.toContain('0\r\n\r\n');
      expect(ended).toBe('reset');
    });
  });
});

describe.skipIf(IS_OVER_CHANNELS)('an upstream that cuts an MTE response off', () => {
  it.each(['a length', 'chunks'] as const)(
    'results in a 502 if the response has %s, since none of it was released',
    async (framing) => {
      responseBytes = CUT_OFF[framing];

      const before = upstream.connections.items.length;
      const sent = tunnel.send({ headers: { 'x-mte-encode-type': 'MTE' } });
      const connection = (await upstream.connections.count(before + 1))[before]!;
      await connection.until('\r\n\r\n');
      connection.socket.resetAndDestroy();
      const response = await sent;

      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    },
  );
});
