import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';

import { PAIR_PATH, TUNNEL_PATH, deriveSecretKeys } from '@relay/protocol';
import { beforeAll, describe, expect, it } from 'vitest';

import { underAttack } from '../support/attackers/load-under-attack.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { isSlow } from '../support/lifecycle/property.js';
import { ProtocolClient, pairingRequest } from '../support/attackers/protocol-client.js';
import { SECRET, TOKEN } from '../support/relays/relay.js';
import { sharedResources } from '../support/lifecycle/resources.js';

const MIB = 1024 * 1024;
/** For each kind except readers. */
const SOCKETS = 90;
/** Each of them fills megabytes of socket buffers before a relay can notice that nobody reads. */
const READERS = 3;
const IDLE_CONNECTIONS = isSlow ? 5_000 : 1_000;
const IDLE_MS = 1_000;
const TRICKLE_MS = 250;
/**
 * A relay reads on for 2 s from a sender that it has answered before the end of the body, the server checks for late
 * heads once a second, and the machine may be busy.
 */
const SLACK_MS = 12_000;
const CHUNK = Buffer.alloc(65_536, 'x');
const ENDLESS_PATH = '/endless';

const shared = sharedResources();
let tunnel: ProcessTunnel;
let peer: ProtocolClient;

beforeAll(async () => {
  tunnel = shared(
    await startProcessTunnel(
      async ({ url, body }, response) => {
        if (url !== ENDLESS_PATH) {
          response.end(await body());
          return;
        }
        response.writeHead(200);
        Readable.from(endless(), { objectMode: false }).pipe(response);
      },
      { IDLE_TIMEOUT_MS: String(IDLE_MS) },
    ),
  );
  peer = await ProtocolClient.pair(tunnel.inbound.url);
});

const fieldsOf = (rawHeaders: readonly string[]): string =>
  rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');

/** A client that opens many connections and then sends or reads slowly. */
class Slow {
  readonly sockets: Socket[] = [];
  private readonly closings: Promise<unknown>[] = [];
  private trickle: NodeJS.Timeout | undefined;

  async open(port: number, opening: () => string, count = SOCKETS): Promise<void> {
    const connected: Promise<unknown>[] = [];
    for (let at = 0; at < count; at += 1) {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      this.sockets.push(socket);
      connected.push(once(socket, 'connect'));
      this.closings.push(new Promise((resolve) => socket.once('close', resolve)));
      socket.write(opening(), 'latin1');
    }
    await Promise.all(connected);
  }

  /** Reads what arrives, without ever ending the connections. */
  startReading(): this {
    this.sockets.forEach((socket) => socket.resume());
    return this;
  }

  /** Writes a byte at intervals, so that no connection is silent. */
  startTrickling(byte: string): this {
    this.trickle = setInterval(() => {
      this.sockets.forEach((socket) => socket.write(byte));
    }, TRICKLE_MS);
    return this;
  }

  async closedWithin(ms: number): Promise<void> {
    const limit = new AbortController();
    const tooLate = after(ms, undefined, { signal: limit.signal }).then(() => {
      const open = this.sockets.filter(({ closed }) => !closed).length;
      throw new Error(`${open} of ${this.sockets.length} sockets are open after ${ms} ms`);
    });
    try {
      await Promise.race([Promise.all(this.closings), tooLate]);
    } finally {
      limit.abort();
      tooLate.catch(() => undefined);
    }
  }

  close(): void {
    clearInterval(this.trickle);
    this.sockets.forEach((socket) => socket.destroy());
  }
}

function* endless(): Generator<Buffer> {
  for (;;) {
    yield CHUNK;
  }
}

const clientFields = (): string =>
  `host: a\r\nx-mte-outbound-token: ${TOKEN}\r\nx-mte-upstream: ${tunnel.inbound.url}\r\n`;

describe('#32 slow senders and readers', { timeout: 120_000 }, () => {
  it('are disconnected in time on 540 concurrent sockets, while honest traffic continues', async () => {
    const keys = await deriveSecretKeys(SECRET);
    const { request: pairing } = await pairingRequest(tunnel.inbound.url, keys);
    const kinds = {
      silent: new Slow(),
      head: new Slow(),
      pairing: new Slow(),
      firstRecord: new Slow(),
      body: new Slow(),
      laterRecord: new Slow(),
      reader: new Slow(),
    };
    /** The time limit of each kind. Only long runs wait for the kinds with long limits. */
    const limits: [keyof typeof kinds, number][] = [
      ['body', IDLE_MS],
      ['laterRecord', IDLE_MS],
      ['reader', IDLE_MS],
      ['pairing', 5_000],
      ['firstRecord', 10_000],
      ['head', 15_000],
      ['silent', 15_000],
    ];
    const waitedFor = limits.filter(([, ms]) => isSlow || ms === IDLE_MS);

    await underAttack(tunnel, '540 slow sockets', 128 * MIB, async () => {
      await Promise.all([
        kinds.silent.open(tunnel.outbound.port, () => ''),
        kinds.head.open(tunnel.outbound.port, () => 'POST / HTTP/1.1\r\nx-slow: '),
        kinds.pairing.open(
          tunnel.inbound.port,
          () =>
            `POST ${PAIR_PATH} HTTP/1.1\r\nhost: b\r\n${fieldsOf(pairing.rawHeaders)}content-length: 1300\r\n\r\n`,
        ),
        kinds.firstRecord.open(
          tunnel.inbound.port,
          () =>
            `POST ${TUNNEL_PATH} HTTP/1.1\r\nhost: b\r\n${fieldsOf(peer.seal().rawHeaders)}content-length: 60000\r\n\r\n\0\0\x08\0`,
        ),
        kinds.body.open(
          tunnel.outbound.port,
          () => `POST / HTTP/1.1\r\n${clientFields()}content-length: 1000000\r\n\r\nx`,
        ),
        kinds.laterRecord.open(tunnel.inbound.port, () => {
          const message = peer.seal({ body: ['begun', 'never sent'] });
          const sent = Buffer.concat(message.records.slice(0, 2)).toString('latin1');
          return `POST ${TUNNEL_PATH} HTTP/1.1\r\nhost: b\r\n${fieldsOf(message.rawHeaders)}content-length: 60000\r\n\r\n${sent}`;
        }),
        kinds.reader.open(
          tunnel.outbound.port,
          () => `GET ${ENDLESS_PATH} HTTP/1.1\r\n${clientFields()}\r\n`,
          READERS,
        ),
      ]);
      const { reader, ...senders } = kinds;
      Object.values(senders).forEach((kind) => kind.startReading());
      kinds.head.startTrickling('x');
      kinds.pairing.startTrickling('x');
      kinds.firstRecord.startTrickling('x');
      // A client that does not read notices only by writing that the connection is closed. Relays ignore empty lines.
      reader.startTrickling('\r\n');
      await Promise.all(waitedFor.map(([kind, ms]) => kinds[kind].closedWithin(ms + SLACK_MS)));
    });
    Object.values(kinds).forEach((kind) => {
      kind.close();
    });
  });
});

describe('#32 idle connections', { timeout: 120_000 }, () => {
  it(`take up little memory and do not keep other clients from being served (${IDLE_CONNECTIONS})`, async () => {
    const sockets: Socket[] = [];
    const openOne = async (port: number): Promise<void> => {
      const socket = connect({ port, host: '127.0.0.1' });
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write('GET /api/mte-echo HTTP/1.1\r\nhost: a\r\n\r\n');
      await once(socket, 'data');
    };

    await underAttack(tunnel, `opening ${IDLE_CONNECTIONS} connections`, 128 * MIB, async () => {
      while (sockets.length < IDLE_CONNECTIONS) {
        await Promise.all(Array.from({ length: 100 }, () => openOne(tunnel.outbound.port)));
      }
    });
    await underAttack(tunnel, `${IDLE_CONNECTIONS} idle connections`, 128 * MIB, () =>
      Promise.resolve(),
    );
    expect(sockets.filter(({ closed }) => closed)).toEqual([]);

    sockets.forEach((socket) => socket.destroy());
  });
});
