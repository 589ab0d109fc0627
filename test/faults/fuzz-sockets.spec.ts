import { connect } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { mutantOf } from '../fuzz/mutant.js';
import { Random } from '../fuzz/random.js';
import { deliverTo, type WireRequest } from '../support/attackers/man-in-the-middle.js';
import { inMib } from '../support/processes/process-memory.js';
import { isSlow } from '../support/lifecycle/property.js';
import { ProtocolClient, pairingRequest } from '../support/attackers/protocol-client.js';
import { headBytes, type Field } from '../support/network/raw-http.js';
import {
  startRelayProcess,
  type ProcessEnd,
  type RelayProcess,
} from '../support/processes/relay-process.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const MIB = 1024 * 1024;
/** `npm run fuzz:sockets` sets FUZZ_REQUESTS. */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? (isSlow ? 100_000 : 2_000));
/** Every run of the gate has the same requests, and every longer run has others. */
const seed = requests > 2_000 ? Date.now() % 2 ** 31 : 1;
const CONCURRENCY = 32;
/** How long the sender of half a request waits for a response before it disconnects. */
const PATIENCE_MS = 50;
const CAPTURED = 8;
const MAX_GROWTH_BYTES = 96 * MIB;
/** After this share of the requests the relay has warmed up: its code is compiled, and its heap has grown. */
const WARM_UP_SHARE = 0.3;

let upstream: Upstream;
let relay: RelayProcess;
let client: ProtocolClient;
let captured: Buffer[];

const onWire = ({ method, path, rawHeaders, body }: WireRequest): Buffer => {
  const fields = rawHeaders.flatMap((name, at): Field[] =>
    at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : [],
  );
  const allFields: Field[] = [
    ['host', 'relay'],
    ...fields,
    ['content-length', String(body.length)],
  ];
  return Buffer.concat([headBytes(`${method} ${path} HTTP/1.1`, allFields), body]);
};

/** Requests as an attacker captures them: each was accepted once, when its sender sent it. */
const capture = async (): Promise<Buffer[]> => {
  const seen: WireRequest[] = [];
  for (let at = 0; at < CAPTURED; at += 1) {
    const type = at % 2 === 0 ? 'mke' : 'mte';
    seen.push(client.seal({ type, body: at < 2 ? [] : ['a body', 'and more of it'] }));
    seen.push((await pairingRequest(relay.url, client.secretKeys)).request);
  }
  for (const request of seen) {
    expect(await deliverTo(relay.url, request)).toMatchObject({ status: 200 });
  }
  const guess: Field[] = [
    ['host', 'relay'],
    ['x-mte-outbound-token', 'a guess of its token'],
    ['x-mte-upstream', relay.url],
    ['transfer-encoding', 'chunked'],
  ];
  const chunk = Buffer.from('3\r\nabc\r\n0\r\n\r\n');
  return [
    ...seen.map(onWire),
    Buffer.concat([headBytes('POST /path?query HTTP/1.1', guess), chunk]),
    headBytes('GET /health/ready HTTP/1.1', [['host', 'relay']]),
  ];
};

/** Sends bytes, with or without an end of the stream, and waits briefly for the connection to close. */
const send = async (bytes: Buffer, isAll: boolean): Promise<void> => {
  const socket = connect({ port: relay.port, host: '127.0.0.1', noDelay: true });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.resume();
  // A reset fails while the end is being sent, and then nothing closes the socket.
  socket.setTimeout(PATIENCE_MS, () => (isAll ? socket.destroy() : socket.resetAndDestroy()));
  socket.write(bytes);
  if (isAll) {
    socket.end();
  }
  await closed;
};

const sendAll = async (count: number, random: Random): Promise<void> => {
  let left = count;
  const sendNext = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await send(mutantOf(random.oneOf(captured), random, captured), random.below(2) === 0);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, sendNext));
};

beforeAll(async () => {
  upstream = await startUpstream();
  relay = await startRelayProcess({ UPSTREAM: upstream.url, MAX_PAIRINGS_PER_MINUTE: '100000' });
  client = await ProtocolClient.pair(relay.url);
  captured = await capture();
  upstream.forget();
});

afterAll(async () => {
  await Promise.all([relay.close(), upstream.close()]);
});

describe('#33 #34 a relay that receives randomly changed copies of captured requests', () => {
  it(
    'forwards none of them, does not grow, and serves honest peers',
    { timeout: 60_000 + requests * 20 },
    async ({ annotate }) => {
      const random = new Random(seed);
      const warmUp = Math.round(requests * WARM_UP_SHARE);
      const startedAt = performance.now();

      await sendAll(warmUp, random);
      const before = relay.rss();
      await sendAll(requests - warmUp, random);
      const growth = relay.rss() - before;

      const seconds = (performance.now() - startedAt) / 1000;
      await annotate(
        `${requests} requests in ${seconds.toFixed(1)} s, grown by ${inMib(growth)} (seed ${seed})`,
      );
      expect(upstream.hits).toBe(0);
      expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
      const honest = client.seal();
      expect(client.open(honest, await client.deliver(honest)).head.status).toBe(200);
      expect(upstream.hits).toBe(1);
    },
  );

  it('logs no internal error, and stops on SIGTERM', async () => {
    const panics = relay.log.items.filter(
      ({ level, code }) => level === 60 || code === 'RELAY_INTERNAL',
    );
    const end: ProcessEnd = await relay.kill('SIGTERM');

    expect(panics).toEqual([]);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
