import { beforeAll, describe, expect, it } from 'vitest';

import { openSocket } from '../../support/network/raw-socket.js';
import type { Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import type { Script } from '../../support/upstreams/scripted-upstream.js';
import { upload } from '../../support/clients/upload.js';

const MIB = 1024 * 1024;
const RESPONSE = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
});

const UPSTREAMS: readonly [how: string, script: Script][] = [
  [
    'keeps reading',
    async ({ write }) => {
      await write(`${RESPONSE}\r\ntoo large`);
    },
  ],
  [
    'stops reading',
    async ({ socket, write }) => {
      socket.pause();
      await write(`${RESPONSE}\r\ntoo large`);
    },
  ],
  [
    'closes its connection',
    async ({ socket, write }) => {
      await write(`${RESPONSE}Connection: close\r\n\r\ntoo large`);
      socket.end();
    },
  ],
];

const open = (...fields: readonly Field[]) => {
  const client = forThisTest(openSocket(tunnel.outbound.port));
  client.write(tunnel.head('PUT /early HTTP/1.1', ...fields));
  return client;
};

describe.each(UPSTREAMS)('an early response of an upstream that %s', (_, script) => {
  it('reaches a client that has 64 MiB to send and ends the connection of the client', async () => {
    tunnel.upstream.follow(script);
    const client = open(['Content-Length', String(64 * MIB)]);

    const sending = upload(client.socket, 64 * MIB);
    const response = (await client.until('too large')).toString('latin1');

    expect(response).toMatch(/^HTTP\/1\.1 413 /);
    expect(await sending.done).toBeLessThan(64 * MIB);
  });

  it('reaches a client that waits for it during its upload', async () => {
    tunnel.upstream.follow(script);
    const client = open(['Transfer-Encoding', 'chunked']);
    client.write('4\r\npart\r\n');

    const response = (await client.until('too large')).toString('latin1');

    expect(response).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('#62 says that the connection closes, and what follows on it does not run', async () => {
    tunnel.upstream.follow(script);
    const client = open(['Content-Length', '8']);
    client.write('part');
    await client.until('too large');
    const requests = tunnel.upstream.exchanges.items.length;

    client.write('part');
    client.write(tunnel.head('GET /next HTTP/1.1'));

    expect(await client.ended).toBe('end');
    const responses = client.received.toString('latin1');
    expect(responses).toMatch(/^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n[^]*too large$/i);
    expect(tunnel.upstream.exchanges.items).toHaveLength(requests);
  });

  it('is the last that the upstream hears of the request', async () => {
    tunnel.upstream.follow(script);
    const client = open(['Content-Length', String(64 * MIB)]);
    client.write('part');
    await client.until('too large');
    client.socket.removeAllListeners('end');

    await upload(client.socket, 16 * MIB).done;

    const { seen } = tunnel.upstream.exchanges.items.at(-1)!;
    expect(seen().body.toString()).toMatch(/^(?:part)?$/);
  });
});

describe('a response that is streamed during the upload', () => {
  it('delivers each chunk before the next is sent', async () => {
    const LETTER = /(?:^|\r\n)1\r\n([a-z])/;
    tunnel.upstream.follow(async ({ seen, socket, write }) => {
      await write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      await write(`1\r\n${seen().body.toString()}\r\n`);
      socket.on('data', (chunk: Buffer) => {
        const [, letter = ''] = LETTER.exec(chunk.toString('latin1')) ?? [];
        void write(`1\r\n${letter}\r\n`);
      });
    });
    const client = open(['Transfer-Encoding', 'chunked']);

    for (const letter of ['a', 'b', 'c', 'd']) {
      client.write(`1\r\n${letter}\r\n`);
      await client.until(`1\r\n${letter}\r\n`);
    }

    const [, body = ''] = client.received.toString('latin1').split('\r\n\r\n');
    expect(body).toBe('1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n');
  });
});
