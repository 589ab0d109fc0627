import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';

import { CLIENT_ID_HEADER, RELAY_HEADER, formatChannelHeader } from '@relay/protocol';
import { beforeAll, describe, expect, it } from 'vitest';

import { ProtocolClient } from '../../support/attackers/protocol-client.js';
import { headerOf } from '../../support/attackers/man-in-the-middle.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startRelay, type RelayEnvironment, type TestRelay } from '../../support/relays/relay.js';

const shared = sharedResources();
let relay: TestRelay;
let client: ProtocolClient;
let sequence = 0;

beforeAll(async () => {
  relay = shared(await startRelay({ TUNNEL_TRANSPORT: 'auto' }));
  client = await ProtocolClient.pair(relay.url);
});

type Fields = Record<string, string | undefined>;

/** The fields of an opening that a relay could send. */
function opening(
  by = client,
  type: 'chan' | 'conn' = 'chan',
  ageSeconds = by.ageSeconds(),
): Fields {
  sequence += 1;
  const { sid } = by.session;
  const header = formatChannelHeader({ sid, sequence, ageSeconds, type }, randomBytes(16));
  return {
    [RELAY_HEADER]: header,
    [CLIENT_ID_HEADER]: headerOf(by.signed(header, Buffer.alloc(0)), CLIENT_ID_HEADER),
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    'sec-websocket-protocol': 'mte-relay.1',
  };
}

/** As an intermediary passes it on that knows no upgrades. */
const withoutUpgrade = (fields: Fields): Fields => ({
  ...fields,
  connection: 'keep-alive',
  upgrade: undefined,
});

interface Opened {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Sends an opening. A connection that was upgraded is closed again. */
function send(fields: Fields, { url } = relay, method = 'GET'): Promise<Opened> {
  const headers = Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/api/mte-channel`, { method, headers, agent: false });
    request.on('error', reject);
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    request.end();
  });
}

/** What is signed with a status: `p=0` proves that nothing was opened and never will be. */
const signed = ({ headers }: Opened) => String(headers[RELAY_HEADER]).split('.').slice(0, 4);

async function fresh(environment: RelayEnvironment): Promise<[TestRelay, ProtocolClient]> {
  const other = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'auto', ...environment }));
  return [other, await ProtocolClient.pair(other.url)];
}

describe('an opening', () => {
  it('is accepted with the subprotocol and a header of the relay', async () => {
    const { status, headers } = await send(opening());
    expect(status).toBe(101);
    expect(headers['sec-websocket-protocol']).toBe('mte-relay.1');
    expect(headers['sec-websocket-extensions']).toBeUndefined();
    expect(headers[RELAY_HEADER]).toMatch(/^1\.[A-Za-z0-9_-]{22}$/);
  });

  it('that was sent before is refused with a signed 565, which proves nothing', async () => {
    const fields = opening();
    expect((await send(fields)).status).toBe(101);
    const again = await send(fields);
    expect([again.status, signed(again)]).toEqual([565, ['1', 'error', '565', '1']]);
  });

  it('that was held back is consumed, and refused with a signed 562', async () => {
    const [other, sender] = await fresh({});
    const late = await send(opening(sender, 'chan', 400), other);
    expect([late.status, signed(late)]).toEqual([562, ['1', 'error', '562', '0']]);
  });

  it('for an upgraded connection is accepted, or refused with a signed 564 if it has no place', async () => {
    expect((await send(opening(client, 'conn'))).status).toBe(101);
    const [other, sender] = await fresh({ MAX_UPGRADED_CONNECTIONS: '0' });
    const refused = await send(opening(sender, 'conn'), other);
    expect([refused.status, signed(refused)]).toEqual([564, ['1', 'error', '564', '0']]);
    expect((await send(opening(sender), other)).status).toBe(101);
  });

  it('to a relay without channels is refused with a signed 564', async () => {
    const [other, sender] = await fresh({ TUNNEL_TRANSPORT: 'message' });
    const refused = await send(opening(sender), other);
    expect([refused.status, signed(refused)]).toEqual([564, ['1', 'error', '564', '0']]);
  });

  it.each<[name: string, status: number, changed: Fields]>([
    ['the sender', 569, { [CLIENT_ID_HEADER]: undefined }],
    ['the right signature', 566, { [CLIENT_ID_HEADER]: `00000000.a.${'A'.repeat(43)}` }],
    ['an upgrade', 566, { connection: undefined, upgrade: undefined }],
    ['WebSocket as its upgrade', 566, { upgrade: 'h2c' }],
    ['the version of RFC 6455', 566, { 'sec-websocket-version': '8' }],
    ['a key', 566, { 'sec-websocket-key': 'short' }],
    ['the subprotocol', 566, { 'sec-websocket-protocol': 'mte-relay.1, mte-relay.2' }],
    ['an empty list of extensions', 566, { 'sec-websocket-extensions': 'permessage-deflate' }],
    ['a type of its own', 566, { [RELAY_HEADER]: `1.${'A'.repeat(22)}.1.0.mke.${'A'.repeat(22)}` }],
  ])('without %s is an unsigned %i', async (_name, status, changed) => {
    const refused = await send({ ...opening(), ...changed });
    expect([refused.status, refused.headers[RELAY_HEADER]]).toEqual([status, undefined]);
  });

  it.each<[name: string, connection: string, fields: () => Fields]>([
    ['by a signed error', 'close', () => opening(client, 'chan', 400)],
    ['for its form', 'close', () => ({ ...opening(), 'sec-websocket-version': '8' })],
    ['for its missing upgrade', 'keep-alive', () => withoutUpgrade(opening())],
  ])(
    'that is refused %s has no body, and its connection says %s',
    async (_, connection, fields) => {
      const { headers, body } = await send(fields());
      expect(headers['cache-control']).toBe('no-store, no-transform');
      expect([headers.connection, body]).toEqual([connection, '']);
    },
  );
});

describe('the path of openings', () => {
  it('is a path like any other for other methods: without a token, it is refused', async () => {
    expect((await send(opening(), relay, 'HEAD')).status).toBe(401);
  });
});
