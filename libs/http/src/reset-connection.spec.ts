import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';

import { listen } from '../../../test/support/network/listen.js';
import { openSocket } from '../../../test/support/network/raw-socket.js';
import { forThisTest } from '../../../test/support/lifecycle/resources.js';
import { selfSignedCertificate } from '../../../test/support/certificates/self-signed-certificate.js';
import { startTap } from '../../../test/support/attackers/tap.js';
import { resetConnection } from './reset-connection.js';

const ALERT = 21;
const APPLICATION_DATA = 23;

/** The server's side of the next connection. */
async function accepted(server: Server, event = 'connection'): Promise<Socket> {
  const [socket] = (await once(server, event)) as [Socket];
  return socket;
}

describe('a plain TCP connection', () => {
  it('is reset: the other side sees no orderly end, whatever it has received', async () => {
    const server = createServer();
    const { port } = forThisTest(await listen(server));
    const client = forThisTest(openSocket(port));
    const socket = await accepted(server);
    socket.write('HTTP/1.1 200 OK\r\n\r\npart of a response');
    await client.until('part of a response');
    const failed = once(client.socket, 'error');
    resetConnection(socket);
    const [error] = (await failed) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    expect(await client.ended).toBe('reset');
    expect(socket.destroyed).toBe(true);
  });

  it('can be reset twice, or not exist any more', async () => {
    const server = createServer();
    const { port } = forThisTest(await listen(server));
    forThisTest(openSocket(port));
    const socket = await accepted(server);
    resetConnection(socket);
    resetConnection(socket);
    resetConnection(null);
    expect(socket.destroyed).toBe(true);
  });

  it('is closed if its own end is on its way, which excludes a reset', async () => {
    const server = createServer({ allowHalfOpen: true });
    const { port } = forThisTest(await listen(server));
    const client = forThisTest(openSocket(port));
    const socket = await accepted(server);
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    const closed = once(socket, 'close');
    socket.write('all', () => {
      socket.end();
      resetConnection(socket);
    });
    await closed;
    await client.until('all');
    expect(errors).toEqual([]);
  });
});

describe('a connection over TLS', () => {
  /** The types of the TLS records that a server sends if its connection ends in this way. RFC 5246 section 6.2.1. */
  async function recordTypesAfter(end: (socket: Socket) => void): Promise<number[]> {
    const certificate = selfSignedCertificate();
    const server = createTlsServer({ ...certificate, maxVersion: 'TLSv1.2' });
    const { port } = forThisTest(await listen(server));
    const tap = forThisTest(await startTap(port));
    const client = connectTls({ port: tap.port, host: '127.0.0.1', ca: certificate.cert });
    client.on('error', () => undefined);
    const socket = await accepted(server, 'secureConnection');
    expect(socket).toBeInstanceOf(TLSSocket);
    socket.write('part');
    await once(client, 'data');

    const closed = new Promise((resolve) => client.once('close', resolve));
    end(socket);
    await closed;
    const [connection] = await tap.connections.count(1);
    return recordTypes(connection!.received());
  }

  function recordTypes(wire: Buffer): number[] {
    const types: number[] = [];
    for (let at = 0; at < wire.length; at += 5 + wire.readUInt16BE(at + 3)) {
      types.push(wire.readUInt8(at));
    }
    return types;
  }

  it('is closed without close_notify and without an error of its own', async () => {
    const types = await recordTypesAfter(resetConnection);
    expect(types.at(-1)).toBe(APPLICATION_DATA);
    expect(types).not.toContain(ALERT);
  });

  it('ends with close_notify if it ends in order, so that the other side can tell the difference', async () => {
    const types = await recordTypesAfter((socket) => {
      socket.end();
    });
    expect(types.at(-1)).toBe(ALERT);
  });
});
