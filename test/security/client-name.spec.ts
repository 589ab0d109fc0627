import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { ChannelAttacker } from '../support/attackers/channel-attacker.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { fieldValues, request, type ClientRequestSpec } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { temporaryFolder, type TemporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { closedPort } from '../support/network/listen.js';
import { openSocket } from '../support/network/raw-socket.js';
import { Code, Type, headersFrame } from '../support/protocol/channel-frames.js';
import { TOKEN, startRelay, type TestRelay } from '../support/relays/relay.js';
import { echoBody, startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const FIELD = 'x-client';
/** What a client sends to pass for another. */
const FORGED = {
  'x-mte-client': 'forged',
  'X-Client': ['forged', 'forged'],
  x_client: 'forged',
  'x.client': 'forged',
};
const FORGED_LINES = 'x-mte-client: forged\r\nx-client: forged\r\nx_client: forged\r\n';

const shared = sharedResources();
let folder: TemporaryFolder;
let api: Upstream;
/** Relay B, which tells its API the name of the client. */
let inbound: TestRelay;
/** Relay A, which knows the client with the token as `billing`. */
let naming: TestRelay;
/** A relay A whose client has no name. */
let nameless: TestRelay;

beforeAll(async () => {
  folder = shared(await temporaryFolder());
  api = shared(await startUpstream());
  const port = await closedPort(createServer());
  const tenant = [
    'tenants:',
    `  http://127.0.0.1:${port}:`,
    `    upstream: ${api.url}`,
    '    passThroughRoutes: [/open/*]',
    `    forwardClient: X-Client`,
  ];
  const digest = createHash('sha256').update(TOKEN).digest('hex');
  const client = ['clients:', '  billing:', '    tokens:', `      - { sha256: "${digest}" }`];
  const none = { OUTBOUND_TOKEN: '', UPSTREAM: '' };
  const auto = { TUNNEL_TRANSPORT: 'auto' };
  [inbound, naming, nameless] = await Promise.all([
    startRelay({
      ...auto,
      ...none,
      OUTBOUND_TOKEN: TOKEN,
      PORT: String(port),
      RELAY_CONFIG_FILE: await file('tenant.yaml', tenant),
    }),
    startRelay({
      ...auto,
      ...none,
      UPSTREAM: 'http://127.0.0.1:9',
      RELAY_CONFIG_FILE: await file('client.yaml', client),
    }),
    startRelay(auto),
  ]);
  [inbound, naming, nameless].forEach(shared);
});

beforeEach(() => {
  api.forget();
  api.handle(echoBody);
});

async function file(name: string, lines: readonly string[]): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

const send = (relay: TestRelay, headers: ClientRequestSpec['headers']) =>
  request(relay.url, {
    headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url, ...headers },
  });

/** The API was told this name, and nothing that a client or a relay has sent besides. */
const expectTold = (rawHeaders: readonly string[], names: readonly string[]): void => {
  expect(fieldValues(rawHeaders, FIELD)).toEqual(names);
  expect(rawHeaders.join('\n')).not.toMatch(/forged|x-mte/i);
};
const received = (): readonly string[] => api.requests.items[0]!.rawHeaders;

/** Asks for an upgrade, which the API here ignores: what matters is what it receives. */
async function askForUpgrade(relay: TestRelay, fields: string, path = '/ws'): Promise<void> {
  const client = forThisTest(openSocket(relay.port));
  client.write(
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${inbound.port}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
      `${fields}${FORGED_LINES}\r\n`,
  );
  await client.until('HTTP/1.1 ');
}
const named = (): string => `x-mte-outbound-token: ${TOKEN}\r\nx-mte-upstream: ${inbound.url}\r\n`;

describe('the name of a client (#103)', () => {
  it.each<[string, ClientRequestSpec['headers']]>([
    ['MKE', {}],
    ['MTE', { 'x-mte-encode-type': 'MTE' }],
    ['with plaintext copies', { 'x-mte-encode-headers': 'false' }],
  ])('reaches the API by its token, whatever the client sends (%s)', async (_what, options) => {
    expect((await send(naming, { ...options, ...FORGED })).status).toBe(200);
    expectTold(received(), ['billing']);
  });

  it('reaches the API over a channel, too', async () => {
    await naming.log.find(({ msg }) => msg === 'channel opened');
    expect((await send(naming, FORGED)).status).toBe(200);
    expectTold(received(), ['billing']);
  });

  it('reaches the API with a request for an upgrade', async () => {
    await askForUpgrade(naming, named());
    expectTold(received(), ['billing']);
  });

  it.each<[string, ClientRequestSpec['headers']]>([
    ['MKE', {}],
    ['MTE', { 'x-mte-encode-type': 'MTE' }],
  ])('is none if the client has none, whatever it sends (%s)', async (_what, options) => {
    expect((await send(nameless, { ...options, ...FORGED })).status).toBe(200);
    expectTold(received(), []);
  });

  it('is none with a request for an upgrade if the client has none', async () => {
    await askForUpgrade(nameless, named());
    expectTold(received(), []);
  });

  it('is none on a pass-through route, whatever anybody sends', async () => {
    await request(inbound.url, { path: '/open/a', headers: FORGED });
    expectTold(received(), []);
  });

  it('is none on a pass-through route with a request for an upgrade', async () => {
    await askForUpgrade(inbound, '', '/open/ws');
    expectTold(received(), []);
  });
});

describe('a peer that names clients as no relay does (#103)', () => {
  const WRONG: readonly (readonly [string, readonly string[]])[] = [
    ['two names', ['x-mte-client', 'billing', 'x-mte-client', 'shop']],
    ['the same name twice', ['x-mte-client', 'billing', 'x-mte-client', 'billing']],
    ['no name', ['x-mte-client', '']],
    ['a name with a line break', ['x-mte-client', 'billing\r\nx-client: shop']],
    ['a name with a blank', ['x-mte-client', 'billing shop']],
    ['too long a name', ['x-mte-client', 'a'.repeat(65)]],
  ];
  let peer: ProtocolClient;

  beforeAll(async () => {
    peer = await ProtocolClient.pair(inbound.url);
  });

  it('is believed if it names one, and no namesake of the field gets through', async () => {
    const fields = ['x-mte-client', 'Shop_2-eu', FIELD, 'forged', 'x_client', 'forged'];
    await peer.deliver(peer.seal({ head: { fields } }));
    expectTold(received(), ['Shop_2-eu']);
  });

  it.each(WRONG)('is refused with %s, and the API is not called', async (_what, fields) => {
    const message = peer.seal({ head: { fields } });
    const response = await peer.deliver(message);
    expect(peer.signedErrorOf(message, response)).toMatchObject({
      status: 562,
      isNeverForwarded: true,
    });
    expect(api.hits).toBe(0);
  });

  it.each(WRONG)('is refused with %s in a stream of a channel', async (_what, fields) => {
    const attacker = forThisTest(await ChannelAttacker.open(peer, inbound.port));
    attacker.send(headersFrame(1, { fields }));
    const { payload } = await attacker.frames.find(({ type }) => type === Type.RST_STREAM);
    expect(payload.readUInt32BE()).toBe(Code.PROTOCOL);
    expect(api.hits).toBe(0);
  });
});
