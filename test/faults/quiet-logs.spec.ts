import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import {
  CANARY,
  CONFIGURED_FIELD,
  startCanaryTunnel,
  type CanaryTunnel,
} from '../support/tunnels/canary-tunnel.js';
import { request } from '../support/clients/client.js';
import { flipBit } from '../support/attackers/corruption.js';
import { openSocket, startRawServer } from '../support/network/raw-socket.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import type { Script } from '../support/upstreams/scripted-upstream.js';
import type { Alteration } from '../support/attackers/tap.js';

const UPSTREAM_ANSWER =
  'HTTP/1.1 200 canary\r\nset-cookie: canary-response\r\ncontent-length: 15\r\n\r\ncanary-response';
const MTE = ['x-mte-encode-type', 'MTE'] as const;
const MIB = 1024 * 1024;

const shared = sharedResources();
let tunnel: CanaryTunnel;
/** Everything that clients received from the relays themselves and not from the upstream. */
const output: string[] = [];
const keep = (text: string): void => {
  output.push(text.replace(CONFIGURED_FIELD, ''));
};

const response: Script = async ({ whole, write }) => {
  await whole;
  await write(UPSTREAM_ANSWER);
};
const responses =
  (text: string): Script =>
  async ({ whole, write, socket }) => {
    await whole;
    await write(text);
    socket.end();
  };

beforeAll(async () => {
  tunnel = shared(await startCanaryTunnel());
});

/** The code of the error in a relay's response. */
const codeIn = (text: string): string | undefined => /"code":"(RELAY_\w+)"/.exec(text)?.[1];

const loggedBy = (relay: RelayProcess, code: string): Promise<unknown> =>
  relay.log.find((line) => JSON.stringify(line).includes(code));

type Attempt = () => Promise<string>;

/** Requests that end in an error of a relay, each with its code. */
const CLIENT_FAULTS: readonly (readonly [code: string, attempt: Attempt])[] = [
  ['RELAY_TOKEN_INVALID', () => tunnel.send({ token: ['canary-of-a-guess'] })],
  ['RELAY_TOKEN_INVALID', () => tunnel.send({ token: ['canary-one', 'canary-two'] })],
  ['RELAY_TOKEN_MISSING', () => tunnel.send({ token: [] })],
  [
    'RELAY_UPSTREAM_HEADER_INVALID',
    () => tunnel.send({ upstream: 'http://canary:canary@a.example' }),
  ],
  ['RELAY_UPSTREAM_HEADER_INVALID', () => tunnel.send({ upstream: 'http://a.example/canary' })],
  ['RELAY_UPSTREAM_REFUSED', () => tunnel.send({ upstream: 'http://169.254.169.254' })],
  ['RELAY_OPTION_INVALID', () => tunnel.send({ fields: [['x-mte-encode-type', 'canary']] })],
  ['RELAY_HEAD_INVALID', () => tunnel.send({ startLine: 'GET //canary HTTP/1.1' })],
  ['RELAY_REQUEST_INVALID', () => tunnel.send({ fields: [['bad canary', 'canary']] })],
  ['RELAY_REQUEST_TOO_LARGE', () => tunnel.send({ fields: [['x-a', CANARY.repeat(20_000)]] })],
  ['RELAY_EXPECTATION_FAILED', () => tunnel.send({ fields: [['expect', CANARY]] })],
  ['RELAY_METHOD_UNSUPPORTED', () => tunnel.send({ startLine: 'CONNECT canary:443 HTTP/1.1' })],
  ['RELAY_BODY_TOO_LARGE', () => tunnel.send({ fields: [MTE], body: CANARY.repeat(2 * MIB) })],
  ['RELAY_PATH_REFUSED', () => tunnel.send({ startLine: 'GET /api/../canary HTTP/1.1' })],
  ['RELAY_ROUTE_UNKNOWN', () => tunnel.send({ startLine: 'GET /canary HTTP/1.1' })],
  ['RELAY_PEER_UNREACHABLE', () => tunnel.send({ upstream: 'http://127.0.0.1:9' })],
];

const UPSTREAM_FAULTS: readonly (readonly [code: string | undefined, script: Script])[] = [
  ['RELAY_UPSTREAM_FAILED', ({ socket }) => void socket.destroy()],
  ['RELAY_UPSTREAM_FAILED', responses('canary is no response\r\n\r\n')],
  ['RELAY_UPSTREAM_FAILED', responses('HTTP/1.1 200 OK\r\ncanary: \0canary\r\n\r\n')],
  ['RELAY_UPSTREAM_FAILED', responses('HTTP/1.1 200 OK\r\ncontent-length: canary\r\n\r\n')],
  ['RELAY_UPSTREAM_TIMEOUT', () => undefined],
  // Cut off after its head: the client gets a reset.
  [undefined, responses('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncanary')],
];

/** Responds to messages in place of the inbound relay. Pairings and probes, which relays send unasked, pass through. */
const responding = (text: string): Alteration => {
  const withMessage = new Set<object>();
  return (chunk, from, connection) => {
    if (from === 'near') {
      if (chunk.includes('/api/mte-tunnel')) {
        withMessage.add(connection);
      }
      return chunk;
    }
    if (!withMessage.has(connection)) {
      return chunk;
    }
    connection.near.end(text);
    return undefined;
  };
};

/** Alters the last record of a message. */
const tampering: Alteration = (chunk, from) =>
  from === 'far' || chunk.toString('latin1').endsWith('\r\n\r\n')
    ? chunk
    : flipBit(chunk, chunk.length * 8 - 1);

const PATH_FAULTS: readonly (readonly [code: string, alter: Alteration])[] = [
  ['RELAY_PEER_REFUSED_MESSAGE', tampering],
  ['RELAY_PEER_ANSWER_INVALID', responding('HTTP/1.1 500 canary\r\nx: canary\r\n\r\ncanary')],
  ['RELAY_PEER_CONNECTION_LOST', responding('canary is no response')],
];

describe('with a canary in every input, relays never output it (#36)', () => {
  it.each([
    { fields: [] },
    { fields: [MTE] },
    { fields: [['x-mte-encode-url', 'false'] as const] },
    { fields: [['x-mte-encode-headers', 'false'] as const] },
  ])('when requests succeed (%j)', async ({ fields }) => {
    tunnel.upstream.follow(response);

    expect(await tunnel.send({ fields })).toContain('canary-response');
  });

  it('when a request passes through unsealed', async () => {
    const startLine = 'POST /open/canary?canary HTTP/1.1';

    expect(await tunnel.send({ toInbound: true, startLine, token: [] })).toContain(
      'canary-response',
    );
  });

  it.each(CLIENT_FAULTS)('when a client gets %s (%#)', async (code, attempt) => {
    const text = await attempt();
    keep(text);

    expect(codeIn(text)).toBe(code);
  });

  it.each(UPSTREAM_FAULTS)('when the upstream is at fault: %s (%#)', async (code, script) => {
    tunnel.upstream.follow(script);

    const text = await tunnel.send();
    keep(code === undefined ? '' : text);

    expect(codeIn(text)).toBe(code);
    tunnel.upstream.follow(response);
  });

  it.each(PATH_FAULTS)('when an attacker on the path is at fault: %s (%#)', async (code, alter) => {
    tunnel.tap.alter(alter);
    onTestFinished(() => {
      tunnel.tap.alter(undefined);
    });

    const text = await tunnel.send();
    keep(text);

    expect(codeIn(text)).toBe(code);
    tunnel.tap.alter(undefined);
    // The outbound relay may wait before it tries again.
    await expect.poll(() => tunnel.send(), { timeout: 15_000 }).toContain('canary-response');
  });

  it('when the peer is not a relay', async () => {
    const fake = forThisTest(
      await startRawServer((connection) => {
        void connection.until('\r\n\r\n').then(() => {
          connection.write(
            'HTTP/1.1 200 canary\r\nx-mte-relay: canary\r\ncontent-length: 6\r\n\r\ncanary',
          );
        });
      }),
    );

    const text = await tunnel.send({ upstream: fake.url });
    keep(text);

    expect(codeIn(text)).toBe('RELAY_PAIR_REFUSED');
  });

  it('when a client disconnects or falls silent', async () => {
    const bytes = tunnel.bytesOf({ body: 'canary'.repeat(1000) }).subarray(0, -CANARY.length);
    const [gone, silent] = [openSocket(tunnel.outbound.port), openSocket(tunnel.outbound.port)];
    gone.write(bytes);
    silent.write(bytes);
    await tunnel.upstream.exchanges.find(({ seen }) => seen().body.length > 1000);
    await gone.close();

    const text = (await forThisTest(silent).all()).toString('latin1');
    keep(text);

    expect(codeIn(text)).toBe('RELAY_BODY_IDLE');
    await loggedBy(tunnel.outbound, 'RELAY_CLIENT_GONE');
  });

  it('when the store refuses their password, and when it is gone', async () => {
    await tunnel.lockRedis();
    await loggedBy(tunnel.inbound, 'the session store is unavailable');
    keep(await tunnel.send());
    const codes = [codeIn(output.at(-1)!)];
    const another = forThisTest(await startRelayProcess(tunnel.environment));
    await loggedBy(another, 'WRONGPASS');
    output.push((await another.kill()).stdout);
    await tunnel.redis.kill();
    keep(await tunnel.send());

    codes.push(codeIn(output.at(-1)!));
    expect(codes).toEqual(Array(2).fill('RELAY_PEER_STORE_UNAVAILABLE'));
  });

  it('when their health and metrics are read', async () => {
    for (const relay of [tunnel.inbound, tunnel.outbound]) {
      const { address } = await relay.log.find(({ msg }) => msg === 'admin listener is listening');
      for (const path of ['/metrics', '/health/live', '/health/ready', '/canary']) {
        output.push((await request(String(address), { path })).body.toString());
      }
      for (const path of ['/health/ready', '/api/mte-relay', '/api/mte-echo?canary']) {
        output.push((await request(relay.url, { path })).body.toString());
      }
    }

    expect(output.join()).toContain('mte_');
  });

  it('when the upstream is gone, and when they crash with a request in progress', async () => {
    await tunnel.upstream.close();
    const pending = openSocket(tunnel.outbound.port);
    pending.write(tunnel.bytesOf());

    const ends = await Promise.all(
      [tunnel.inbound, tunnel.outbound].map((relay) => relay.kill('SIGUSR2')),
    );
    await pending.close();

    expect(ends.map(({ stderr }) => stderr)).toEqual(
      Array(2).fill(expect.stringContaining('a crash')),
    );
    output.push(...ends.flatMap(({ stdout, stderr }) => [stdout, stderr]));
  });

  it('in any log at level debug, error, metric, health response or crash', () => {
    const everything = output.join('\n');

    expect(everything.length).toBeGreaterThan(10_000);
    expect(everything.split('\n').filter((line) => /canary/i.test(line))).toEqual([]);
    for (const form of tunnel.credentialForms) {
      expect(everything).not.toContain(form);
    }
  });
});
