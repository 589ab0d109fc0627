import { createHash } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { openSocket, startRawServer, type RawSocket } from '../support/network/raw-socket.js';
import { TOKEN } from '../support/relays/relay.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTap } from '../support/attackers/tap.js';
import { startUpstream } from '../support/upstreams/upstream.js';

const shared = sharedResources();

/** Bytes that look random and are the same in every run. */
function noise(seed: number, bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, at) =>
    createHash('sha256').update(`noise ${seed} ${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

const TOKEN_FIELD = `x-mte-outbound-token: ${TOKEN}\r\n`;
const LONG = 'x'.repeat(100_000);

/** What a client or a server may send that follows no rules. */
const GARBAGE: Record<string, string | Buffer> = {
  nothing: '',
  noise: noise(1, 5_000),
  'one byte': '\x16',
  'the hello of TLS': Buffer.from('1603010200010001fc0303', 'hex'),
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'an endless line': LONG,
  'a bad status line': 'HTTP/1.1 nope\r\n\r\n',
  'unsolicited responses': 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'.repeat(20),
  'half a response': 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\nx-mte-relay: 1\r\n\r\nhalf',
  'a pairing response of noise': Buffer.concat([
    Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 1162\r\nx-mte-relay: 1\r\n\r\n'),
    noise(2, 1162),
  ]),
  'a header of NUL': 'HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n',
  'a switch of protocols': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
  'too large a header': `HTTP/1.1 200 OK\r\nx: ${LONG}\r\n\r\n`,
  'a bad chunk': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  'half a request': 'POST /api/mte-pair HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf',
  'half a request with a token': `POST / HTTP/1.1\r\nhost: a\r\n${TOKEN_FIELD}content-length: 9\r\n\r\nx`,
  'an upgrade': `GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n${TOKEN_FIELD}\r\n`,
  'a CONNECT': `CONNECT a:1 HTTP/1.1\r\nhost: a\r\n${TOKEN_FIELD}\r\n`,
  'a wrong expectation': `POST / HTTP/1.1\r\nhost: a\r\nexpect: wonders\r\n${TOKEN_FIELD}\r\n`,
};

const isAlive = async (relay: RelayProcess): Promise<boolean> => {
  const response = await request(relay.url, { path: '/health/live' });
  const hasPanicked = relay.log.items.some(({ level }) => level === 60);
  return relay.isRunning() && response.status === 200 && !hasPanicked;
};

/** Sends garbage, then ends or resets the connection and waits until the other side has ended it. */
const sendGarbage = async (
  socket: RawSocket,
  garbage: string | Buffer,
  resets: boolean,
): Promise<void> => {
  socket.write(garbage);
  if (resets) {
    socket.socket.resetAndDestroy();
  } else {
    socket.socket.end();
  }
  await socket.ended;
};

describe('a relay that receives garbage', () => {
  let outbound: RelayProcess;
  let inbound: RelayProcess;
  /** Its upstream sends `garbage` as the response. */
  let misled: RelayProcess;
  let garbage: string | Buffer = '';

  beforeAll(async () => {
    const upstream = shared(await startUpstream());
    const misleading = shared(
      await startRawServer((connection) => {
        void sendGarbage(connection, garbage, false);
      }),
    );
    [outbound, inbound, misled] = await Promise.all([
      startRelayProcess(),
      startRelayProcess({ UPSTREAM: upstream.url }),
      startRelayProcess({ UPSTREAM: misleading.url }),
    ]);
    [outbound, inbound, misled].forEach(shared);
  });

  it.each(Object.keys(GARBAGE))('stays up if a client sends %s', async (what) => {
    for (const resets of [false, true]) {
      await sendGarbage(openSocket(inbound.port), GARBAGE[what] ?? '', resets);
    }

    expect(await isAlive(inbound)).toBe(true);
  });

  it.each(Object.keys(GARBAGE))('stays up if its peer answers a pairing with %s', async (what) => {
    const peer = forThisTest(
      await startRawServer((connection) => {
        void sendGarbage(connection, GARBAGE[what] ?? '', false);
      }),
    );
    const headers = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': peer.url };

    const response = await request(outbound.url, { method: 'POST', headers, body: 'x' });

    expect(response.status).toBe(502);
    expect(await isAlive(outbound)).toBe(true);
  });

  it.each(Object.keys(GARBAGE))('stays up if its peer answers a message with %s', async (what) => {
    const tap = forThisTest(await startTap(inbound.port));
    const headers = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': tap.url };
    const send = () => request(outbound.url, { method: 'POST', headers, body: 'x' });
    expect(await send()).toMatchObject({ status: 200 });
    tap.alter((chunk, from, { near }) => {
      if (from === 'near') {
        return chunk;
      }
      near.end(GARBAGE[what] ?? '');
      return undefined;
    });

    const response = await send();

    expect(response.status).toBe(502);
    expect(await isAlive(outbound)).toBe(true);
  });

  it.each(Object.keys(GARBAGE))('stays up if its upstream answers with %s', async (what) => {
    garbage = GARBAGE[what] ?? '';
    const headers = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': misled.url };

    const ended = await request(outbound.url, { method: 'POST', headers, body: 'x' }).then(
      ({ status }) => status,
      () => 'reset',
    );

    // Some of it is a valid, if unusual, response.
    expect([200, 502, 'reset']).toContain(ended);
    expect(await isAlive(misled)).toBe(true);
    expect(await isAlive(outbound)).toBe(true);
  });
});
