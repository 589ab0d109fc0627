import { createServer } from 'node:http';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { STEPS, type Step } from '../../../apps/relay/src/check/steps.js';
import { newSecret } from '../../support/tunnels/directory-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { closedPort } from '../../support/network/listen.js';
import { checkOf } from '../../support/relays/check.js';
import { clientWith, createDirectoryFile } from '../../support/relays/mounted-directory.js';
import { SECRET, TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

const shared = sharedResources();
let upstream: Upstream;
let relayB: TestRelay;

beforeAll(async () => {
  upstream = shared(await startUpstream());
  relayB = shared(await startRelay({ UPSTREAM: upstream.url, TUNNEL_TRANSPORT: 'auto' }));
});

beforeEach(() => {
  upstream.forget();
});

/** The steps by how they ended. */
function stepsThat(ok: boolean | null, steps: readonly Step[]): string[] {
  return steps.filter((step) => step.ok === ok).map(({ step }) => step);
}

describe('a tunnel that works', () => {
  it('passes every step, in order, and nothing reaches the API', async () => {
    const { report } = await checkOf(relayB.url);

    expect(report).toMatchObject({ target: relayB.url, ok: true });
    expect(report.steps.map(({ step }) => step)).toEqual(STEPS);
    expect(stepsThat(null, report.steps)).toEqual(['resolve', 'tls', 'request']);
    expect(upstream.hits).toBe(0);
  });

  it('is reported with the key id that relay B has for the secret, and without a secret', async () => {
    const { report, step } = await checkOf(relayB.url);

    expect(report.keyId).toMatch(/^[0-9a-f]{8}$/);
    expect(step('secret').detail).toContain(report.keyId);
    const paired = await relayB.log.find(({ msg }) => msg === 'paired with a sender');
    expect(paired['keyId']).toBe(report.keyId);
    expect(JSON.stringify(report)).not.toContain(SECRET);
    expect(JSON.stringify(report)).not.toContain(TOKEN);
  });

  it('is looked up, where it has a name', async () => {
    const { step, failed } = await checkOf(`http://localhost:${relayB.port}`);

    expect(failed).toEqual([]);
    expect(step('resolve')).toMatchObject({ ok: true });
    expect(step('resolve').detail).toContain('127.0.0.1');
  });

  it('opens no channel where TUNNEL_TRANSPORT is message here', async () => {
    const { step, failed } = await checkOf(relayB.url, { TUNNEL_TRANSPORT: 'message' });

    expect(failed).toEqual([]);
    expect(step('channel').ok).toBeNull();
    expect(step('websocket').ok).toBeNull();
  });

  it('says what stands between the relays, as far as that says who it is', async () => {
    const { step } = await checkOf(relayB.url);
    expect(step('path').detail).toBe('nothing between the relays shows itself');
  });
});

describe('--request', () => {
  it('sends this request to the API, once, and reports the status', async () => {
    upstream.handle((_request, response) => {
      response.writeHead(404).end('no such page');
    });
    const request = { method: 'GET', path: '/orders?page=2' };

    const { step, failed } = await checkOf(relayB.url, {}, { request });

    expect(failed).toEqual([]);
    expect(step('request').detail).toContain('status 404');
    const received = upstream.requests.items.map(({ method, url }) => `${method} ${url}`);
    expect(received).toEqual(['GET /orders?page=2']);
  });

  it('does not wait for the end of an event stream', async () => {
    upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const request = { method: 'GET', path: '/events' };

    const { failed, step } = await checkOf(relayB.url, {}, { request });

    expect(failed).toEqual([]);
    expect(step('request').detail).toContain('status 200');
  });

  it('reads no more of a body than an error of a relay can have, and takes no foreign code for one (#122)', async () => {
    upstream.handle((_request, response) => {
      const error = { code: 'RELAY_\u001b[2J', filling: 'x'.repeat(100_000) };
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error }));
    });
    const request = { method: 'GET', path: '/' };
    expect((await checkOf(relayB.url, {}, { request })).failed).toEqual([]);

    upstream.handle((_request, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code: 'RELAY_\u001b[2J' } }));
    });
    expect((await checkOf(relayB.url, {}, { request })).failed).toEqual([]);
  });

  it('fails with the code of the relay if the API is away', async () => {
    const alone = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'auto' }));

    const request = { method: 'GET', path: '/' };
    const { step, failed } = await checkOf(alone.url, {}, { request });

    expect(failed).toEqual(['request']);
    expect(step('request')).toMatchObject({ code: 'CHECK_REQUEST_FAILED' });
    expect(step('request').cause).toMatch(/^status 502, RELAY_UPSTREAM_UNREACHABLE: \w/);
  });
});

describe('a peer of RELAY_CONFIG_FILE', () => {
  /** Without the variable whose place the peers of the file take. */
  const UNSET = { CLIENT_ID_SECRET: '' };

  it('is named, and each of its origins is checked', async () => {
    const berlin = newSecret();
    const other = forThisTest(
      await startRelay({ CLIENT_ID_SECRET: berlin, TUNNEL_TRANSPORT: 'auto' }),
    );
    const origins = [other.url, `http://localhost:${other.port}`];
    const peers = { berlin: { origins, secret: { file: 'berlin' } } };
    const file = forThisTest(await createDirectoryFile({ peers }, { berlin }));

    const { report } = await checkOf('berlin', { ...UNSET, RELAY_CONFIG_FILE: file.path });

    expect(report.ok).toBe(true);
    expect([...new Set(report.steps.map(({ origin }) => origin))]).toEqual(origins);
    expect(report.steps).toHaveLength(2 * STEPS.length);
    expect(JSON.stringify(report)).not.toContain(berlin);
  });

  it('with several origins is sent the request of --request once', async () => {
    const origins = [relayB.url, `http://localhost:${relayB.port}`];
    const peers = { berlin: { origins, secret: { file: 'berlin' } } };
    const file = forThisTest(await createDirectoryFile({ peers }, { berlin: SECRET }));
    const environment = { ...UNSET, RELAY_CONFIG_FILE: file.path };

    const request = { method: 'GET', path: '/' };
    const { failed } = await checkOf('berlin', environment, { request });

    expect(failed).toEqual([]);
    expect(upstream.hits).toBe(1);
  });

  it('is sent the request at the first origin that passes', async () => {
    const origins = [`http://127.0.0.1:${await closedPort(createServer())}`, relayB.url];
    const peers = { berlin: { origins, secret: { file: 'berlin' } } };
    const file = forThisTest(await createDirectoryFile({ peers }, { berlin: SECRET }));
    const environment = { ...UNSET, RELAY_CONFIG_FILE: file.path };

    const request = { method: 'GET', path: '/' };
    const { failed, step } = await checkOf('berlin', environment, { request });

    expect(failed).toEqual(['connect']);
    expect(step('request').ok).toBe(true);
    expect(upstream.hits).toBe(1);
  });

  it('must be one that the client of --client may reach', async () => {
    const berlin = newSecret();
    const content = {
      peers: { berlin: { origins: ['http://b.example'], secret: { file: 'berlin' } } },
      clients: { app: clientWith('a-token-of-the-application') },
    };
    const file = forThisTest(await createDirectoryFile(content, { berlin }));
    const environment = { ...UNSET, OUTBOUND_TOKEN: '', RELAY_CONFIG_FILE: file.path };

    const { step, failed } = await checkOf('berlin', environment, { client: 'app' });

    expect(failed).toEqual(['configuration']);
    expect(step('configuration')).toMatchObject({ code: 'CHECK_PEER_UNKNOWN' });
    expect(step('configuration').cause).toContain('this client may not call');
  });

  it('must be in the file', async () => {
    const berlin = newSecret();
    const peers = { berlin: { origins: ['http://b.example'], secret: { file: 'berlin' } } };
    const file = forThisTest(await createDirectoryFile({ peers }, { berlin }));

    const { step, failed } = await checkOf('paris', { ...UNSET, RELAY_CONFIG_FILE: file.path });

    expect(failed).toEqual(['configuration']);
    expect(step('configuration')).toMatchObject({ code: 'CHECK_PEER_UNKNOWN' });
  });
});

describe('a client', () => {
  const domain = () => ({
    upstream: 'http://api.example',
    client_id_secret: newSecret(),
    outbound_token: newSecret(),
  });
  const DOMAIN_MAP = JSON.stringify({ 'one.example': domain(), 'two.example': domain() });

  it.each<[string, string | undefined]>([
    ['that there is not', 'three.example'],
    ['of several hosts of DOMAIN_MAP that is not named', undefined],
  ])('%s fails the first step, with the names that there are', async (_what, client) => {
    const environment = { UPSTREAM: '', DOMAIN_MAP };
    const { step, failed } = await checkOf(relayB.url, environment, { client });

    expect(failed).toEqual(['configuration']);
    expect(step('configuration')).toMatchObject({ code: 'CHECK_CLIENT_UNKNOWN' });
    expect(step('configuration').cause).toContain('there are one-example, two-example');
  });
});

it('a password in the URL is shown nowhere', async () => {
  const { report } = await checkOf('http://user:pa$&ss@b.example');

  expect(report).toMatchObject({ ok: false, target: 'http://***@b.example' });
  expect(JSON.stringify(report)).not.toContain('pa$&ss');
});

it('a configuration with which the relay would not start fails the first step, with every problem', async () => {
  const { step, report } = await checkOf(relayB.url, { PORT: 'x', CLIENT_ID_SECRET: 'short' });

  expect(step('configuration')).toMatchObject({ ok: false, code: 'CHECK_CONFIGURATION_INVALID' });
  expect(step('configuration').cause).toMatch(/CLIENT_ID_SECRET .*PORT |PORT .*CLIENT_ID_SECRET /);
  expect(stepsThat(null, report.steps)).toEqual(STEPS.slice(1));
  expect(JSON.stringify(report)).not.toContain('short');
});
