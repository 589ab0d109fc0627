import { Readable } from 'node:stream';

import { TUNNEL_PATH, deriveRequestKey, encodeRequestHead } from '@relay/protocol';
import { describe, expect, it } from 'vitest';

import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { openSocket, type RawSocket } from '../support/network/raw-socket.js';
import { inMib } from '../support/processes/process-memory.js';
import type { RelayProcess } from '../support/processes/relay-process.js';
import { DATA, HEAD, recordPlaintext, sealRecord } from '../support/protocol/records.js';
import { samplesOf } from '../support/relays/admin.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';

const MIB = 1024 * 1024;
const BUDGET_BYTES = 256 * MIB;
const MAX_MESSAGE_BYTES = 10 * MIB;
/** How much more than the budget a relay may really take. */
const TOLERANCE = 1.1;
/** What sockets, streams and the collector need in addition, whatever the size of the messages. */
const WORKING_BYTES = 12 * MIB;
const FILL_LIMIT_MS = 90_000;
const SETTLE_LIMIT_MS = 30_000;

/** The memory of a process that it has allocated and could not free, and what it believes to have buffered. */
interface Memory {
  readonly used: number;
  readonly counted: number;
}

async function memoryOf(relay: RelayProcess): Promise<Memory> {
  const samples = await samplesOf(relay);
  const sample = (name: string): number => samples.get(name) ?? NaN;
  return {
    used: sample('nodejs_heap_size_used_bytes') + sample('nodejs_external_memory_bytes'),
    counted: sample('mte_relay_held_bytes{type="mte"}'),
  };
}

/** Fills a relay with messages, and compares what they really take with what is counted. */
async function expectTrueCount(
  relay: RelayProcess,
  leastCounted: number,
  fill: () => Promise<void>,
): Promise<void> {
  const before = await memoryOf(relay);
  await fill();
  await expect
    .poll(async () => (await memoryOf(relay)).counted, { timeout: FILL_LIMIT_MS, interval: 250 })
    .toBeGreaterThan(leastCounted);
  const excess = async (): Promise<number> => {
    const { used, counted } = await memoryOf(relay);
    return used - before.used - counted * TOLERANCE;
  };
  // Used buffers are freed by the next collection.
  await expect
    .poll(excess, { timeout: SETTLE_LIMIT_MS, interval: 250 })
    .toBeLessThan(WORKING_BYTES);
  const { used, counted } = await memoryOf(relay);
  console.info(`counted ${inMib(counted)}, taken ${inMib(used - before.used)}`);
  expect(counted).toBeLessThanOrEqual(BUDGET_BYTES);
}

const start = async (): Promise<ProcessTunnel> =>
  forThisTest(await startProcessTunnel(() => undefined, { ADMIN_PORT: '0' }));

const fieldLines = (rawHeaders: readonly string[]): string =>
  rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');

/** Sends MTE messages of these records, each of which may lack its end. */
function sendMessage(
  { inbound }: ProcessTunnel,
  peer: ProtocolClient,
  plaintexts: readonly Buffer[],
  isComplete: boolean,
): RawSocket {
  const { relayHeader, rawHeaders } = peer.seal({ type: 'mte' });
  const key = deriveRequestKey(peer.session.keys, relayHeader);
  const head = encodeRequestHead({
    method: 'POST',
    scheme: 'http',
    authority: '',
    path: '/',
    fields: [],
  });
  const socket = forThisTest(openSocket(inbound.port));
  socket.write(
    `POST ${TUNNEL_PATH} HTTP/1.1\r\nhost: b\r\n${fieldLines(rawHeaders)}transfer-encoding: chunked\r\n\r\n`,
  );
  const write = (record: Buffer): void => {
    socket.write(Buffer.concat([Buffer.from(`${record.length.toString(16)}\r\n`), record, CRLF]));
  };
  write(sealRecord(key, 0, recordPlaintext(head, HEAD), false));
  plaintexts.forEach((plaintext, at) => {
    write(sealRecord(key, at + 1, plaintext, isComplete && at === plaintexts.length - 1));
  });
  if (isComplete) {
    socket.write('0\r\n\r\n');
  }
  return socket;
}

const CRLF = Buffer.from('\r\n');
const FULL_RECORD = recordPlaintext(Buffer.alloc(65_536, 7), DATA);
const FULL_MESSAGE = Array<Buffer>(MAX_MESSAGE_BYTES / 65_536).fill(FULL_RECORD);
/** As much padding as is allowed around a little content. */
const PADDED_RECORD = recordPlaintext(Buffer.alloc(512, 7), DATA, 4_096);

describe('#55 the 256 MiB for buffered messages', { timeout: 200_000 }, () => {
  it('are what whole messages take while the API does not read them', async () => {
    const tunnel = await start();
    const peer = await ProtocolClient.pair(tunnel.inbound.url);

    await expectTrueCount(tunnel.inbound, 0.9 * BUDGET_BYTES, async () => {
      for (let count = 0; count < 25; count += 1) {
        sendMessage(tunnel, peer, FULL_MESSAGE, true);
      }
      // From now on, each message is complete and has been passed on as far as the API reads.
      await tunnel.upstream.requests.count(25);
    });
  });

  it('include what surrounds the content of padded records', async () => {
    const tunnel = await start();
    const peer = await ProtocolClient.pair(tunnel.inbound.url);
    const plaintexts = Array<Buffer>((2 * MIB) / 512).fill(PADDED_RECORD);

    await expectTrueCount(tunnel.inbound, 3.9 * MIB, () => {
      for (let count = 0; count < 2; count += 1) {
        sendMessage(tunnel, peer, plaintexts, false);
      }
      return Promise.resolve();
    });
  });

  it('include what tiny records take in addition to their content', async () => {
    const tunnel = await start();
    const peer = await ProtocolClient.pair(tunnel.inbound.url);
    const plaintexts = Array<Buffer>(80_000).fill(recordPlaintext(Buffer.of(7), DATA));

    await expectTrueCount(tunnel.inbound, 150_000, () => {
      sendMessage(tunnel, peer, plaintexts, false);
      sendMessage(tunnel, peer, plaintexts, false);
      return Promise.resolve();
    });
  });

  it('are what whole responses take while the client does not read them', async () => {
    const tunnel = await start();
    const body = Buffer.alloc(MAX_MESSAGE_BYTES, 7);
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-length': body.length });
      Readable.from([body]).pipe(response);
    });
    const fields = Object.entries(tunnel.clientHeaders).map((field) => `${field.join(': ')}\r\n`);

    await expectTrueCount(tunnel.outbound, 0.9 * BUDGET_BYTES, () => {
      for (let count = 0; count < 25; count += 1) {
        const client = forThisTest(openSocket(tunnel.outbound.port));
        client.socket.pause();
        client.write(
          `GET / HTTP/1.1\r\nhost: a\r\n${fields.join('')}x-mte-encode-type: MTE\r\n\r\n`,
        );
      }
      return Promise.resolve();
    });
  });
});
